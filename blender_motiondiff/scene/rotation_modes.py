"""Quaternions over time -> the channels of a bone's rotation mode, without jumps between neighbouring frames."""

import numpy as np

from ..core import rotations as rot

DATA_PATHS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
EULER_PATH = "rotation_euler"
GIMBAL = 1e-6  # cosine of the middle angle below which only the sum or difference of the outer ones is known


def data_path(mode):
    """Name of the property that holds the rotation in this mode."""
    return DATA_PATHS.get(mode, EULER_PATH)


def channels(mode, q):
    """Values `[T, 4]` or `[T, 3]` of the mode's property for rotations `q [T, 4]`."""
    q = rot.align_signs(q)
    q = q if q[0, 0] >= 0 else -q
    if mode == "QUATERNION":
        return q
    if mode == "AXIS_ANGLE":
        return _axis_angle(q)
    return euler(q, mode)


def _axis_angle(q):
    """`[T, 4]`: angle, then axis, both continuous where the rotation is."""
    q = np.array(q)
    sine = np.linalg.norm(q[:, 1:], axis=1)
    axes = np.where(sine[:, None] > 1e-9, q[:, 1:] / np.maximum(sine, 1e-9)[:, None], 0.0)
    angles = 2.0 * np.arctan2(sine, q[:, 0])
    turning = np.flatnonzero(sine > 1e-9)
    last = axes[turning[0]] if len(turning) else np.array([0.0, 1.0, 0.0])
    for t in range(len(q)):
        if sine[t] <= 1e-9:
            axes[t] = last
        elif axes[t] @ last < 0:
            axes[t], angles[t] = -axes[t], -angles[t]
        last = axes[t]
    return np.concatenate([np.unwrap(angles)[:, None], axes], 1)


def euler(q, order):
    """Angles `[T, 3]` about x, y, z (in this sequence), for the order in which they are applied, such as "XYZ".

    Of the two triples that give a rotation, each frame takes the one nearer to the frame before; the first frame the
    smaller one.
    """
    i, j, k = ("XYZ".index(letter) for letter in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = rot.to_matrix(q)
    cosine = np.hypot(m[:, i, i], m[:, j, i])
    first = np.empty((len(q), 3))
    first[:, i] = np.arctan2(sign * m[:, k, j], m[:, k, k])
    first[:, j] = np.arctan2(-sign * m[:, k, i], cosine)
    first[:, k] = np.arctan2(sign * m[:, j, i], m[:, i, i])
    second = first.copy()
    second[:, i] += np.pi
    second[:, j] = np.pi - first[:, j]
    second[:, k] += np.pi
    locked = np.arctan2(-sign * m[:, j, k], m[:, j, j])  # the first angle if the last is zero, at the gimbal's lock
    out = np.empty_like(first)
    last = np.zeros(3)
    for t in range(len(q)):
        if cosine[t] < GIMBAL:
            angles = first[t].copy()
            angles[k] = last[k]
            angles[i] = locked[t] + sign * np.sign(first[t, j]) * last[k]
            last = _near(angles, last)
        else:
            a, b = _near(first[t], last), _near(second[t], last)
            last = a if np.abs(a - last).sum() <= np.abs(b - last).sum() else b
        out[t] = last
    return out


def _near(angles, last):
    """The angles, whole turns added so that each is within half a turn of `last`."""
    return angles - 2.0 * np.pi * np.round((angles - last) / (2.0 * np.pi))
