"""Motion <-> the numbers the network works on, after InterGen (Liang et al. 2024, section 3.2).

A frame of one person is 268 numbers: 22 x 3 joint positions and 22 x 3 velocities in one world frame shared by both
persons, 22 x 6 rotations (the root's against the world; InterGen leaves it out) and 4 contacts. The shared frame is
the first person's at its first frame: the pelvis on the vertical axis, facing -Y. Metres, metres a second.
"""

import numpy as np

from . import rotations as rot
from .motion import FPS, Motion, forward_kinematics
from .skeleton import COUNT

POSITIONS = slice(0, 3 * COUNT)
VELOCITIES = slice(3 * COUNT, 6 * COUNT)
ROTATIONS = slice(6 * COUNT, 12 * COUNT)
CONTACTS = slice(12 * COUNT, 12 * COUNT + 4)
SIZE = 12 * COUNT + 4  # 268


def velocities(positions, fps=FPS):
    """Forward differences along the frames, the last repeated: `[..., T, 22, 3]` -> the same shape, metres a second."""
    if positions.shape[-3] < 2:
        return np.zeros_like(positions)
    steps = np.diff(positions, axis=-3) * fps
    return np.concatenate([steps, steps[..., -1:, :, :]], -3)


def encode(root, rotations, offsets, contacts, fps=FPS):
    """Features `[..., T, 268]`.

    `root [..., T, 3]`, `rotations [..., T, 22, 4]` local, `offsets` broadcastable to `[..., T, 22, 3]`,
    `contacts [..., T, 4]`.
    """
    places, _ = forward_kinematics(root, rotations, offsets)
    lead = places.shape[:-2]
    parts = (places, velocities(places, fps), rot.to_6d(rotations), contacts)
    return np.concatenate([np.asarray(p, float).reshape(*lead, -1) for p in parts], -1)


def decode(features, body, fps=FPS):
    """Features `[T, 268]` of one person -> (Motion, contacts `[T, 4]`): the root's place and the rotations count."""
    lead = features.shape[:-1]
    rotations = rot.from_6d(features[..., ROTATIONS].reshape(*lead, COUNT, 6))
    return Motion(features[..., :3].copy(), rotations, body, fps), features[..., CONTACTS]


def first_frame(motion):
    """Place `[2]` and heading (radians) of a motion's first frame: what the shared frame is laid on."""
    return motion.root[0, :2], float(rot.heading(motion.rotations[0, 0]))
