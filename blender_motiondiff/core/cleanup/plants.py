"""Where a standing foot belongs, and the correction that takes it there: one anchor an interval of contact.

All corrections are vectors over time; while a joint stands they lead to its anchor, between intervals they pass from
one to the next with matching value and slope (cubic Hermite), or fade to nothing. Functions take many feet at once,
leading axes in front of the frames: `[..., T]` flags, `[..., T, K]` values, sizes `[...]` or a number.
"""

from dataclasses import dataclass

import numpy as np

from .. import rotations as rot

BLEND_SECONDS = 0.26  # a correction fades over this long on either side of a contact
BRIDGE = 4  # frames: shorter breaks in a contact are closed ...
BRIDGE_DISTANCE = 0.03  # ... when the joint moves less than this over them (metres, for a leg of 0.85 m)
DRIFT = 0.20  # metres: a foot that strays farther from its anchor takes a step instead ...
EASY_REACH = 0.35  # ... unless its hip comes no farther than this from the anchor over the ground; ...
FAR_DRIFT = 0.35  # ... so far it has stepped in any case (metres, for a leg of 0.85 m)
KEYED_STEP = 16  # frames of a step between keyed places, where there is time for it
KEYED_APART = 0.03  # metres, for a leg of 0.85 m: keyed places of a standing foot that are one place
STEP = 8  # frames of such a step ...
STEP_HEIGHT = 0.04  # ... and how high it goes, metres, for a leg of 0.85 m
HASTE = 3.5  # metres a second, for a leg of 0.85 m, at which a foot goes from place to place at most, on average
LIFT_SHARE = 0.5  # height that a foot gains between contacts for each metre that its correction changes
SWING_EDGE = 0.15  # share of a swing over which a raised foot goes up, and down again
SWING_SPEED = 0.5  # metres a second: a toe that is faster swings
SLOW = 0.10  # metres a second: frames slower than this have the say in where the anchor lies
STEEPEST = 0.40  # metres a second: fastest change of a correction at the edge of a contact
EDGE = 4  # frames that give the slope at an edge
SHAKE_SECONDS = 0.06  # standard deviation of the average that takes a standing foot's shake off its height
# Slopes of straight lines through the first k frames of a run, by least squares: weights of these frames.
_LINES = np.zeros((EDGE + 1, EDGE))
for _k in range(2, EDGE + 1):
    _centred = np.arange(_k) - (_k - 1) / 2
    _LINES[_k, :_k] = _centred / (_centred @ _centred)


@dataclass(frozen=True)
class Runs:
    """Every run of true values of flags `[N, T]`: `row [R]` it is in, first frame `start [R]` and one past its last
    `end [R]`, by rows and then by time. `at`: (row, frame) of every frame in a run.
    """

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    at: tuple

    @property
    def lengths(self):
        """Frames of each run `[R]`."""
        return self.end - self.start

    @property
    def first(self):
        """Place of each run's first frame among `at`."""
        return np.cumsum(self.lengths) - self.lengths

    def each(self, values):
        """A value of every run at each of its frames."""
        return np.repeat(values, self.lengths, axis=0)

    def share(self):
        """How far each frame is through its run: 1 / (n + 1) to n / (n + 1) for one of n frames."""
        count = self.lengths
        return (self.at[1] - self.each(self.start) + 1) / self.each(count + 1)


def runs(flags):
    """(first, end) of every run of true values; `end` is one past the last. bool `[T]` -> int `[R, 2]`."""
    return np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]]))).reshape(-1, 2)


def all_runs(flags):
    """The Runs of many rows of flags `[N, T]`."""
    padded = np.zeros((len(flags), flags.shape[1] + 2), np.int8)
    padded[:, 1:-1] = flags
    row, edge = np.nonzero(padded[:, 1:] != padded[:, :-1])
    return Runs(row[::2], edge[::2], edge[1::2], np.nonzero(flags))


