"""Elbows that a solve swung round in a frame or two, put back between where they are before and after.

Every frame is solved by itself. Where a hand is held its elbow may turn about the line from shoulder to hand, and on a
single frame come to lie on another side of it than on those beside: hand and shoulder are where they should be, and the
elbow jumps.
"""

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import runs
from ..constraints.apart import ARMS
from ..motion import FPS
from .work import change_of, pose

JOLT = 150.0  # metres a second squared: recorded elbows have 135 at most
BESIDE = 2  # frames to either side of a jump that are led over as well
LONGEST = 12  # frames: what is longer is no jump


def steadied(work, frames):
    """The bodies `[N]` of which an arm was turned about the line from shoulder to hand; hands stay as they are.

    `work`: see work.Work, of persons of `frames` frames each; changed in place.
    """
    changed = []
    for person in range(len(work.root) // frames):
        own = slice(person * frames, (person + 1) * frames)
        for arm in ARMS:
            turn = _turn_back(work.places[own], work.free[own], arm)
            at = own.start + np.flatnonzero(turn)
            if len(at):
                _swivel(work, at, arm, turn[turn != 0])
                changed.append(at)
    if not changed:
        return np.zeros(0, int)
    return np.unique(np.concatenate(changed))


def _turn_back(places, free, arm):
    """Radians `[T]` by which an arm turns about the line from shoulder to hand, 0 where it stays."""
    out = np.zeros(len(places))
    if len(places) < 3:
        return out
    if not (_jolts(places[:, arm[1]]) > JOLT).any():
        return out
    jolts = _jolts(places[:, arm])
    jumps = np.pad((jolts[:, 1] > JOLT) & (jolts[:, 1] > 2 * np.maximum(jolts[:, 0], jolts[:, 2])), 1)
    if not jumps.any():
        return out
    shoulder, elbow, hand = (places[:, joint] for joint in arm)
    axis = rot.normalize(hand - shoulder)
    side = elbow - shoulder
    side = rot.normalize(side - rot.dot(side, axis)[:, None] * axis)
    fixed = (free[:, [arm[0], arm[2]]] == 0).any(1)
    for first, last in runs(np.convolve(jumps, np.ones(2 * BESIDE + 1), "same") > 0):
        before, after = first - 1, last
        if before < 0 or after >= len(places) or last - first > LONGEST or fixed[first:last].any():
            continue
        share = np.linspace(0.0, 1.0, last - first + 2)[1:-1, None]
        wanted = (1 - share) * side[before] + share * side[after]
        here = axis[first:last]
        wanted = rot.normalize(wanted - rot.dot(wanted, here)[:, None] * here)
        across = rot.dot(rot.cross(side[first:last], wanted), here)
        out[first:last] = np.arctan2(across, rot.dot(side[first:last], wanted))
    return out


def _jolts(places):
    """Accelerations `[T - 2, ...]` of places `[T, ..., 3]`, m/s2."""
    return rot.length(np.diff(places, n=2, axis=0)) * FPS**2


def _swivel(work, at, arm, turn):
    """Turns arms of bodies `at` by `turn [N]` radians about the line from shoulder to hand; hands keep their turn."""
    shoulder, _, hand = arm
    axis = rot.normalize(work.places[at, hand] - work.places[at, shoulder])
    about = rot.from_rotvec(turn[:, None] * axis)
    upper = work.turns[at, shoulder]
    in_upper = rot.multiply(rot.conjugate(upper), rot.multiply(about, upper))
    lower = work.turns[at, arm[1]]
    in_hand = rot.multiply(rot.conjugate(rot.multiply(about, lower)), lower)
    work.local[at, shoulder] = rot.multiply(work.local[at, shoulder], in_upper)
    work.local[at, hand] = rot.multiply(in_hand, work.local[at, hand])
    pose(work, at)
    ends = np.array([shoulder, hand])
    work.change[at[:, None], ends] = change_of(work, at, work.local[at], ends)
