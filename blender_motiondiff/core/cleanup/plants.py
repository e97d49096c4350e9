"""Where a standing foot belongs, and the correction that takes it there: one anchor an interval of contact.

All corrections are vectors over time; while a joint stands they lead to its anchor, between intervals they pass from
one to the next with matching value and slope (cubic Hermite), or fade to nothing.
"""

import numpy as np

BLEND_SECONDS = 0.26  # a correction fades over this long on either side of a contact
BRIDGE = 4  # frames: shorter breaks in a contact are closed ...
BRIDGE_DISTANCE = 0.03  # ... when the joint moves less than this over them (metres, for a leg of 0.85 m)
DRIFT = 0.20  # metres: a foot that strays farther from its anchor takes a step instead
KEYED_STEP = 16  # frames of a step between keyed places, where there is time for it
KEYED_APART = 0.03  # metres, for a leg of 0.85 m: keyed places of a standing foot that are one place
STEP = 8  # frames of such a step ...
STEP_HEIGHT = 0.04  # ... and how high it goes, metres, for a leg of 0.85 m
LIFT_SHARE = 0.5  # height that a foot gains between contacts for each metre that its correction changes
SWING_EDGE = 0.15  # share of a swing over which a raised foot goes up, and down again
SWING_SPEED = 0.5  # metres a second: a toe that is faster swings
SLOW = 0.10  # metres a second: frames slower than this have the say in where the anchor lies
STEEPEST = 0.40  # metres a second: fastest change of a correction at the edge of a contact
EDGE = 4  # frames that give the slope at an edge


def runs(flags):
    """(first, end) of every run of true values; `end` is one past the last. bool `[T]` -> int `[R, 2]`."""
    return np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]]))).reshape(-1, 2)


def frames_from(flags):
    """Frames from each one to the nearest flagged one, float `[T]`; inf where none is. bool `[T]`."""
    time = np.arange(len(flags))
    before = np.maximum.accumulate(np.where(flags, time, -np.inf))
    after = np.minimum.accumulate(np.where(flags, time, np.inf)[::-1])[::-1]
    return np.minimum(time - before, after - time)


def bridge(flags, places, size):
    """Closes short breaks over which the joint hardly moves. `flags [T]`, `places [T, 3]` metres."""
    out = flags.copy()
    for (_, end), (start, _) in zip(runs(flags)[:-1], runs(flags)[1:], strict=True):
        moved = np.linalg.norm(places[start] - places[end - 1])
        if start - end <= BRIDGE and moved < BRIDGE_DISTANCE * size:
            out[end:start] = True
    return out


def steps(standing, toe, size, keyed=None, side=0):
    """Steps that a standing foot must take, as it strays too far from any one place: heights `[T]`, 0 where it stands.

    `standing [T]` flags; `toe [T, 3]` metres. `keyed [T]` flags frames whose pose stays: between two of them that have
    the foot in different places it takes a step, however near they are. `side`: 0 steps before 1 does.
    """
    out = np.zeros(len(standing))
    todo = [tuple(span) for span in runs(standing)]
    while todo:
        start, end = todo.pop()
        step = _step_between_keys(start, end, toe, size, keyed, side) or _step_half_way(start, end, toe, size)
        if step is not None:
            first, length = step
            arc = np.sin(np.pi * np.arange(1, length + 1) / (length + 1)) ** 2
            out[first : first + length] = STEP_HEIGHT * size * arc
            todo += [(start, first), (first + length, end)]
    return out


def _step_between_keys(start, end, toe, size, keyed, side):
    """(first frame, length) of a step between the keyed frames of a stance that are farthest apart; or None."""
    if keyed is None:
        return None
    at = start + np.flatnonzero(keyed[start:end])
    if len(at) < 2:
        return None
    apart = np.linalg.norm(np.diff(toe[at, :2], axis=0), axis=1) * (np.diff(at) > STEP + 1)
    k = int(apart.argmax())
    if apart[k] <= KEYED_APART * size:
        return None
    gap = int(at[k + 1] - at[k] - 1)
    length = int(np.clip(gap // 2 - 2, STEP, KEYED_STEP))
    early = int((0.2 + 0.6 * side) * (gap - length))  # one foot after the other, not both at once
    return int(at[k]) + 1 + early, length


def _step_half_way(start, end, toe, size):
    """(first frame, length) of a step in the middle of the way of a foot that strays while it stands; or None."""
    track = toe[start:end, :2]
    if np.linalg.norm(track - track.mean(0), axis=1).max() <= DRIFT * size or len(track) < 3 * STEP:
        return None
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(track, axis=0), axis=1))])
    middle = start + int(np.clip(np.searchsorted(way, way[-1] / 2), 1.5 * STEP, len(track) - 1.5 * STEP))
    return middle - STEP // 2, STEP