def around(flags):
    """Indices of the last flagged frame up to each one, and of the next from it on: `[..., T]`; -1, T without one."""
    frames = flags.shape[-1]
    time = np.arange(frames)
    before = np.maximum.accumulate(np.where(flags, time, -1), axis=-1)
    after = np.minimum.accumulate(np.where(flags, time, frames)[..., ::-1], axis=-1)[..., ::-1]
    return before, after


def frames_from(flags):
    """Frames from each one to the nearest flagged one, float `[..., T]`; inf where none is."""
    frames = flags.shape[-1]
    before, after = around(flags)
    time = np.arange(frames)
    return np.minimum(np.where(before < 0, np.inf, time - before), np.where(after == frames, np.inf, after - time))


def ease(u):
    """From 0 to 1 with no slope at either end, clipped there."""
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3 - 2 * u)


def ground_speed(places, fps):
    """Speeds along the ground `[..., T]`, metres a second, central differences; 0 for a single frame."""
    if places.shape[-2] < 2:
        return np.zeros(places.shape[:-1])
    return fps * rot.length(central(places[..., :2]))


def central(values):
    """Changes a frame `[..., T, K]` of `values`, central differences, T at least 2."""
    out = np.empty(values.shape)
    out[..., 1:-1, :] = 0.5 * (values[..., 2:, :] - values[..., :-2, :])
    out[..., 0, :], out[..., -1, :] = values[..., 1, :] - values[..., 0, :], values[..., -1, :] - values[..., -2, :]
    return out


def largest_near(values, reach):
    """The largest of `values [..., T]` (none negative) within `reach` frames of each."""
    out = np.zeros((*values.shape[:-1], values.shape[-1] + 2 * reach))
    out[..., reach:-reach] = values
    width = 1  # of how many neighbours it is the largest so far
    while width < 2 * reach + 1:
        step = min(width, 2 * reach + 1 - width)
        out = np.maximum(out[..., : out.shape[-1] - step], out[..., step:])
        width += step
    return out


def bridge(flags, places, size):
    """Closes short breaks over which the joint hardly moves. `flags [..., T]`, `places [..., T, 3]` metres."""
    frames = flags.shape[-1]
    out, rows = flags.copy().reshape(-1, frames), places.reshape(-1, frames, 3)
    before, after = around(out)
    short = ~out & (before >= 0) & (after < frames) & (after - before <= BRIDGE + 1)
    row, frame = np.nonzero(short)
    moved = rot.length(rows[row, after[row, frame]] - rows[row, before[row, frame]])
    limit = BRIDGE_DISTANCE * np.broadcast_to(np.reshape(size, -1), len(rows))[row]
    out[row, frame] = moved < limit
    return out.reshape(flags.shape)


def steps(standing, toe, size, keyed=None, side=0, hip=None):
    """Steps that a standing foot must take, as it strays too far from any one place: heights `[..., T]`, 0 where it
    stands.

    `standing [..., T]` flags; `toe [..., T, 3]` metres. `keyed [..., T]` flags frames whose pose stays: between two of
    them that have the foot in different places it takes a step, however near they are. `side [...]`: 0 steps before 1.
    `hip [..., T, 3]`: that of the leg, which may reach the anchor easily wherever the foot strays; None: it does not.
    """
    frames = standing.shape[-1]
    flags, places = standing.reshape(-1, frames), toe.reshape(-1, frames, 3)
    hips = np.full(places.shape, np.inf) if hip is None else hip.reshape(-1, frames, 3)
    sizes, sides = (np.broadcast_to(np.reshape(v, -1), len(flags)) for v in (size, side))
    found, out = all_runs(flags), np.zeros(flags.shape)
    if not len(found.row):
        return out.reshape(standing.shape)
    keys = np.zeros(flags.shape, bool) if keyed is None else keyed.reshape(flags.shape)
    first, track = found.first, places[found.at][:, :2]
    away = rot.length(track - found.each(np.add.reduceat(track, first) / found.lengths[:, None]))
    strays = np.maximum.reduceat(away, first) > DRIFT * sizes[found.row]
    several = np.add.reduceat(keys[found.at].astype(int), first) > 1
    for k in np.flatnonzero((strays & (found.lengths >= 3 * STEP)) | several):
        row = found.row[k]
        stance = int(found.start[k]), int(found.end[k])
        _steps_in(out[row], *stance, places[row], sizes[row], keys[row], sides[row], hips[row])
    return out.reshape(standing.shape)


