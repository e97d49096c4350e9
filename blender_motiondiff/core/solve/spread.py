"""Corrections spread in time: kept where they are needed, passing to nothing, or to the next, on either side.

Between bound frames a correction follows a cubic with matching value and slope, the curve of least acceleration.
"""

import numpy as np

from ..cleanup.plants import all_runs, between, largest_near

FADE_SECONDS = 0.45  # over which a correction comes and goes
SLOPE_FRAMES = 3  # steps inside an interval that give the slope at its edge
SMOOTH_FRAMES = 2.5  # standard deviation of the average over time of corrections
PEAK_FRAMES = 8  # to either side: what counts as nearby ...
NEARLY = 0.9  # ... and the share of the largest correction that counts as nearly as large


def spread(values, flags, fps, level=False, seconds=FADE_SECONDS):
    """Corrections `[T, K, 3]` equal to `values` where flagged, smooth between; `flags [T, K]` bool.

    Gaps longer than two fades are crossed at 0. Slopes are those of the flagged frames next to the gap; none on frames
    that are `level [T]`.
    """
    given, on = np.ascontiguousarray(values.transpose(1, 0, 2)), np.ascontiguousarray(flags.T)
    out = np.where(on[..., None], given, 0.0)
    if on.any() and not on.all():
        reach = max(2.0, seconds * fps)
        between(out, given, on, *_edge_slopes(given, on, np.broadcast_to(level, len(values)), reach), reach)
    return out.transpose(1, 0, 2)


def _edge_slopes(values, flags, level, reach):
    """Slopes a frame away from intervals, at their first and their last frames: `[K, T, 3]`, 0 elsewhere."""
    found = all_runs(flags)
    row, first, last = found.row, found.start, found.end - 1
    ahead, back = np.minimum(first + SLOPE_FRAMES, last), np.maximum(last - SLOPE_FRAMES, first)
    coming = (values[row, first] - values[row, ahead]) / np.maximum(ahead - first, 1)[:, None]
    leaving = (values[row, last] - values[row, back]) / np.maximum(last - back, 1)[:, None]
    # A frame alone has no slope of its own: it takes that between its neighbours, where both are near.
    same = row[1:] == row[:-1]
    gap = np.where(same, first[1:] - last[:-1], np.inf)
    alone = np.flatnonzero((first == last)[1:-1] & (gap[:-1] <= 2 * reach) & (gap[1:] <= 2 * reach)) + 1
    if len(alone):
        before, after = (row[alone], last[alone - 1]), (row[alone], first[alone + 1])
        leaving[alone] = (values[after] - values[before]) / (after[1] - before[1])[:, None]
        coming[alone] = -leaving[alone]
    out = np.zeros((2, *values.shape))
    out[0][row, first], out[1][row, last] = coming * ~level[first][:, None], leaving * ~level[last][:, None]
    return out


def soften_jumps(values, flags, pattern, fps, seconds=FADE_SECONDS):
    """Corrections `[T, K, 3]` without the jumps they make where another set of items begins to bind.

    `flags [T, K]`: where they are given; `pattern [T]`: a number for the set that binds on each frame. Half of a jump
    is taken up on either side, over a fade each.
    """
    at = np.flatnonzero(np.diff(pattern) != 0) + 1
    at = at[(flags[at] & flags[at - 1]).any(1)]
    if len(at) == 0:
        return values
    inside = flags[at] & flags[at - 1]
    jump = values[at] - values[at - 1] - 0.5 * (_step_before(values, flags, at) + _step_after(values, flags, at))
    jump = np.where(inside[..., None], 0.5 * jump, 0.0)
    out, reach = values.copy(), max(2, round(seconds * fps))
    left, right = inside.copy(), inside.copy()
    for k in range(reach):
        share = (1 - (k + 0.5) / reach) ** 2 * (1 + 2 * (k + 0.5) / reach)
        for frame, side, way in ((at - 1 - k, left, share), (at + k, right, -share)):
            there = (frame >= 0) & (frame < len(values))
            side[~there] = False
            side[there] &= flags[frame[there]]
            out[frame[there]] += way * np.where(side[there, :, None], jump[there], 0.0)
    return out


def _step_before(values, flags, at):
    earlier = np.maximum(at - 2, 0)
    return np.where(flags[earlier][..., None], values[at - 1] - values[earlier], 0.0)


def _step_after(values, flags, at):
    later = np.minimum(at + 1, len(values) - 1)
    return np.where(flags[later][..., None], values[later] - values[at], 0.0)


def smooth(values, fixed):
    """Corrections `[T, K, 3]` averaged over time (SMOOTH_FRAMES); `fixed [T, K]` ones stay."""
    reach = int(np.ceil(3 * SMOOTH_FRAMES))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTH_FRAMES) ** 2)
    frames = len(values)
    padded = np.pad(values, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    average = sum(w * padded[k : k + frames] for k, w in enumerate(weights / weights.sum()))
    return np.where(fixed[..., None], values, average)


def near_peak(values):
    """Where corrections `[T, K, 3]` are nearly as large as the largest nearby: `[T, K]` bool."""
    size = np.sqrt(values[..., 0] ** 2 + values[..., 1] ** 2 + values[..., 2] ** 2)
    return size >= NEARLY * largest_near(size.T, PEAK_FRAMES).T
