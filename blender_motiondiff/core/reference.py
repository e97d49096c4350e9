"""What is known before the network runs, and the features relative to it.

Every frame of a person has a heading-and-place frame: from its own motion or keys, else from its path, else facing its
partner. In it the pelvis is relative to the frame's place, every other joint horizontally relative to its own pelvis;
heights stay those over the ground. For a given request this is one rigid change of axes a frame, so constraints that
are linear stay linear and the way back is exact. The base interpolates what is observed (the mean pose where nothing
is), the spread says how far recorded motion strays from that base at a given distance from the nearest observation.
All functions take leading batch axes: `[..., T, 268]` features, `[..., T, 2]` places, `[..., T]` headings.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import inbetween, words
from . import rotations as rot
from .constraints.splines import smooth_through
from .features import CONTACTS, POSITIONS, ROTATIONS, SIZE, VELOCITIES, velocities
from .motion import FPS, central
from .skeleton import COUNT

# Where a person's frames come from; the order is that of the tables in the weights.
OWN, PATH, PARTNER = 0, 1, 2
SOURCES = 3
PARTNER_DISTANCE = 0.72  # metres in front of the partner: the couples' median distance
OWN_SMOOTHING = 0.1  # seconds, of the frames of a motion that is wholly known
FORGET = 0.7  # seconds over which an observation's hold outside the observed range fades to the mean
# On a path somebody walks on between the keys, so away from them the base is the mean, not a held or blended pose.
PATH_HOLD, PATH_FORGET = 0.3, 0.35  # seconds that a key's pose holds, and over which it then fades
DISTANCES = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96])  # frames to the nearest observation; then none


@dataclass(frozen=True)
class Tables:
    """What the base knows of the training data: statistics, and the learned interpolation between full keys.

    `mean [3, 268]` a source, `deviation [268]`, `spread [3, 14, 268]`; without `between` interpolation is linear.
    """

    mean: np.ndarray
    deviation: np.ndarray
    spread: np.ndarray
    between: inbetween.Inbetween | None = None

    @cached_property
    def spread_at(self):
        """The spread at every whole distance in frames, 0 .. NO_OBSERVATION: `[3, 98, 268]`."""
        return every_distance(self.spread)


def tables_as_numbers(tables):
    """Arrays by name, as files of weights and runs keep them."""
    out = {"mean": tables.mean, "deviation": tables.deviation, "spread": tables.spread}
    if tables.between is not None:
        out |= {f"between_weight{i}": w for i, w in enumerate(tables.between.weights)}
        out |= {f"between_bias{i}": b for i, b in enumerate(tables.between.biases)}
    return out


def tables_from_numbers(numbers):
    """Tables of arrays by name. Raises KeyError where one is missing."""
    rows = {name: np.asarray(value, np.float32) for name, value in numbers.items()}
    layers = range(sum(name.startswith("between_weight") for name in rows))
    weights, biases = (tuple(rows[f"between_{part}{i}"] for i in layers) for part in ("weight", "bias"))
    between = inbetween.Inbetween(weights, biases) if weights else None
    return Tables(rows["mean"], rows["deviation"], rows["spread"], between)


# --- the frames -------------------------------------------------------------------------------------------------------


def turn_xy(xy, angle):
    """Vectors on the ground `[..., T, 2]` turned by `angle [..., T]`, radians."""
    cos, sin = np.cos(angle)[..., None], np.sin(angle)[..., None]
    x, y = xy[..., :1], xy[..., 1:2]
    return np.concatenate([cos * x - sin * y, sin * x + cos * y], -1)


# x and y of what turns with a frame: the joints' places, their velocities and the root's two rotation columns.
_XS, _YS = slice(0, ROTATIONS.start + 6, 3), slice(1, ROTATIONS.start + 6, 3)


def _turned(x, y, angle):
    """x and y `[..., T, K]` of vectors turned about the vertical axis by `angle [..., T]`."""
    cos, sin = np.cos(angle)[..., None], np.sin(angle)[..., None]
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    across, along = cos * x, sin * x
    across -= sin * y
    along += cos * y
    return across, along


def to_relative(features, place, heading):
    """World features -> features in the frames `place [..., T, 2]`, `heading [..., T]`. Inverse: `to_world`."""
    x, y = features[..., _XS].astype(float), features[..., _YS].astype(float)
    for row, axis in ((x, 0), (y, 1)):
        row[..., 1:COUNT] -= row[..., :1]
        row[..., 0] -= place[..., axis]
    out = features.copy()
    out[..., _XS], out[..., _YS] = _turned(x, y, -np.asarray(heading))
    return out


def to_world(relative, place, heading):
    """Features in the frames -> world features."""
    out = relative.copy()
    out[..., _XS], out[..., _YS] = _from_frames(*_turned(relative[..., _XS], relative[..., _YS], heading), place)
    return out


def _from_frames(x, y, place):
    """x and y `[..., T, K]` of the joints' places, turned already, in the world; further columns stay."""
    for row, axis in ((x, 0), (y, 1)):
        row[..., 0] += place[..., axis]
        row[..., 1:COUNT] += row[..., :1]
    return x, y


