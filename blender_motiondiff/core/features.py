"""Motion <-> the numbers the network works on, after InterGen (Liang et al. 2024, section 3.2).

A frame of one person is 268 numbers: 22 x 3 joint positions and 22 x 3 velocities in one world frame shared by both
persons, 22 x 6 rotations (the root's against the world; InterGen leaves it out) and 4 contacts. The shared frame is
the first person's at its first frame: the pelvis on the vertical axis, facing -Y. Metres, metres a second.
"""

import numpy as np

from . import rotations as rot
from .motion import FPS, Motion, forward_kinematics
from .skeleton import COUNT, FEET

POSITIONS = slice(0, 3 * COUNT)
VELOCITIES = slice(3 * COUNT, 6 * COUNT)
ROTATIONS = slice(6 * COUNT, 12 * COUNT)
CONTACTS = slice(12 * COUNT, 12 * COUNT + 4)
SIZE = 12 * COUNT + 4  # 268
HEADED = 0.15  # size of what a pelvis' columns say of its heading, 1 for a sure one: below this it is led over
LEVEL = 0.2  # how far a pelvis' columns point up or down, of 1, where nothing but its heading is in doubt
SURE = 0.5  # area that a rotation's two columns span, 1 for a sure one: below this it is led over


def of_joints(joints):
    """Which features `[268]` (bool) tell of some joints, by number; contacts are told of the feet."""
    own = np.isin(np.arange(COUNT), joints)
    return np.concatenate([np.repeat(own, 3), np.repeat(own, 3), np.repeat(own, 6), own[list(FEET)]])


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
    """Features `[T, 268]` of one person -> (Motion, contacts `[T, 4]`): the root's place and the rotations count.

    Where the network hesitates between two turns its six numbers shrink towards nothing, and what they say is chance;
    those frames are led over from the sure ones around them. An upright pelvis stays upright where it is in doubt which
    way to face.
    """
    columns = features[..., ROTATIONS].reshape(*features.shape[:-1], COUNT, 6)
    sure = rot.length(rot.cross(columns[..., :3], columns[..., 3:])) > SURE
    level = ~sure[:, 0] & (np.hypot(columns[:, 0, 2], columns[:, 0, 5]) < LEVEL)
    if level.any():
        columns = columns.copy()
        columns[level, 0] = _upright(columns[:, 0])[level]
        sure |= level[:, None] & (np.arange(COUNT) == 0)
    rotations = _led_over(rot.from_6d(columns), sure)
    return Motion(features[..., :3].copy(), rotations, body, fps), features[..., CONTACTS]


def _upright(columns):
    """Six numbers `[T, 6]` of a pelvis that go by where it heads, and by its tilt as it stands, not blown up with it.

    The heading is that of the turn about Z nearest to both columns; where they say next to nothing it is led over.
    """
    x, y = columns[:, 0] + columns[:, 4], columns[:, 1] - columns[:, 3]
    yaw, told = np.arctan2(y, x), np.flatnonzero(0.5 * np.hypot(x, y) > HEADED)
    if len(told):
        yaw = np.interp(np.arange(len(yaw)), told, rot.unwrap(yaw[told]))
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([cos, sin, columns[:, 2], -sin, cos, columns[:, 5]], -1)


def _led_over(rotations, sure):
    """Rotations `[T, J, 4]` with unsure ones `[T, J]` interpolated between the nearest sure ones in time."""
    joints = np.flatnonzero(~sure.all(0) & sure.any(0))
    if not len(joints):
        return rotations
    time = np.arange(len(sure))[:, None]
    before = np.maximum.accumulate(np.where(sure[:, joints], time, -1), 0)
    after = np.minimum.accumulate(np.where(sure[:, joints], time, len(sure))[::-1], 0)[::-1]
    first, last = np.where(before < 0, after, before), np.where(after == len(sure), before, after)
    share = np.where(last > first, (time - first) / np.maximum(last - first, 1), 0.0)
    out = rotations.copy()
    out[:, joints] = rot.slerp(rotations[first, joints], rotations[last, joints], share)
    return out
