"""Where a standing foot belongs, and the correction that takes it there: one anchor an interval of contact.

All corrections are vectors over time; while a joint stands they lead to its anchor, between intervals they pass from
one to the next with matching value and slope (cubic Hermite), or fade to nothing. Functions take many feet at once,
leading axes in front of the frames: `[..., T]` flags, `[..., T, K]` values, sizes `[...]` or a number.
"""

from dataclasses import dataclass

import numpy as np

from .. import rotations as rot
from ..motion import central

BLEND_SECONDS = 0.26  # a correction fades over this long on either side of a contact
BRIDGE = 4  # frames: shorter breaks in a contact are closed ...
BRIDGE_DISTANCE = 0.03  # ... when the joint moves less than this over them (metres, for a leg of 0.85 m)
STEP_HEIGHT = 0.04  # metres that a step goes up, for a leg of 0.85 m
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


def anchors(places, found, size, fps):
    """Where over the ground joints belong that stand in Runs: the mean of their places `[N, T, 3]` in each, `[R, 2]`.

    Slow frames count most: a joint that stands for long and then slips belongs where it stood. `size [N]`.
    """
    speed = ground_speed(places, fps) / size[:, None]
    weights = 1.0 / (speed[found.at] ** 2 + SLOW**2)
    sums = np.add.reduceat(weights[:, None] * places[found.at][:, :2], found.first)
    return sums / np.add.reduceat(weights, found.first)[:, None]


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


def envelope(values, reach):
    """A curve without corners that lies nowhere under `values [..., T]`: the largest nearby, then its average."""
    if not np.any(values):
        return np.zeros(np.shape(values))
    frames = values.shape[-1]
    out = largest_near(values, reach)
    width = 2 * ((reach + 1) // 3) + 1
    for _ in range(3):
        wide = _padded(out, width // 2)
        out = sum(wide[..., k : k + frames] for k in range(width)) / width
    return out


def _padded(values, reach):
    """`values [..., T]` with `reach` more frames at either end, like the first and the last."""
    out = np.empty((*values.shape[:-1], values.shape[-1] + 2 * reach))
    out[..., reach:-reach] = values
    out[..., :reach], out[..., -reach:] = values[..., :1], values[..., -1:]
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
    standing[:, :2] = found.each(anchors(places, found, size, fps))
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