def facing(place, heading, distance=PARTNER_DISTANCE):
    """The frames of someone who stands in front of `place`, `heading` and looks back."""
    ahead = np.stack([np.sin(heading), -np.cos(heading)], -1)
    return place + distance * ahead, heading + np.pi


def own_frames(pelvis, heading):
    """Frames of a motion that is wholly known: its pelvis `[T, 2]` and heading `[T]`, a little smoothed."""
    return smooth(pelvis, OWN_SMOOTHING), smooth_heading(heading, OWN_SMOOTHING)


def keyed_frames(frames, placed_at, places, turned_at, headings):
    """Frames between a person's own keys: places `[K, 2]` at frames `placed_at`, headings at `turned_at`.

    Places lie on a smooth curve that never swings wide (splines.smooth_through): people run round corners, and between
    4 keys in 4 s joints of the runs kept out for validation were 8 cm off with it, 17 with straight lines. Headings are
    interpolated. Without a keyed heading it faces -Y.
    """
    time = np.arange(frames)
    placed_at, first = np.unique(placed_at, return_index=True)  # keys that rounding tells apart share a frame
    place = smooth_through(placed_at, np.asarray(places)[first], time, rest=(False, False))
    if not len(turned_at):
        return place, np.zeros(frames)
    return place, np.interp(time, turned_at, rot.unwrap(headings))


