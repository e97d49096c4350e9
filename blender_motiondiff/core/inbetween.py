"""A learned interpolation between full keys: what lies between two poses, told by them and by their neighbours.

For every gap between two full poses of one person a small network sees the four keys about it (the last before, both
ends, the next after) in the features of `reference`, and answers with sine coefficients a channel: the way from pose to
pose is the linear one plus those sines, so it is smooth and exact at the keys. Plain NumPy, a few products a gap, so it
costs a fraction of a millisecond whatever computes the denoiser.
"""

from dataclasses import dataclass

import numpy as np

from .features import POSITIONS, ROTATIONS
from .motion import FPS

CHANNELS = np.r_[POSITIONS, ROTATIONS]  # what is interpolated; velocities follow from the places
SINES = 10
LONGEST = 120  # frames of a gap, as in training: longer ones stay linear
BEYOND = 4.0  # seconds at which keys before and after a gap stop to count
LENGTH_BUMPS = np.linspace(np.log(2.0), np.log(LONGEST), 8)  # log of frames; the gap's length in soft classes
KEY_SIZE = len(CHANNELS) + 6  # a key's pose, its place and turn seen from the gap's first key, its time, whether it is
INPUTS = 4 * KEY_SIZE + 2 + len(LENGTH_BUMPS)
SCALE = 0.3  # of the channels' deviations: an answer of 1 is a large detour
SLOW, QUICK = 0.2, 1.0  # seconds: shorter gaps leave less room for detours


@dataclass(frozen=True)
class Inbetween:
    """The network's numbers: `weights` of shapes `[in, out]` and `biases [out]` from the first layer to the last."""

    weights: tuple
    biases: tuple


def gaps_between(full):
    """Gaps `[G, 4]` between full poses `full [T]` (bool): frames of the last key before, both ends, the next after.

    -1 where no key is near enough; gaps of neighbouring frames and those over LONGEST are left out.
    """
    keys = np.flatnonzero(full)
    if len(keys) < 2:
        return np.empty((0, 4), int)
    around = np.concatenate([[-1], keys, [-1]])
    rows = np.stack([around[:-3], around[1:-2], around[2:-1], around[3:]], -1)
    near = BEYOND * FPS
    rows[:, 0] = np.where(rows[:, 1] - rows[:, 0] > near, -1, rows[:, 0])
    rows[:, 3] = np.where(rows[:, 3] - rows[:, 2] > near, -1, rows[:, 3])
    length = rows[:, 2] - rows[:, 1]
    return rows[(length > 1) & (length <= LONGEST)]


def inputs(mean, deviation, observed, place, heading, gaps):
    """What the network sees of gaps `[G, 4]`: `[G, INPUTS]`.

    `observed [T, 268]` in the frames `place [T, 2]`, `heading [T]`; `mean`, `deviation` `[268]` of the features.
    """
    there = gaps >= 0
    pose = (observed[gaps][..., CHANNELS] - mean[CHANNELS]) / deviation[CHANNELS]
    first = gaps[:, 1:2]
    away, turn = place[gaps] - place[first], heading[gaps] - heading[first]
    cos, sin = np.cos(heading[first]), np.sin(heading[first])
    ahead = cos * away[..., 0] + sin * away[..., 1], cos * away[..., 1] - sin * away[..., 0]
    time = (gaps - first) / FPS
    keys = np.concatenate([pose, np.stack([*ahead, np.sin(turn), np.cos(turn), time, there], -1)], -1)
    keys = np.clip(keys, -5, 5) * there[..., None]
    length = (gaps[:, 2:3] - first).astype(float)
    bumps = np.exp(-0.5 * ((np.log(length) - LENGTH_BUMPS) / 0.5) ** 2)
    return np.concatenate([keys.reshape(len(gaps), -1), length / FPS, 10.0 / length, bumps], -1).astype(np.float32)


def coefficients(between, told):
    """The network itself: what it sees `[G, INPUTS]` -> sine coefficients `[G, SINES, C]` in deviations."""
    x = told
    for weight, bias in zip(between.weights[:-1], between.biases[:-1], strict=True):
        x = x @ weight + bias
        x = x / (1 + np.exp(-x))
    return (x @ between.weights[-1] + between.biases[-1]).reshape(len(told), SINES, len(CHANNELS))


def room(length):
    """How far a gap of `length` frames leaves the linear way, relative to SCALE."""
    return SCALE * np.clip(length / FPS, SLOW, QUICK)


def detours(between, mean, deviation, observed, full, place, heading):
    """What is added to linear interpolation: (gaps `[G, 4]`, a list of `[length - 1, C]`, the frames inside each)."""
    gaps = gaps_between(full)
    if not len(gaps):
        return gaps, []
    answer = coefficients(between, inputs(mean, deviation, observed, place, heading, gaps))
    answer = answer * deviation[CHANNELS]
    out = []
    for gap, sines in zip(gaps, answer, strict=True):
        length = gap[2] - gap[1]
        out.append(room(length) * waves(length) @ sines)
    return gaps, out


def waves(length):
    """The sines `[length - 1, SINES]` at the frames inside a gap."""
    return np.sin(np.pi * np.arange(1, length)[:, None] / length * np.arange(1, SINES + 1))


def lead_between(between, base, mean, deviation, observed, mask, place, heading):
    """Adds the detours to a base `[T, 268]` of one person, where nothing else is known between two full keys.

    `mean`, `deviation [268]`: of the features. `observed`, `mask [T, 268]`: what is known, in the frames
    `place [T, 2]`, `heading [T]`.
    """
    full = mask[:, POSITIONS].all(1) & mask[:, ROTATIONS].all(1)
    gaps, added = detours(between, mean, deviation, observed, full, place, heading)
    for gap, rows in zip(gaps, added, strict=True):
        inside = slice(gap[1] + 1, gap[2])
        base[inside, CHANNELS] += rows * ~mask[inside][:, CHANNELS].any(0)
