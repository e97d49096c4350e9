"""A path binds the smoothed pelvis: hips may sway about it as hips do.

The smoothed pelvis is the least-squares cubic spline with a knot every KNOT_SECONDS through the pelvis' places on the
ground. That is a linear projection (doing it twice changes nothing), so a path can be met exactly and in closed form
while whatever is faster, the sway of the steps, is left alone. B-splines and what surrounds a key are local, so every
system here is banded and costs time in proportion to the clip's length.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import FPS
from ..reference import path_heading
from ..request import FREE, GIVEN, RequestError
from .splines import fit, smooth_through, solve_blocks, spline_weights

KNOT_SECONDS = 0.8
NO_BEND = 0.05  # metres: a key this near to the path is reached by sway, without bending the path
BEND_SECONDS = 0.5  # the path bends over this long around a key that lies off it
KEY_SECONDS = 0.12  # standard deviation of what a key moves beside it
ROOM = 1e-9  # share by which a key or the smoothed pelvis may be missed, where keys are too dense for both
TAKEN = 0.15  # share of a spline that keys may take; where they are denser, they win over the path
KNOTS = 8  # knots, at least, whose keys are settled at a time
GENTLE = 0.5  # seconds in which somebody who stands before or after a path picks up speed, or slows down
WAYPOINT_ROUNDS, WAYPOINT_MET = 40, 1e-4  # rounds at most; metres. Waypoints close in time need many
LEAST_STEP = 0.05  # metres between waypoints as far as their timing goes: two of them take two moments


def smooth_pelvis(places, fps=FPS, knot_seconds=KNOT_SECONDS):
    """The smoothed pelvis `[..., T, 2]` of pelvis places on the ground `[..., T, 2]`, metres."""
    places = np.asarray(places, float)
    columns = places if places.ndim == 2 else np.moveaxis(places, -2, 0)
    rows = fit(columns.reshape(len(columns), -1), fps, knot_seconds)
    if rows is None:
        return places.copy()
    return rows if places.ndim == 2 else np.moveaxis(rows.reshape(columns.shape), 0, -2)


# --- where the path is ------------------------------------------------------------------------------------------------


def timed(path, duration):
    """The path with a time for every waypoint; those that have one keep it.

    An untimed first waypoint is passed at 0, an untimed last one at `duration` seconds, or as near to that as its
    bounds allow. Between timed ones the speed is as even as the bounds allow (the taut string through them). Where the
    path begins after 0 or ends before `duration` somebody stands there, and picks up speed or slows down over GENTLE
    seconds. Raises RequestError where no rising times lie within the bounds.
    """
    times = np.array(path.times, float)
    if np.isfinite(times).all():
        return path
    count = len(times)
    early, late = (np.full(count, np.nan) if b is None else np.array(b, float) for b in (path.earliest, path.latest))
    for k, wanted in ((0, 0.0), (count - 1, float(duration))):
        if np.isnan(times[k]):
            times[k] = np.fmin(np.fmax(wanted, early[k]), late[k])
    low = np.where(np.isnan(times), np.where(np.isnan(early), -np.inf, early), times)
    high = np.where(np.isnan(times), np.where(np.isnan(late), np.inf, late), times)
    gates = np.flatnonzero(np.isfinite(low) | np.isfinite(high))
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    wrong = np.flatnonzero(low > high + 1e-9)
    if len(wrong):
        raise RequestError(
            f"Waypoint {wrong[0]} of a path has no time left: others before and after it allow "
            f"{low[wrong[0]]:.2f} s at the earliest and {high[wrong[0]]:.2f} s at the latest. Move their times apart."
        )
    steps = np.linalg.norm(np.diff(np.asarray(path.points, float), axis=0), axis=1)
    steps = np.maximum(steps, LEAST_STEP if path.sparse else 1e-6 * steps.sum() + 1e-9)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    corners = _taut(way[gates], low[gates], high[gates])
    even = np.interp(way, *corners)
    gentle = np.clip(_gently(even, way, corners, duration), low, high)
    out = gentle if (np.diff(gentle) > 0).all() else even
    if not (np.diff(out) > 0).all():
        raise RequestError("Waypoints of a path fall on one moment. Give their bounds or times more room.")
    return replace(path, times=np.where(np.isnan(path.times), out, times))


def _taut(way, low, high):
    """Corners (way, time) of the shortest line of times along `way [K]` that stays between `low` and `high [K]`."""
    at, time, k = [way[0]], [low[0]], 1
    while k < len(way):
        least, most = (-np.inf, 0), (np.inf, 0)
        turn = (len(way) - 1, low)
        for j in range(k, len(way)):
            down, up = ((bound[j] - time[-1]) / (way[j] - at[-1]) for bound in (low, high))
            if down > most[0] or up < least[0]:
                turn = (most[1], high) if down > most[0] else (least[1], low)
                break
            least, most = max(least, (down, j)), min(most, (up, j))
        at.append(way[turn[0]])
        time.append(turn[1][turn[0]])
        k = turn[0] + 1
    return np.array(at), np.array(time)


def _gently(times, way, corners, duration):
    """Even times `[K]` changed in their first and last stretches, where somebody stands before or after them."""
    out = times.copy()
    (ways, moments), ends = corners, (times[0] > 1e-6, times[-1] < duration - 1e-6)
    alone = len(ways) == 2
    for end, stands in enumerate(ends):
        if not stands or (alone and end and ends[0]):
            continue
        a, b = (-2, -1) if end else (0, 1)
        inside = (way >= ways[a]) & (way <= ways[b])
        share = np.clip((way[inside] - ways[a]) / (ways[b] - ways[a]), 0.0, 1.0)
        lasts = moments[b] - moments[a]
        starting, stopping = not end, bool(end) or (alone and ends[1])
        out[inside] = moments[a] + lasts * _eased(share, min(GENTLE / lasts, 0.4), starting, stopping)
    return out


def _eased(share, ramp, starting, stopping):
    """Moments (0 to 1) at which shares of a way are done whose speed grows over `ramp`, and shrinks over as much."""
    speed = 1.0 / (1.0 - 0.5 * ramp * (int(starting) + int(stopping)))
    out = share / speed + 0.5 * ramp * starting
    if starting:
        out = np.where(share < 0.5 * ramp * speed, np.sqrt(2 * ramp * share / speed), out)
    if stopping:
        left = 1.0 - share
        out = np.where(left < 0.5 * ramp * speed, 1.0 - np.sqrt(2 * ramp * left / speed), out)
    return out


def sample_path(path, times):
    """Places `[T, 2]` of a request's Path at `times` (seconds of the whole clip), held at its ends.

    A dense path is the line through its points. A sparse one is a smooth curve through its waypoints that never swings
    wide of them, slows down where it turns, and comes to rest where the clip goes on after its last one.
    """
    points = np.asarray(path.points, float)
    if path.sparse:
        rest = (path.times[0] > times[0] + 1e-6, path.times[-1] < times[-1] - 1e-6)
        return smooth_through(path.times, points, times, rest)
    return np.stack([np.interp(times, path.times, points[:, k]) for k in range(2)], -1)


def heights_at(path, times):
    """Heights `[T]` of the pelvis along a path at `times` (seconds of the whole clip), metres.

    NaN beside waypoints without one, save on the frame nearest to one that has.
    """
    if path.heights is None:
        return np.full(len(times), np.nan)
    own, heights = np.asarray(path.times, float), np.asarray(path.heights, float)
    bound = np.isfinite(heights)
    if not bound.any():
        return np.full(len(times), np.nan)
    if path.sparse:
        out = smooth_through(own[bound], heights[bound, None], times, (True, True))[:, 0]
    else:
        out = np.interp(times, own[bound], heights[bound])
    before = np.clip(np.searchsorted(own, times + 1e-6, side="right") - 1, 0, len(own) - 1)
    after = np.clip(np.searchsorted(own, times - 1e-6), 0, len(own) - 1)
    told = bound[before] & bound[after]
    told[np.searchsorted(0.5 * (times[1:] + times[:-1]), own[bound])] = True  # the frame nearest to each waypoint
    return np.where(told, out, np.nan)


def headings_at(path, times):
    """Headings `[T]` along a path at `times` (seconds of the whole clip), radians, unwrapped; NaN where it is free.

    Given headings that are NaN are taken from their neighbours.
    """
    if path.heading == FREE:
        return np.full(len(times), np.nan)
    if path.heading != GIVEN:
        return path_heading(sample_path(path, times))
    given = np.isfinite(path.headings)
    if not given.any():
        return np.full(len(times), np.nan)
    own, headings = np.asarray(path.times, float)[given], rot.unwrap(np.asarray(path.headings, float)[given])
    if path.sparse:
        return smooth_through(own, headings[:, None], times, (True, True))[:, 0]
    return np.interp(times, own, headings)


# --- how it is met ----------------------------------------------------------------------------------------------------


def bend_to_keys(places, times, key_times, key_places):
    """The path bent to pass keys that lie off it: (places `[T, 2]`, metres that each key pulled it `[K]`).

    A key moves the path by its distance at its own time, fading over BEND_SECONDS on either side.
    """
    bent, pulled = places.copy(), []
    for when, where in zip(key_times, key_places, strict=True):
        first, last = np.searchsorted(times, [when - BEND_SECONDS, when + BEND_SECONDS])
        near = slice(max(first - 1, 0), last + 1)
        at = np.array([np.interp(when, times[near], bent[near, k]) for k in range(2)])
        off = np.asarray(where) - at
        distance = float(np.linalg.norm(off))
        pulled.append(distance if distance > NO_BEND else 0.0)
        if distance > NO_BEND:
            share = np.clip(1.0 - np.abs(times[near] - when) / BEND_SECONDS, 0.0, 1.0)
            bent[near] += off * (share * share * (3 - 2 * share))[:, None]
    return bent, np.array(pulled)


def meet_path(places, target, key_frames=(), key_places=(), fps=FPS):
    """The pelvis `[T, 2]` with its smoothed part replaced by the target's, through keyed places exactly.

    With P the projection of `smooth_pelvis`: x' = x + P(target - x), then for keys the smallest correction that makes
    x' pass them and that P does not see; where keys are too dense for that, they win.
    """
    out = places + smooth_pelvis(target - places, fps)
    frames, first = np.unique(np.asarray(key_frames, int), return_index=True)
    if len(frames):
        wanted = np.asarray(key_places, float)[first]
        out = out + _unseen(wanted - out[frames], frames, len(places), fps)
        out[frames] = wanted
    return out


def _unseen(miss, frames, count, fps):
    """The smallest correction `[count, 2]` that is `miss [N, 2]` at sorted `frames [N]` and that `smooth_pelvis` keeps.

    Smallest in the norm of a Gaussian kernel k (standard deviation KEY_SECONDS): c = k (E w + B g), with E what picks
    the keyed frames and B the splines; w and g from E'c = miss, B'c = 0, that is a positive definite system, the
    regression of a Gaussian process on both (Rasmussen and Williams 2006, section 2.2).
    """
    splines = spline_weights(count, fps, KNOT_SECONDS)
    if splines is None:
        return np.zeros((count, 2))
    first, values = splines
    reach = int(np.ceil(8 * KEY_SECONDS * fps))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (KEY_SECONDS * fps)) ** 2)
    knots = first[-1] + 4
    values = values * (_taken(first, values, frames) < TAKEN)[first[:, None] + np.arange(4)]
    size = max(KNOTS, reach // max(count // knots, 1) + 5)  # knots a block: none reaches the next but one
    inner, outer, right, put, held = [], [], [], [], 0
    for k in range(0, knots, size):
        columns, start, keyed = _columns(first, values, frames, k, min(k + size, knots))
        spread = np.stack([np.convolve(c, kernel) for c in columns.T], 1)  # from frame start - reach on
        inner.append(columns.T @ spread[reach:-reach] + ROOM * np.eye(columns.shape[1]))
        if put:
            before, begun = put[-1]
            shared = slice(max(start - reach - begun, 0), None)
            skip = max(begun - start + reach, 0)
            outer.append(before[shared].T @ spread[skip : skip + len(before[shared])])
        right.append(np.pad(miss[held : held + keyed], ((0, columns.shape[1] - keyed), (0, 0))))
        put.append((columns, start))
        held += keyed
    source = np.zeros((count, miss.shape[1]))
    for (columns, start), shares in zip(put, solve_blocks(inner, outer, right), strict=True):
        source[start : start + len(columns)] += columns @ shares
    return np.stack([np.convolve(c, kernel)[reach:-reach] for c in source.T], 1)


def _taken(first, values, frames):
    """Share `[K]` of each spline's squares that lies on keyed frames but one: a single key leaves room beside it."""
    number, squares = first[:, None] + np.arange(4), values**2
    whole = np.bincount(number.ravel(), squares.ravel())
    held, largest = np.zeros(len(whole)), np.zeros(len(whole))
    np.add.at(held, number[frames], squares[frames])
    np.maximum.at(largest, number[frames], squares[frames])
    return (held - largest) / whole


