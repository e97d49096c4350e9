"""Hands and elbows over the ground.

Somebody who lies or kneels between poses that are given rests on arms that the answer puts through the ground by up to
19 cm. The arm is turned about its shoulder as a whole, with the hand on it; a body is not raised for it, or it hovers.
"""

import numpy as np

from .. import rotations as rot
from ..reference import smooth
from ..skeleton import ARMS, INDEX
from .kinematics import swung
from .plants import ease, frames_from, largest_near

LOW = 0.03  # metres over the ground, for a leg of 0.85 m, that an elbow or a wrist keeps
NEARBY, SETTLING = 4, 0.08  # frames to either side that are raised as well, and seconds over which is averaged
FADE = 0.3  # seconds beside what must stay
FLAT = 1e-3  # metres along the ground from the shoulder: less says nothing of where an arm points


def hands_up(motion, places, world, bound):
    """The motion with its arms over the ground at 0; `places [T, 22, 3]` and `world [T, 22, 4]` turns go along.

    `bound [T, 2]` bool: frames in which the left and the right arm must stay as they are.
    """
    for side, arm in enumerate(ARMS):
        joints = [INDEX[name] for name in arm]
        free = ease(frames_from(bound[:, side]) / (FADE * motion.fps))
        for end in joints[:0:-1]:  # the wrist, then the elbow
            rise = _rise(places[:, end, 2], motion.body.size, motion.fps) * free
            if rise.any():
                motion = swung(motion, places, world, joints, _raising(places, joints, end, rise))
    return motion


def _rise(heights, size, fps):
    """Metres `[T]` by which a joint at `heights [T]` has to go up, smoothly; 0 where it is high enough."""
    deep = np.maximum(LOW * size - heights, 0.0)
    return smooth(largest_near(deep, NEARBY)[:, None], SETTLING, fps)[:, 0] if deep.any() else deep


def _raising(places, joints, end, rise):
    """Turns `[T, 4]` of an arm about its shoulder until the joint `end` is `rise [T]` metres higher."""
    shoulder = places[:, joints[0]]
    way = places[:, end] - shoulder
    long, along = rot.length(way), np.maximum(rot.length(way[:, :2]), FLAT)
    up = np.minimum(way[:, 2] + rise, np.maximum(way[:, 2], 0.9 * long))
    level = np.sqrt(long**2 - up**2)
    return rot.shortest_arc(way, np.concatenate([way[:, :2] * (level / along)[:, None], up[:, None]], -1))