def _steps_in(out, start, end, toe, size, keyed, side, hip):
    """Puts the heights of the steps of one stance into `out [T]`."""
    todo = [(start, end)]
    while todo:
        start, end = todo.pop()
        step = _step_between_keys(start, end, toe, size, keyed, side)
        step = step or _step_half_way(start, end, toe, size, hip, side)
        if step is not None:
            first, length = step
            arc = np.sin(np.pi * np.arange(1, length + 1) / (length + 1)) ** 2
            out[first : first + length] = STEP_HEIGHT * size * arc
            todo += [(start, first), (first + length, end)]


def _step_between_keys(start, end, toe, size, keyed, side):
    """(first frame, length) of a step between the keyed frames of a stance that are farthest apart; or None."""
    at = start + np.flatnonzero(keyed[start:end])
    if len(at) < 2:
        return None
    apart = rot.length(np.diff(toe[at, :2], axis=0)) * (np.diff(at) > STEP + 1)
    k = int(apart.argmax())
    if apart[k] <= KEYED_APART * size:
        return None
    gap = int(at[k + 1] - at[k] - 1)
    length = int(np.clip(gap // 2 - 2, STEP, KEYED_STEP))
    early = int((0.2 + 0.6 * side) * (gap - length))  # one foot after the other, not both at once
    return int(at[k]) + 1 + early, length


def _step_half_way(start, end, toe, size, hip, side):
    """(first frame, length) of a step near the middle of the way of a foot that strays while it stands; or None."""
    track, above = toe[start:end, :2], hip[start:end, :2]
    away = rot.length(track - track.mean(0)).max()
    if away <= DRIFT * size or len(track) < 3 * STEP:
        return None
    if away <= FAR_DRIFT * size and rot.length(above - track.mean(0)).max() <= EASY_REACH * size:
        return None
    way = np.concatenate([[0], np.cumsum(rot.length(np.diff(track, axis=0)))])
    # Feet that are carried along together step one after the other.
    half = np.searchsorted(way, way[-1] / 2) + (2 * side - 1) * (STEP // 2 + 1)
    middle = start + int(np.clip(half, 1.5 * STEP, len(track) - 1.5 * STEP))
    return middle - STEP // 2, STEP


def hasty(standing, track, size, fps, keyed):
    """Frames `[N, T]` at the ends of two stances that the step between them needs as well, or it would be too quick.

    `standing [N, T]` flags; `track [N, T, 3]`: where the foot stands then. No stance gives more than a third of its
    frames at either end, or any beyond a keyed one.
    """
    frames, out, found = standing.shape[1], np.zeros(standing.shape, bool), all_runs(~standing)
    inner = (found.start > 0) & (found.end < frames)
    row, start, end = found.row[inner], found.start[inner], found.end[inner]
    way = rot.length((track[row, np.minimum(end, frames - 1)] - track[row, start - 1])[:, :2])
    lacking = np.ceil(way * fps / (HASTE * size[row])) - (end - start + 1)
    for r, first, last, frames_more in zip(row, start, end, np.ceil(0.5 * lacking), strict=True):
        if frames_more > 0:
            before = _given_up(standing[r, :first][::-1], keyed[r, :first][::-1], int(frames_more))
            after = _given_up(standing[r, last:], keyed[r, last:], int(frames_more))
            out[r, first - before : last + after] = standing[r, first - before : last + after]
    return out


def _given_up(standing, keyed, wanted):
    """How many of its first frames a stance can give, of those `wanted`; flags `[T]` from its end inwards."""
    stance = np.flatnonzero(~standing)
    length = stance[0] if len(stance) else len(standing)
    stays = np.flatnonzero(keyed[:length])
    return int(min(wanted, length // 3, stays[0] if len(stays) else length))


def pinned_track(places, flags, rest_height, size, fps, keyed):
    """Where joints should be while they stand: places `[N, T, 3]`, their own where not flagged.

    Horizontally one anchor an interval, the mean of its places with slow frames counting most; where frames are keyed
    (`keyed [N, T]` bool) they alone decide it, and between two of them it passes from one to the other. Vertically its
    own height without the shake, never under the rest height. `flags [N, T]`; `rest_height`, `size [N]`.
    """
    out, found = places.copy(), all_runs(flags)
    if not len(found.row):
        return out
    first, standing, keys = found.first, places[found.at], keyed[found.at]
    weights = 1.0 / ((ground_speed(places, fps) / size[:, None])[found.at] ** 2 + SLOW**2)
    anchor = np.add.reduceat(weights[:, None] * standing[:, :2], first) / np.add.reduceat(weights, first)[:, None]
    standing[:, :2] = found.each(anchor)
    if keys.any():
        has = found.each(np.logical_or.reduceat(keys, first))
        row, frame = (part[has] for part in found.at)
        before, after = (part[row, frame] for part in around(keyed & flags))
        before, after = (np.where(inside, part, other) for inside, part, other in (
            (before >= found.each(found.start)[has], before, after), (after < found.each(found.end)[has], after, before)
        ))  # fmt: skip
        standing[has, :2] = _passing(places[..., :2], row, frame, before, after)
    heights = _without_shake(standing[:, 2], fps, found.lengths)
    standing[:, 2] = np.maximum(heights, found.each(rest_height[found.row]))
    out[found.at] = standing
    return out


def _passing(values, row, frame, before, after):
    """`values [N, T, K]` in straight lines from frames `before` to `after`, at `frame`: `[M, K]`, all of them `[M]`."""
    share = ((frame - before) / np.maximum(after - before, 1))[:, None]
    return values[row, before] + share * (values[row, after] - values[row, before])


def led_back(shift, hold):
    """Corrections `[N, T, K]` that are nothing on keyed frames, where `hold [N, T]` is 0, whatever they were there.

    What they were fades beside them as `hold` rises to 1; a foot that is told to stand where it is keyed is corrected
    up to the keyed frame.
    """
    keyed = hold == 0
    if not keyed.any():
        return shift
    row, frame = np.nonzero((hold < 1) & keyed.any(1)[:, None])
    before, after = (part[row, frame] for part in around(keyed))
    none_before, none_after = before < 0, after == keyed.shape[1]
    before, after = np.where(none_before, after, before), np.where(none_after, before, after)
    out = shift.copy()
    out[row, frame] -= (1 - hold[row, frame])[:, None] * _passing(shift, row, frame, before, after)
    return out


def _without_shake(values, fps, lengths=None):
    """Gaussian average of `[N]`, its ends weighted by what there is; `lengths [R]` of stretches that stay apart."""
    sigma = SHAKE_SECONDS * fps
    reach = int(np.ceil(9 * sigma))  # beyond, the Gaussian is under 1e-17
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    at = reach + np.arange(len(values))
    if lengths is not None:
        at += reach * np.repeat(np.arange(len(lengths)), lengths)
    spaced, there = np.zeros((2, at[-1] + 1))
    spaced[at], there[at] = values, 1.0
    return np.convolve(spaced, kernel)[at + reach] / np.convolve(there, kernel)[at + reach]


def blend(values, flags, size, fps):
    """Corrections `[..., T, K]` that equal `values` where flagged and pass smoothly between, before and after."""
    frames, reach = flags.shape[-1], max(2, int(round(BLEND_SECONDS * fps)))
    given, on = values.reshape(-1, *values.shape[-2:]), flags.reshape(-1, frames)
    out = np.where(on[..., None], given, 0.0)
    if on.any() and not on.all():
        coming, leaving = _edge_slopes(given, on, np.broadcast_to(np.reshape(size, -1), len(on)), fps)
        between(out, given, on, coming, leaving, reach)
    return out.reshape(values.shape)


def between(out, values, flags, coming, leaving, reach):
    """Puts cubics between `values [N, T, K]` where `flags [N, T]` into `out`: to the next, or fading over `reach`.

    `coming`, `leaving [N, T, K]`: changes a frame away from what is flagged, at runs' first and last frames.
    Gaps of up to 2 * `reach` frames are crossed at once.
    """
    frames = flags.shape[1]
    before, after = around(flags)
    gap = np.where((before >= 0) & (after < frames), after - before, np.inf)
    time, whole = np.arange(frames), np.where(gap <= 2 * reach, gap, reach)
    # The second half of a crossed gap is the first half of the same seen backwards.
    for other, way, slopes in ((before, time - before, leaving), (after, after - time, coming)):
        at = np.nonzero(~flags & (other >= 0) & (other < frames) & (way < whole))
        held, last = whole[at][:, None], (at[0], other[at])
        u = way[at][:, None] / held
        out[at] += (1 - u) ** 2 * (values[last] * (1 + 2 * u) + slopes[last] * held * u)


def _edge_slopes(values, flags, size, fps):
    """Changes a frame, inwards, at the first frame of each run and, outwards, at its last: `[N, T, K]`, 0 elsewhere.

    Each is that of a straight line through the run's first or last frames, limited. Both are told as away from the
    other end of the gap beside them: rising slopes at a run's start are counted backwards in time.
    """
    found = all_runs(flags)
    count = np.minimum(found.lengths, EDGE)
    steepest = STEEPEST * size[found.row] / fps
    out = []
    for edge, way in ((found.start, 1), (found.end - 1, -1)):
        frame = np.clip(edge[:, None] + way * np.arange(EDGE), 0, flags.shape[1] - 1)
        line = (_LINES[count][..., None] * values[found.row[:, None], frame]).sum(1)
        line *= np.minimum(1.0, steepest / np.maximum(np.sqrt((line * line).sum(1)), 1e-12))[:, None]
        slopes = np.zeros(values.shape)
        slopes[found.row, edge] = -line
        out.append(slopes)
    return out


def catch_up_lift(shift, flags, size):
    """Heights `[N, T]` by which feet are raised between contacts, where their corrections change much meanwhile.

    A foot that was held back has farther to go in the same time; it goes higher rather than faster along the ground.
    `shift [N, T, 3]`: its corrections; `flags [N, T]`: where it stands; `size [N]`.
    """
    out, found = np.zeros(flags.shape), all_runs(~flags)
    frames = flags.shape[1]
    before = np.where((found.start > 0)[:, None], shift[found.row, found.start - 1, :2], 0.0)
    after = np.where((found.end < frames)[:, None], shift[found.row, np.minimum(found.end, frames - 1), :2], 0.0)
    height = np.minimum(LIFT_SHARE * rot.length(after - before), STEP_HEIGHT * size[found.row])
    out[found.at] = found.each(height) * np.sin(np.pi * found.share()) ** 2
    return out


def drag_lift(toe, flags, clearance, size, fps):
    """Heights `[N, T]` by which swinging feet are raised that would pass lower than `clearance [N]` in the middle.

    `toe [N, T, 3]` and `clearance` in metres; `flags [N, T]`: where the foot stands; `size [N]`.
    """
    out, found = np.zeros(flags.shape), all_runs(~flags)
    speed = ground_speed(toe, fps)[found.at] / size[found.at[0]]
    run, height = found.each(np.arange(len(found.row))), toe[found.at][:, 2]
    fast = np.flatnonzero(speed > SWING_SPEED)
    many = np.bincount(run[fast], minlength=len(found.row))
    order = fast[np.lexsort((height[fast], run[fast]))]
    first = np.cumsum(many) - many
    some = np.flatnonzero(many > EDGE)
    middle = first[some] + (many[some] - 1) // 2
    median = 0.5 * (height[order[middle]] + height[order[first[some] + many[some] // 2]])
    lift = np.zeros(len(found.row))
    lift[some] = np.clip(clearance[found.row[some]] - median, 0.0, STEP_HEIGHT * size[found.row[some]])
    u = found.share()
    out[found.at] = found.each(lift) * ease(np.minimum(u, 1 - u) / SWING_EDGE)
    return out