def smooth(values, seconds, fps=FPS):
    """Gaussian average over time (axis -2 of `[..., T, K]`), standard deviation in seconds, ends reflected."""
    sigma = seconds * fps
    reach = max(1, int(np.ceil(3 * sigma)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    weights /= weights.sum()
    frames = values.shape[-2]
    index = np.arange(-reach, frames + reach)
    period = max(2 * frames - 2, 1)
    index = np.abs((index + period * (1 + reach // period)) % period)
    index = np.where(index >= frames, period - index, index) if frames > 1 else np.zeros_like(index)
    padded = np.ascontiguousarray(values[..., index, :])
    shape, strides = (*values.shape, 2 * reach + 1), (*padded.strides, padded.strides[-2])
    windows = np.lib.stride_tricks.as_strided(padded, shape, strides, writeable=False)
    return windows @ weights.astype(values.dtype)


def smooth_heading(heading, seconds, fps=FPS):
    """A smoothed heading `[..., T]`, radians, unwrapped in time."""
    return smooth(rot.unwrap(heading)[..., None], seconds, fps)[..., 0]


def path_heading(points, fps=FPS, slowest=0.15):
    """Heading `[..., T]` along a path `[..., T, 2]`.

    Where it is slower than `slowest` m/s, the heading is carried over from elsewhere. A path that never moves faces -Y.
    """
    step = central(points) * fps if points.shape[-2] > 1 else np.zeros_like(points)
    speed = rot.length(step)
    angle = np.arctan2(step[..., 0], -step[..., 1])
    flat_angle, flat_speed = angle.reshape(-1, angle.shape[-1]), speed.reshape(-1, angle.shape[-1])
    out = np.zeros_like(flat_angle)
    time = np.arange(angle.shape[-1])
    for i, (a, v) in enumerate(zip(flat_angle, flat_speed, strict=True)):
        moving = v > slowest
        if moving.any():
            out[i] = np.interp(time, time[moving], rot.unwrap(a[moving]))
    return smooth_heading(out, 0.2, fps).reshape(angle.shape)


# --- base and spread --------------------------------------------------------------------------------------------------


# Channels that are always observed together share one column: x and y of a joint's place, its height, its rotation; a
# velocity follows its joint's place (it is never observed alone), the four contacts are planned together.
GROUPS = np.concatenate(
    [
        np.repeat(2 * np.arange(COUNT), 3) + np.tile([0, 0, 1], COUNT),
        np.repeat(2 * np.arange(COUNT), 3) + np.tile([0, 0, 1], COUNT),
        2 * COUNT + np.repeat(np.arange(COUNT), 6),
        np.full(CONTACTS.stop - CONTACTS.start, 3 * COUNT),
    ]
)
LEADS = np.concatenate(
    [
        np.stack([3 * np.arange(COUNT), 3 * np.arange(COUNT) + 2], -1).ravel(),
        ROTATIONS.start + 6 * np.arange(COUNT),
        [CONTACTS.start],
    ]
)


def grouped(mask):
    """A mask `[..., T, 268]` by group `[..., T, 67]`."""
    return mask[..., LEADS]


def neighbours(mask):
    """Indices `[..., T, C]` of a mask's last and next observed frame; -1 and T where there is none."""
    frames = mask.shape[-2]
    time = np.arange(frames, dtype=np.int32)[:, None]
    before = np.maximum.accumulate(np.where(mask, time, np.int32(-1)), axis=-2)
    after = np.minimum.accumulate(np.where(mask, time, np.int32(frames))[..., ::-1, :], axis=-2)[..., ::-1, :]
    return before, after


def interpolate(observed, mask, mean, walking=False, fps=FPS):
    """Base values `[T, C]` from observed ones `[T, C]`: linear between observations, fading to `mean [C]` beyond.

    `walking`: they fade between observations as well (PATH_HOLD, PATH_FORGET).
    """
    out = np.repeat(np.asarray(mean, observed.dtype)[None, :], len(observed), axis=0)
    channels = np.flatnonzero(mask.any(0))
    if len(channels):
        out[:, channels] = _interpolate(observed[:, channels], mask[:, channels], out[:, channels], walking, fps)
    return out


def _interpolate(observed, mask, mean, walking, fps):
    frames = len(mask)
    before, after = neighbours(mask)
    has_before, has_after = before >= 0, after < frames
    first = np.take_along_axis(observed, np.maximum(before, 0), 0)
    last = np.take_along_axis(observed, np.minimum(after, frames - 1), 0)
    time = np.arange(frames)[:, None]
    inside = has_before & has_after
    share = np.where(inside, (time - before) / np.maximum(after - before, 1), ~has_before)
    away = np.where(inside, np.minimum(time - before, after - time), np.where(has_before, time - before, after - time))
    if walking:
        kept = np.exp(-np.maximum(away / fps - PATH_HOLD, 0.0) / PATH_FORGET)
    else:
        kept = np.where(inside, 1.0, np.exp(-away / fps / FORGET))
    return mean + (first + (last - first) * share - mean) * kept


NO_OBSERVATION = int(DISTANCES[-1]) + 1  # stands for an infinite distance in frames


def nearest_distance(mask):
    """Frames to the nearest observation `[..., T, C]`, 0 where observed, NO_OBSERVATION at most."""
    frames = mask.shape[-2]
    out = np.full(mask.shape, NO_OBSERVATION)
    seen = np.flatnonzero(mask.any(tuple(range(mask.ndim - 1))))
    before, after = neighbours(mask[..., seen])
    time = np.arange(frames, dtype=np.int32)[:, None]
    back = np.where(before >= 0, time - before, NO_OBSERVATION)
    ahead = np.where(after < frames, after - time, NO_OBSERVATION)
    none = (before < 0) & (after >= frames)
    out[..., seen] = np.where(none, NO_OBSERVATION, np.minimum(np.minimum(back, ahead), DISTANCES[-1]))
    return out


def every_distance(table):
    """A spread table `[..., 14, 268]` at every whole distance 0 .. NO_OBSERVATION, `[..., 98, 268]`."""
    position = np.interp(np.arange(NO_OBSERVATION), DISTANCES, np.arange(len(DISTANCES)))
    low = np.floor(position).astype(int)
    share = (position - low)[:, None]
    rows = table[..., low, :] * (1 - share) + table[..., np.minimum(low + 1, len(DISTANCES) - 1), :] * share
    return np.concatenate([rows, table[..., -1:, :]], -2).astype(np.float32)


def spread(tables, source, mask):
    """Expected deviation from the base `[..., T, 268]` for `source [...]` (ints) and a mask of what is observed."""
    out, groups = np.empty(mask.shape, np.float32), grouped(mask)
    for at in np.ndindex(np.shape(source)):
        rows, seen = tables.spread_at[source[at]], groups[at].any(0)
        out[at] = rows[NO_OBSERVATION]
        columns = np.flatnonzero(seen[GROUPS])
        if len(columns):
            number = np.take(SIZE * nearest_distance(groups[at]), GROUPS[columns], -1)
            out[at][:, columns] = np.take(rows.ravel(), number + columns, mode="clip")  # the other modes look first
    return out


def base_of(tables, source, observed, mask, place, heading):
    """The base `[..., T, 268]` in relative features: interpolated observations, velocities from its own positions.

    Between full keys of one's own the interpolation is the learned one (inbetween), where the tables have it.
    """
    out = np.empty_like(observed)
    for at in np.ndindex(np.shape(source)):
        out[at] = interpolate(observed[at], mask[at], tables.mean[source[at]], source[at] == PATH)
        if source[at] == OWN and tables.between is not None:
            known = tables.mean[OWN], tables.deviation, observed[at], mask[at], place[at], heading[at]
            inbetween.lead_between(tables.between, out[at], *known)
    x, y = _from_frames(*_turned(out[..., 0 : POSITIONS.stop : 3], out[..., 1 : POSITIONS.stop : 3], heading), place)
    speed = velocities(np.stack([x, y, out[..., 2 : POSITIONS.stop : 3]], -1))
    speed[..., 0], speed[..., 1] = _turned(speed[..., 0], speed[..., 1], -heading)
    told = mask[..., VELOCITIES]
    out[..., VELOCITIES] = np.where(told, observed[..., VELOCITIES], speed.reshape(told.shape))
    return out


# --- what the network is given ----------------------------------------------------------------------------------------

EXTRAS = 2 + 1 + SOURCES + 4 + 2 + 1 + 11  # see `extras`
GIVEN = 2 * SIZE + EXTRAS + words.COUNT


def extras(source, mask, place, heading, partner_place, partner_heading, present, measures, fps=FPS):
    """Further inputs a frame `[..., T, EXTRAS]`.

    The frame's velocity in its own axes (m/s) and yaw rate (rad/s); its source; the partner's frame seen from this one
    (metres, cosine and sine of the turn; zero without a partner); seconds since the last and until the next full pose
    (as exp(-s)); whether a partner is there; the body's measures `[..., 11]` in metres.
    """
    frames = heading.shape[-1]
    still = frames < 2
    velocity = np.zeros_like(place) if still else turn_xy(central(place) * fps, -heading)
    turning = np.zeros_like(heading) if still else central(rot.unwrap(heading)[..., None])[..., 0] * fps
    kind = np.broadcast_to(np.eye(SOURCES)[source][..., None, :], (*heading.shape, SOURCES))
    there = np.broadcast_to(np.asarray(present, float)[..., None, None], (*heading.shape, 1))
    away = turn_xy(partner_place - place, -heading)
    turn = partner_heading - heading
    seen = np.concatenate([away, np.cos(turn)[..., None], np.sin(turn)[..., None]], -1) * there
    full = mask[..., ROTATIONS].all(-1, keepdims=True)
    before, after = neighbours(full)
    time = np.arange(frames)[:, None]
    since = np.where(before >= 0, np.exp(-(time - before) / fps), 0.0)
    until = np.where(after < frames, np.exp(-(after - time) / fps), 0.0)
    sizes = np.broadcast_to(measures[..., None, :], (*heading.shape, measures.shape[-1]))
    return np.concatenate([velocity, turning[..., None], kind, seen, since, until, there, sizes], -1)


def standardised(tables, source, rows, channels=slice(None)):
    """Some channels of a base `[..., T, K]` as the network sees them: in deviations from the mean of their `source`."""
    mean = tables.mean[source][..., None, channels]
    out = (rows - mean) / tables.deviation[channels]
    return np.clip(out, -5, 5, out=out)


def given(tables, source, base, mask, extra, said):
    """The network's conditioning `[..., T, GIVEN]`: the standardised base, the mask, the extras, the words.

    `said [..., T, words.COUNT]`: what the motion should be at each frame (words.encode), 0 where nothing is said.
    """
    out = np.empty((*base.shape[:-1], GIVEN), np.float32)
    out[..., :SIZE], out[..., SIZE : 2 * SIZE] = standardised(tables, source, base), mask
    out[..., 2 * SIZE : 2 * SIZE + EXTRAS], out[..., 2 * SIZE + EXTRAS :] = extra, said
    return out
