"""Arms beside their own body, not in it.

An arm that the answer puts through trunk or thighs is turned about its shoulder as a whole, with the hand on it.
"""

import itertools

import numpy as np

from .. import rotations as rot
from ..reference import smooth
from ..skeleton import ARMS, INDEX
from .kinematics import swung
from .low_hands import FADE, NEARBY, SETTLING
from .plants import ease, frames_from, largest_near

_AXES = np.array(
    [
        [INDEX[a], INDEX[b]]
        for a, b in (("pelvis", "spine3"), ("spine3", "neck"), ("left_hip", "left_knee"), ("right_hip", "right_knee"))
    ]
)
# Metres, for a leg of 0.85 m, from the middle of a forearm and from a wrist to trunk (twice) and thighs, as lines: less
# is found in under 0.5 % of recorded frames.
ROOM = {0.5: np.array([0.10, 0.10, 0.07, 0.07]), 1.0: np.array([0.13, 0.13, 0.10, 0.10])}
# Metres that a point lacks in the first and in the second round: a turn about the shoulder takes what is deep inside
# no farther than part of its way.
DEEP = (0.0, 0.01)
_ARMS = np.array([[INDEX[name] for name in arm] for arm in ARMS])  # [2 arms, shoulder elbow wrist]
OUTWARDS = 0.05  # metres by which an arm counts as on its own side, where it is right inside


def arms_out(motion, places, world, bound):
    """The motion with its arms out of trunk and thighs; `places [T, 22, 3]` and `world [T, 22, 4]` turns go along.

    `bound [T, 2]` bool: frames in which the left and the right arm must stay as they are.
    """
    outwards = rot.normalize(places[:, INDEX["left_hip"]] - places[:, INDEX["right_hip"]]) * OUTWARDS
    for side in np.flatnonzero(_inside(places, motion.body.size)):
        joints = _ARMS[side]
        for deep, (share, room) in itertools.product(DEEP, ROOM.items()):
            point = (1 - share) * places[:, joints[1]] + share * places[:, joints[2]]
            push = way_out(point, places, room * motion.body.size, outwards * (1 - 2 * side))
            if rot.length(push).max() > deep * motion.body.size:
                free = ease(frames_from(bound[:, side]) / (FADE * motion.fps))
                push = _settled(push, motion.fps) * free[:, None]
                at = np.flatnonzero(push.any(1))
                way = point[at] - places[at, joints[0]]
                motion = swung(motion, places, world, joints, rot.shortest_arc(way, way + push[at]), at)
    return motion


def _inside(places, size):
    """Whether the left and the right arm lack room, bool `[2]`: as `way_out`, quicker, on every other frame."""
    places = places[::2]
    elbow, wrist = (places[:, _ARMS[:, k]] for k in (1, 2))
    points = np.stack([(1 - share) * elbow + share * wrist for share in ROOM], 2)  # [T, 2 arms, 2 points, 3]
    first, last = places[:, _AXES[:, 0]], places[:, _AXES[:, 1]]
    length, on, apart = 0.0, 0.0, 0.0
    for k in range(3):  # coordinate by coordinate: short axes at the end of arrays are slow
        along, way = (last - first)[:, None, None, :, k], points[..., k, None] - first[:, None, None, :, k]
        length, on, apart = length + along * along, on + way * along, apart + way * way
    share = np.clip(on / np.maximum(length, 1e-12), 0.0, 1.0)
    apart += share * (share * length - 2 * on)
    return (apart < (size * np.stack(list(ROOM.values()))) ** 2).any((0, 2, 3))


def way_out(point, places, room, outwards):
    """Metres `[T, 3]` that points `[T, 3]` are short of `room [4]` to both halves of the trunk and both thighs: the way
    out of that of which they lack most. `outwards`: what counts as the way out as well, for points right inside.
    """
    first, last = places[:, _AXES[:, 0]], places[:, _AXES[:, 1]]
    along, way = last - first, point[:, None] - first
    share = np.clip(rot.dot(way, along) / np.maximum(rot.dot(along, along), 1e-12), 0.0, 1.0)
    way -= share[..., None] * along
    lack = np.maximum(room - rot.length(way), 0.0)
    if not lack.any():
        return np.zeros(point.shape)
    most, time = lack.argmax(1), np.arange(len(point))
    return rot.normalize(way[time, most] + outwards) * lack[time, most, None]


def _settled(push, fps):
    """The same without its corners: as far at least, and for some frames to either side."""
    far = smooth(largest_near(rot.length(push), NEARBY)[:, None], SETTLING, fps)
    return rot.normalize(smooth(push, SETTLING, fps)) * far