def _columns(first, values, frames, k0, k1):
    """(columns of [E, B] `[L, N + k1 - k0]`, the frame at which they begin, N) of a block of splines k0 .. k1.

    Its keys are those over which spline number k0 .. k1 - 1 begins.
    """
    start, stop = np.searchsorted(first, k0 - 3), np.searchsorted(first, k1 - 1, side="right")
    keys = frames[slice(*np.searchsorted(frames, np.searchsorted(first, [k0, k1])))]
    out = np.zeros((stop - start, len(keys) + k1 - k0))
    out[keys - start, np.arange(len(keys))] = 1.0
    column = first[start:stop, None] + np.arange(4) - k0
    row, of = np.nonzero((column >= 0) & (column < k1 - k0))
    out[row, len(keys) + column[row, of]] = values[start + row, of]
    return out, start, len(keys)


def meet_waypoints(places, frames, points):
    """The pelvis `[T, 2]` moved to pass `points [K, 2]` at rising `frames [K]` exactly, the change spread smoothly.

    Between waypoints the change passes from one to the next, outside them it stays: the way in between is its own.
    """
    frames, points = np.asarray(frames, int), np.asarray(points, float)
    if not len(frames):
        return np.array(places, float)
    change = smooth_through(frames, points - places[frames], np.arange(len(places)), bends=False)
    out = places + change
    out[frames] = points
    return out


def meet_waypoints_smoothly(places, frames, points):
    """Pelvis places `[T, 2]` whose smoothed form is at `points [W, 2]` on the `frames`."""
    met = places
    for _ in range(WAYPOINT_ROUNDS):  # what is added is not smooth to the last, so smoothing takes some of it away
        track = smooth_pelvis(met)
        if np.abs(track[frames] - points).max() < WAYPOINT_MET:
            break
        met = met + meet_waypoints(track, frames, points) - track
    return met


def meet_raw(places, target):
    """The pelvis `[T, 2]` itself laid on its target `[T, 2]`; where that is NaN, the change passes smoothly across."""
    bound = np.flatnonzero(np.isfinite(target).all(-1))
    return meet_waypoints(places, bound, np.asarray(target)[bound])


def path_residual(places, target, fps=FPS):
    """Distances in metres `[T]` between the smoothed pelvis and the smoothed target, at the same frames."""
    return np.linalg.norm(smooth_pelvis(places, fps) - target, axis=-1)
