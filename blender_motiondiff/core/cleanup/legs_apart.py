"""Feet that do not pass through each other: those that are put near each other are moved apart, aside.

Rows are feet, all left ones first: `[2 N, T, ...]`.
"""

import numpy as np

from .. import rotations as rot
from ..segments import closest
from ..skeleton import INDEX
from .plants import all_runs, ease, envelope, frames_from

# Metres, for a leg of 0.85 m, between two feet as lines from ankle to toe: recorded ones are nearer in 1 % of frames,
# and so are shins.
APART = 0.09
FAR = 0.3  # metres between the middles of feet that are not looked at
ASIDE = 0.03  # metres by which feet that cross count as beside each other, each on its own side
EDGE = 4  # frames beside a stance over which a swinging foot is moved less


def across(places):
    """Directions over the ground from right hips to left ones `[N, T, 2]`, of `places [N, T, 22, 3]`."""
    return rot.normalize((places[:, :, INDEX["left_hip"]] - places[:, :, INDEX["right_hip"]])[..., :2])


def stances_apart(foot, standing, fixed, aside, size):
    """Metres over the ground `[2 N, T, 3]` by which standing feet are moved, each stance as one, away from the other.

    `foot`: ankles and toes `[2 N, T, 3]` where they stand; `standing [2 N, T]`; no stance with `fixed [2 N, T]` frames
    is moved; `aside`: see `across`; `size [2 N]`.
    """
    out, found = np.zeros(foot[0].shape), all_runs(standing)
    lacking = _lacking(foot, np.tile(standing.reshape(2, *aside.shape[:2]).all(0), (2, 1)), aside, size)
    if not lacking.any():
        return out
    free = np.zeros(standing.shape, bool)
    free[found.at] = found.each(~np.logical_or.reduceat(fixed[found.at], found.first))
    other = np.roll(free, len(aside), axis=0)
    lacking *= np.where(free, np.where(other, 0.5, 1.0), 0.0)[..., None]
    far = rot.length(lacking)
    for row, start, end in zip(found.row, found.start, found.end, strict=True):
        out[row, start:end, :2] = lacking[row, start + far[row, start:end].argmax()]
    return out


def swings_apart(leg, standing, aside, size):
    """Metres over the ground `[2 N, T, 3]` by which swinging feet are led around the other leg.

    `leg`: knees, ankles and toes `[2 N, T, 3]`; the rest as in `stances_apart`.
    """
    out, swings = np.zeros(leg[1].shape), ~standing
    lacking = _lacking(leg, swings | np.roll(swings, len(aside), axis=0), aside, size) * swings[..., None]
    if not lacking.any():
        return out
    lacking *= np.where(np.roll(swings, len(aside), axis=0), 0.5, 1.0)[..., None]
    fade, far = ease(frames_from(standing) / EDGE), rot.length(lacking)
    found = all_runs(swings)
    for row, start, end in zip(found.row, found.start, found.end, strict=True):
        if far[row, start:end].any():
            way = rot.normalize(lacking[row, start:end].sum(0))
            out[row, start:end, :2] = way * (envelope(far[row, start:end], EDGE) * fade[row, start:end])[:, None]
    return out


def _lacking(leg, looked_at, aside, size):
    """Metres over the ground `[2 N, T, 2]` that each leg is too near the other, the way out; where `looked_at`.

    `leg`: joints `[2 N, T, 3]` down to the toes.
    """
    count, out = len(aside), np.zeros((*leg[-1].shape[:2], 2))
    middle = leg[-2][..., :2] + leg[-1][..., :2]
    apart = rot.length(middle[:count] - middle[count:])
    row, frame = np.nonzero(looked_at[:count] & (apart < 2 * FAR * size[:count, None]))
    if not len(row):
        return out
    most = np.zeros((len(row), 2))
    for upper, lower in zip(leg, leg[1:]):
        left, right = (np.stack([upper[k, frame].T, lower[k, frame].T]) for k in (row, row + count))
        way = closest(left, right)[2].T
        lack = np.maximum(APART * size[row] - rot.length(way), 0.0)
        way = rot.normalize(way[:, :2] + ASIDE * aside[row, frame]) * lack[:, None]
        most = np.where((rot.length(way) > rot.length(most))[:, None], way, most)
    out[row, frame], out[row + count, frame] = most, -most
    return out
