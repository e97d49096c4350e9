"""Motions that pass through their keys without a jolt.

What leads from key to key is made a gap at a time, so at a key itself the speed changes from one frame to the next, as
it does where a part of a motion that is kept begins or ends. The key stays; the corner is taken off beside it.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from .plants import runs

REACH = 10  # frames to either side over which a corner is rounded ...
SHORTEST = 4  # ... and the shortest room in which it is
NATURAL = 3  # frames from the key: what bends there is no corner


def rounded(motion, frames, bound):
    """The motion without corners at the key `frames` and where what is kept begins and ends.

    Keys and all `bound [T]` (bool) frames, which are kept, stay as they are.
    """
    root, rotations, last = motion.root.copy(), motion.rotations.copy(), motion.frames - 1
    stops = np.union1d(np.flatnonzero(bound), [*frames, 0, last])
    for key, shares in _places(frames, bound):
        ends = (stops[stops < key].max() if shares[0] else 0), (stops[stops > key].min() if shares[1] else last)
        room = [min(REACH, abs(key - end)) for end in ends]
        if min(room) < SHORTEST:
            continue
        near = slice(key - room[0], key + room[1] + 1)
        time = np.arange(-room[0], room[1] + 1)
        turns = rot.to_rotvec(rot.multiply(rot.conjugate(rotations[key]), rotations[near]))
        values = np.concatenate([root[near, None] - root[key], turns], 1)
        moved = np.where(time < 0, *shares) * _beside(time, room)
        values = values - _corner(values, room[0]) * moved[:, None, None]
        changed = np.arange(near.start, near.stop)[moved > 0]
        root[changed] = root[key] + values[moved > 0, 0]
        rotations[changed] = rot.multiply(rotations[key], rot.from_rotvec(values[moved > 0, 1:]))
    return replace(motion, root=root, rotations=rotations)


def _places(frames, bound):
    """Where corners are: a frame each, and which share of it the frames before and after have to take off."""
    last = len(bound) - 1
    found = {f: (1.0, 1.0) for f in frames if 0 < f < last and not bound[f]}
    for start, end in runs(bound):
        if start > 0:
            found[start] = (2.0, 0.0)
        if end <= last:
            found[end - 1] = (0.0, 2.0)
    return sorted(found.items())


def _corner(values, at):
    """Half of how much the speed of `values [T, K, 3]` changes at the frame `at`, beyond what they bend: `[K, 3]`."""
    bend = np.diff(values, n=2, axis=0)
    return 0.5 * (bend[at - 1] - 0.5 * (bend[at - 1 - NATURAL] + bend[at - 1 + NATURAL]))


def _beside(time, room):
    """What takes a corner of 1 away `[T]`: the distance in frames from the key, fading smoothly over `room`."""
    u = np.abs(time) / np.where(time < 0, *room)
    return np.abs(time) * (1 - u) ** 3 * (1 + 3 * u)
