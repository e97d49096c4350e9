"""Motions that pass through their keys without a jolt.

What leads from key to key is made a gap at a time, so at a key itself the speed changes from one frame to the next.
The key stays; the corner is taken off beside it.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot

REACH = 10  # frames to either side over which a corner is rounded ...
SHORTEST = 4  # ... and the shortest room in which it is
NATURAL = 3  # frames from the key: what bends there is no corner


def rounded(motion, frames, bound):
    """The motion without corners at the key `frames`; all `bound [T]` (bool) ones, and these, stay as they are."""
    root, rotations, last = motion.root.copy(), motion.rotations.copy(), motion.frames - 1
    stops = np.union1d(np.flatnonzero(bound), [*frames, 0, last])
    for key in sorted({f for f in frames if 0 < f < last}):
        room = [min(REACH, d) for d in (key - stops[stops < key].max(), stops[stops > key].min() - key)]
        if min(room) < SHORTEST:
            continue
        near = slice(key - room[0], key + room[1] + 1)
        time = np.arange(-room[0], room[1] + 1)
        turns = rot.to_rotvec(rot.multiply(rot.conjugate(rotations[key]), rotations[near]))
        values = np.concatenate([root[near, None] - root[key], turns], 1)
        values = values - _corner(values, room[0]) * _beside(time, room)[:, None, None]
        root[near] = root[key] + values[:, 0]
        rotations[near] = rot.multiply(rotations[key], rot.from_rotvec(values[:, 1:]))
    return replace(motion, root=root, rotations=rotations)


def _corner(values, at):
    """Half of how much the speed of `values [T, K, 3]` changes at the frame `at`, beyond what they bend: `[K, 3]`."""
    bend = np.diff(values, n=2, axis=0)
    return 0.5 * (bend[at - 1] - 0.5 * (bend[at - 1 - NATURAL] + bend[at - 1 + NATURAL]))


def _beside(time, room):
    """What takes a corner of 1 away `[T]`: the distance in frames from the key, fading smoothly over `room`."""
    u = np.abs(time) / np.where(time < 0, *room)
    return np.abs(time) * (1 - u) ** 3 * (1 + 3 * u)
