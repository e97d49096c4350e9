"""Corrections spread in time: kept where they are needed, passing to nothing, or to the next, on either side.

Between bound frames a correction follows a cubic with matching value and slope, the curve of least acceleration.
"""

import numpy as np

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
    frames = len(values)
    reach = max(2.0, seconds * fps)
    time = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(flags, time, -1), axis=0)
    after = np.minimum.accumulate(np.where(flags, time, frames)[::-1], axis=0)[::-1]
    if flags.all() or not flags.any():
        return np.where(flags[..., None], values, 0.0)
    sloping = ~np.broadcast_to(np.reshape(level, (-1, 1, 1)), (frames, 1, 1))
    leaving, coming = (slope * sloping for slope in _edge_slopes(values, flags, before, after, reach))
    first, last = np.maximum(before, 0), np.minimum(after, frames - 1)
    has_first, has_last = before >= 0, after < frames
    gap = np.where(has_first & has_last, after - before, np.inf)
    joined = gap <= 2 * reach
    v0, m0 = _pick(values, first, has_first), _pick(leaving, first, has_first)
    v1, m1 = _pick(values, last, has_last), _pick(coming, last, has_last)
    whole = np.where(joined, np.maximum(gap, 1), reach)[..., None]
    u = np.clip((time - before)[..., None] / whole, 0.0, 1.0)
    w = np.clip((after - time)[..., None] / whole, 0.0, 1.0)
    # The second half of a joined gap is the first half of the same seen backwards.
    out = _fade(v0, m0 * whole, u) + _fade(v1, -m1 * whole, w)
    return np.where(flags[..., None], values, out)


def _fade(value, slope, u):
    """The cubic from `value` with `slope` at u = 0 to nothing with no slope at u = 1."""
    rest = (1 - u) ** 2
    return value * (1 + 2 * u) * rest + slope * u * rest


def _pick(values, index, there):
    return np.take_along_axis(values, index[..., None], 0) * there[..., None]


def _edge_slopes(values, flags, before, after, reach):
    """Slopes a frame with which corrections leave an interval at its end, and come to it at its start."""
    frames = len(flags)
    start = np.zeros_like(before)  # first and last frame of the interval that a flagged frame is in
    time = np.arange(frames)[:, None]
    gaps = ~flags
    start = np.maximum.accumulate(np.where(gaps, time, -1), axis=0) + 1
    end = np.minimum.accumulate(np.where(gaps, time, frames)[::-1], axis=0)[::-1] - 1
    back = np.maximum(np.maximum(time - SLOPE_FRAMES, start), 0)
    ahead = np.minimum(np.minimum(time + SLOPE_FRAMES, end), frames - 1)
    leaving = (values - _pick(values, np.minimum(back, time), flags)) / np.maximum(time - back, 1)[..., None]
    coming = (_pick(values, np.maximum(ahead, time), flags) - values) / np.maximum(ahead - time, 1)[..., None]
    # A frame alone has no slope of its own: it takes that between its neighbours, where both are near.
    last = np.concatenate([np.full_like(before[:1], -1), before[:-1]])
    following = np.concatenate([after[1:], np.full_like(after[:1], frames)])
    alone = flags & (start == end) & (last >= 0) & (following < frames)
    alone &= (time - last <= 2 * reach) & (following - time <= 2 * reach)
    there = np.ones_like(alone)
    apart = np.maximum(following - last, 1)[..., None]
    through = (
        _pick(values, np.minimum(following, frames - 1), there) - _pick(values, np.maximum(last, 0), there)
    ) / apart
    return np.where(alone[..., None], through, leaving), np.where(alone[..., None], through, coming)


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
    size = np.sqrt((values**2).sum(-1))
    padded = np.pad(size, ((PEAK_FRAMES, PEAK_FRAMES), (0, 0)))
    largest = np.max([padded[k : k + len(size)] for k in range(2 * PEAK_FRAMES + 1)], axis=0)
    return size >= NEARLY * largest
