"""What rotations.py and motion.py do, for the inner loop of a solve: plain arithmetic on small arrays, nothing checked.

A solve turns a few thousand joints a step, some dozens of times; there the general functions' own work (stacking,
normalising, numpy's cross product) costs several times the arithmetic.
"""

import numpy as np

from ..skeleton import COUNT, PARENTS

_DEPTH = np.zeros(COUNT, int)
for _joint in range(1, COUNT):
    _DEPTH[_joint] = _DEPTH[PARENTS[_joint]] + 1
GENERATIONS = [np.flatnonzero(depth == _DEPTH) for depth in np.unique(_DEPTH)[1:]]


def cross(a, b):
    """Cross product along the last axis `[..., 3]`, broadcasting."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    out = np.empty((*x.shape, 3))
    out[..., 0], out[..., 1], out[..., 2] = x, az * bx - ax * bz, ax * by - ay * bx
    return out


def turn(q, v):
    """Vectors `[..., 3]` turned by unit quaternions `[..., 4]`, broadcasting."""
    axis = q[..., 1:]
    twice = cross(axis, v)
    twice += twice
    out = cross(axis, twice)
    out += q[..., :1] * twice
    out += v
    return out


def turn_back(q, v):
    """Vectors `[..., 3]` turned by the inverse of unit quaternions `[..., 4]`, broadcasting."""
    axis = q[..., 1:]
    twice = cross(axis, v)
    twice += twice
    out = cross(axis, twice)
    out -= q[..., :1] * twice
    out += v
    return out


def product(a, b):
    """Hamilton product a*b of quaternions `[..., 4]`, broadcasting."""
    w, x, y, z = _product([a[..., i] for i in range(4)], [b[..., i] for i in range(4)])
    out = np.empty((*w.shape, 4))
    out[..., 0], out[..., 1], out[..., 2], out[..., 3] = w, x, y, z
    return out


def from_rotvec(v):
    """Rotation vectors `[..., 3]`, radians -> quaternions."""
    half = 0.5 * np.sqrt(v[..., 0] ** 2 + v[..., 1] ** 2 + v[..., 2] ** 2)
    out = np.empty((*half.shape, 4))
    out[..., 0] = np.cos(half)
    out[..., 1:] = v * (0.5 * np.sin(half) / np.maximum(half, 1e-12) + 0.5 * (half <= 1e-12))[..., None]
    return out


def to_rotvec(q):
    """Unit quaternions -> the shortest rotation vectors `[..., 3]`, radians."""
    x, y, z = q[..., 1], q[..., 2], q[..., 3]
    sine = np.sqrt(x * x + y * y + z * z)
    angle = 2.0 * np.arctan2(sine, np.abs(q[..., 0]))
    scale = np.copysign(np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0), q[..., 0])
    return q[..., 1:] * scale[..., None]


def kinematics(root, local, offsets):
    """Places `[B, 22, 3]` and world turns `[B, 22, 4]` from `root [B, 3]`, `local [B, 22, 4]`, `offsets [B, 22, 3]`.

    As motion.forward_kinematics, a generation of joints at a time, with poses along the last axis.
    """
    own, steps = np.ascontiguousarray(local.transpose(2, 1, 0)), np.ascontiguousarray(offsets.transpose(2, 1, 0))
    world = np.empty_like(own)
    world[:, 0] = own[:, 0]
    for joints in GENERATIONS:
        world[:, joints] = _product(world[:, PARENTS[joints]], own[:, joints])
    (w, x, y, z), (a, b, c) = world[:, PARENTS[1:]], steps[:, 1:]
    i, j, k = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    places = np.empty((3, *own.shape[1:]))
    places[:, 0] = root.T
    places[0, 1:], places[1, 1:] = a + w * i + y * k - z * j, b + w * j + z * i - x * k
    places[2, 1:] = c + w * k + x * j - y * i
    for joints in GENERATIONS:
        places[:, joints] += places[:, PARENTS[joints]]
    return places.transpose(2, 1, 0), world.transpose(2, 1, 0)


def _product(a, b):
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )
