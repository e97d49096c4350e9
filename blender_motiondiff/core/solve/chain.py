"""Forward kinematics and the joints' derivatives, for many poses at once.

The same as motion.forward_kinematics, a generation of joints at a time: a solve asks for it at every step.
"""

import numpy as np

from .. import rotations as rot
from ..skeleton import COUNT, PARENTS
from .stiffness import COLUMNS, ROOT, cross, turn

# ANCESTORS[j, k]: whether turning k moves j's place; HOLDERS also has j itself, whose turn it changes.
HOLDERS = np.zeros((COUNT, COUNT), bool)
for _joint in range(COUNT):
    _at = _joint
    while _at >= 0:
        HOLDERS[_joint, _at] = True
        _at = PARENTS[_at]
ANCESTORS = HOLDERS & ~np.eye(COUNT, dtype=bool)
_DEPTH = ANCESTORS.sum(1)
GENERATIONS = [np.flatnonzero(_DEPTH == depth) for depth in range(1, _DEPTH.max() + 1)]


def kinematics(root, local, offsets):
    """Places `[..., 22, 3]` and world turns `[..., 22, 4]` from `root [..., 3]`, `local [..., 22, 4]`.

    `offsets` broadcasts to `[..., 22, 3]`, metres.
    """
    world, places = np.empty_like(local), np.empty((*local.shape[:-1], 3))
    world[..., 0, :], places[..., 0, :] = local[..., 0, :], root
    for joints in GENERATIONS:
        above = world[..., PARENTS[joints], :]
        world[..., joints, :] = rot.multiply(above, local[..., joints, :])
        places[..., joints, :] = places[..., PARENTS[joints], :] + turn(above, offsets[..., joints, :])
    return places, world


def derivatives(joint, normal, turning, places):
    """How residuals change by every joint's turn in the world and the root's shift: `[N, R, 23, 3]`.

    `joint [N, R]`, `normal [N, R, 3]`, `turning [N, R]` as in Rows; `places [N, 1 or R, 22, 3]` of each row's person.
    """
    out = np.empty((*joint.shape, COLUMNS, 3))
    at = np.take_along_axis(places, joint[..., None, None], 2) if places.shape[1] > 1 else _picked(places, joint)
    moved = cross(at - places, normal[..., None, :]) * ANCESTORS[joint][..., None]
    if turning.any():
        turned = normal[..., None, :] * HOLDERS[joint][..., None]
        moved = np.where(turning[..., None, None], turned, moved)
    out[..., :ROOT, :] = moved
    out[..., ROOT, :] = np.where(turning[..., None], 0.0, normal)
    return out


def _picked(places, joint):
    return places[np.arange(len(joint))[:, None], 0, joint][:, :, None]