def pinned_track(places, flags, rest_height, size, fps, keyed):
    """Where a joint should be while it stands: places `[T, 3]`, its own where not flagged.

    Horizontally one anchor an interval, the mean of its places with slow frames counting most; keyed frames (`keyed
    [T]` bool), where there are any, alone decide it. Vertically its own height without the shake, never under the rest
    height.
    """
    out = places.copy()
    speed = np.linalg.norm(np.gradient(places[:, :2], axis=0), axis=1) * fps / size if len(places) > 1 else np.zeros(1)
    for start, end in runs(flags):
        part = slice(start, end)
        weights = keyed[part].astype(float) if keyed[part].any() else 1.0 / (speed[part] ** 2 + SLOW**2)
        out[part, :2] = (weights[:, None] * places[part, :2]).sum(0) / weights.sum()
        out[part, 2] = np.maximum(_without_shake(places[part, 2], fps), rest_height)
    return out


def _without_shake(values, fps, seconds=0.06):
    """Gaussian average of `[N]`, its ends weighted by what there is."""
    sigma = seconds * fps
    reach = int(np.ceil(9 * sigma))  # beyond, the Gaussian is under 1e-17
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    inner = slice(reach, reach + len(values))
    return np.convolve(values, kernel)[inner] / np.convolve(np.ones(len(values)), kernel)[inner]


def blend(values, flags, size, fps):
    """Corrections `[T, K]` that equal `values` where flagged and pass smoothly between, before and after."""
    out = np.where(flags[:, None], values, 0.0)
    spans, frames = runs(flags), len(flags)
    reach = max(2, int(round(BLEND_SECONDS * fps)))
    slopes = [(_slope(values[a:b], size, fps), -_slope(values[a:b][::-1], size, fps)) for a, b in spans]
    nothing = np.zeros(values.shape[1])
    for i, (start, end) in enumerate(spans):
        before = spans[i - 1][1] if i else 0
        after = spans[i + 1][0] if i + 1 < len(spans) else frames
        far = after - end + 1 > 2 * reach or after == frames
        if far:
            fading = _hermite(values[end - 1], slopes[i][1], nothing, nothing, reach)
            out[end : end + reach] = fading[1 : 1 + min(reach, frames - end)]
        else:
            passing = _hermite(values[end - 1], slopes[i][1], values[after], slopes[i + 1][0], after - end + 1)
            out[end:after] = passing[1:-1]
        if i == 0 or start - before + 1 > 2 * reach:
            rising = _hermite(nothing, nothing, values[start], slopes[i][0], reach)
            out[max(0, start - reach) : start] = rising[max(0, reach - start) : reach]
    return out


def catch_up_lift(shift, flags, size):
    """Heights `[T]` by which a foot is raised between contacts, where its correction changes much from one to the next.

    A foot that was held back has farther to go in the same time; it goes higher rather than faster along the ground.
    `shift [T, 3]`: its corrections; `flags [T]`: where it stands.
    """
    out = np.zeros(len(flags))
    for start, end in runs(~flags):
        before = shift[start - 1, :2] if start else np.zeros(2)
        after = shift[end, :2] if end < len(flags) else np.zeros(2)
        height = min(LIFT_SHARE * np.linalg.norm(after - before), STEP_HEIGHT * size)
        out[start:end] = height * np.sin(np.pi * np.arange(1, end - start + 1) / (end - start + 1)) ** 2
    return out


def drag_lift(toe, flags, clearance, size, fps):
    """Heights `[T]` by which a swinging foot is raised that would pass lower than `clearance` in the middle.

    `toe [T, 3]` and `clearance` in metres; `flags [T]`: where the foot stands.
    """
    out = np.zeros(len(flags))
    speed = np.linalg.norm(np.gradient(toe[:, :2], axis=0), axis=1) * fps / size if len(toe) > 1 else np.zeros(1)
    for start, end in runs(~flags):
        fast = speed[start:end] > SWING_SPEED
        if fast.sum() > EDGE:
            missing = clearance - np.median(toe[start:end, 2][fast])
            u = np.arange(1, end - start + 1) / (end - start + 1)
            edge = np.clip(np.minimum(u, 1 - u) / SWING_EDGE, 0.0, 1.0)
            out[start:end] = np.clip(missing, 0.0, STEP_HEIGHT * size) * edge * edge * (3 - 2 * edge)
    return out


def _slope(inner, size, fps):
    """Change a frame at the start of `inner [N, K]`, from a straight line through its first frames, limited."""
    part = inner[:EDGE]
    if len(part) < 2:
        return np.zeros(inner.shape[1])
    t = np.arange(len(part)) - (len(part) - 1) / 2
    slope = t @ part / (t @ t)
    return slope * min(1.0, STEEPEST * size / fps / max(np.linalg.norm(slope), 1e-12))


def _hermite(v0, m0, v1, m1, count):
    """Cubic from `v0` to `v1` over `count` steps, changes a step at its ends `m0`, `m1` -> `[count + 1, K]`."""
    m0, m1 = m0 * count, m1 * count
    u = np.linspace(0.0, 1.0, count + 1)[:, None]
    u2, u3 = u * u, u * u * u
    return (2 * u3 - 3 * u2 + 1) * v0 + (u3 - 2 * u2 + u) * m0 + (3 * u2 - 2 * u3) * v1 + (u3 - u2) * m1
