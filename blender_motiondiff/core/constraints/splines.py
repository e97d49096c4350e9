"""Curves over time: least-squares B-splines by their four values a frame, and smooth curves through given points.

What is local here stays local in its systems, so all costs time in proportion to the clip's length.
"""

from functools import lru_cache

import numpy as np

BLOCK = 32  # unknowns that are eliminated at a time


def spline_weights(frames, fps, knot_seconds):
    """(first `[T]`, values `[T, 4]`): the four cubic B-splines over each frame, numbers first .. first + 3.

    Evenly spaced knots, the first and last at the clip's ends. None for a clip with fewer frames than splines. Kept, as
    everything in a request asks for the same; not to be written to.
    """
    spans = max(1, int(round((frames - 1) / fps / knot_seconds)))
    return None if frames < spans + 3 else _weights(frames, spans)


@lru_cache(maxsize=8)
def _weights(frames, spans):
    u = np.linspace(0.0, spans, frames)
    first = np.minimum(u.astype(int), spans - 1)
    t = np.abs(u[:, None] - (first[:, None] + np.arange(-1, 3)))
    values = np.where(t < 1, (4 - 6 * t**2 + 3 * t**3) / 6, np.maximum(2 - t, 0) ** 3 / 6)
    first.flags.writeable = values.flags.writeable = False
    return first, values


def fit(rows, fps, knot_seconds):
    """The least-squares spline through `rows [T, C]`; None where `spline_weights` is."""
    splines = spline_weights(len(rows), fps, knot_seconds)
    if splines is None:
        return None
    first, values = splines
    count = first[-1] + 4
    if count <= BLOCK:  # few enough to be taken at once
        table, solved = _at_once(len(first), count - 3)
        return table @ (solved @ rows)
    starts = np.searchsorted(first, np.arange(count - 3))
    band, right = np.zeros((4, count)), np.zeros((count, rows.shape[1]))
    for a in range(4):
        right[a : a + count - 3] += np.add.reduceat(values[:, a, None] * rows, starts, 0)
        for b in range(a, 4):
            band[b - a, a : a + count - 3] += np.add.reduceat(values[:, a] * values[:, b], starts)
    knots = solve_blocks(*_blocks(band), [right[k : k + BLOCK] for k in range(0, count, BLOCK)])
    return spline(first, values, np.concatenate(knots))


@lru_cache(maxsize=8)
def _at_once(frames, spans):
    """All splines' values `[T, N]` of a short clip, and the matrix `[N, T]` from places to the splines' factors."""
    first, values = _weights(frames, spans)
    table = np.zeros((frames, spans + 3))
    table[np.arange(frames)[:, None], first[:, None] + np.arange(4)] = values
    return table, np.linalg.solve(table.T @ table, table.T)


def _blocks(band):
    """A banded symmetric matrix (`band[d, i]` = its entry i, i + d) as blocks on and beside the diagonal."""
    count, reach = band.shape[1], len(band)
    row = np.arange(count)[:, None]
    inner, outer = [], []
    for k in range(0, count, BLOCK):
        here = slice(k, min(k + BLOCK, count))
        off = np.arange(k, min(k + 2 * BLOCK, count)) - row[here]
        wide = np.where(np.abs(off) < reach, band[np.clip(off, 0, reach - 1), row[here]], 0.0)
        square = np.triu(wide[:, : here.stop - k])
        inner.append(square + np.triu(square, 1).T)
        outer.append(wide[:, here.stop - k :])
    return inner, outer[:-1]


def solve_blocks(inner, outer, right):
    """Solution of a positive definite block-tridiagonal system, as blocks `[n, C]`.

    `inner`: blocks `[n, n]` on the diagonal; `outer`: those `[n, n']` right of it, one fewer; `right`: blocks `[n, C]`.
    Gauss' elimination block by block (Golub and Van Loan, Matrix Computations, section 4.5).
    """
    passed, solved = [], []
    for k, (block, side) in enumerate(zip(inner, right, strict=True)):
        if k:
            block = block - outer[k - 1].T @ passed[-1]
            side = side - outer[k - 1].T @ solved[-1]
        wide = outer[k] if k < len(outer) else np.zeros((len(block), 0))
        answer = np.linalg.solve(block, np.concatenate([wide, side], 1))
        passed.append(answer[:, : wide.shape[1]])
        solved.append(answer[:, wide.shape[1] :])
    for k in range(len(solved) - 2, -1, -1):
        solved[k] = solved[k] - passed[k] @ solved[k + 1]
    return solved


def spline(first, values, knots):
    """The spline's values `[T, C]` from its coefficients `[K, C]`."""
    return sum(values[:, a, None] * knots[first + a] for a in range(4))


def smooth_through(times, points, moments, rest=(True, True), bends=True):
    """A curve `[T, C]` through `points [K, C]` at rising `times [K]`, evaluated at `moments [T]`, held at its ends.

    Cubic Hermite pieces. Their slopes are the harmonic means of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5,
    1984); on curves that goes for their lengths, times the cosine of half the turn, and they point along what halves
    it. So a straight way is never overshot, and whoever turns back stands for a moment. `rest`: whether it starts, ends
    without speed; else without acceleration. Not `bends`: quintic pieces without acceleration at the points, as
    corrections are.
    """
    times, points, moments = np.asarray(times, float), np.asarray(points, float), np.asarray(moments, float)
    if len(times) == 1:
        return np.repeat(points, len(moments), axis=0)
    slopes = _slopes(times, points, rest)
    at = np.clip(np.searchsorted(times, moments, side="right") - 1, 0, len(times) - 2)
    step = np.diff(times)[at, None]
    u = np.clip((moments[:, None] - times[at, None]) / step, 0.0, 1.0)
    u2, u3 = u * u, u * u * u
    if bends:
        rise, begin, end = 3 * u2 - 2 * u3, u3 - 2 * u2 + u, u3 - u2
    else:
        rise = u3 * (10 - 15 * u + 6 * u2)
        begin, end = u - u3 * (6 - 8 * u + 3 * u2), u3 * (7 * u - 4 - 3 * u2)
    bent = step * (begin * slopes[at] + end * slopes[at + 1])
    return points[at] + rise * (points[at + 1] - points[at]) + bent


def _slopes(times, points, rest):
    """Slopes `[K, C]` for `smooth_through`."""
    step = np.diff(times)[:, None]
    chord = np.diff(points, axis=0) / step
    speed = np.linalg.norm(chord, axis=1, keepdims=True)
    way = chord / np.maximum(speed, 1e-12)
    h0, h1, out = step[:-1], step[1:], np.zeros_like(points)
    harmonic = (
        3 * (h0 + h1) / ((2 * h1 + h0) / np.maximum(speed[:-1], 1e-12) + (h1 + 2 * h0) / np.maximum(speed[1:], 1e-12))
    )
    ahead = h1 * way[:-1] + h0 * way[1:]
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    half = np.sqrt(np.maximum(0.5 * (1 + (way[:-1] * way[1:]).sum(1, keepdims=True)), 0.0))
    out[1:-1] = harmonic * half * ahead
    for end, inner, near in ((0, 1, 0), (-1, -2, -1)):
        if not rest[end]:
            alone = len(points) == 2 and not any(rest)
            out[end] = chord[near] if alone else 1.5 * chord[near] - 0.5 * out[inner]
    return out
