"""Batched rotation arithmetic on NumPy arrays.

Quaternions are `[..., 4]`, order w, x, y, z, unit length; matrices `[..., 3, 3]` act on column vectors; angles are
radians. "6D" is the first two columns of a matrix, one after the other (Zhou et al. 2019, On the Continuity of
Rotation Representations in Neural Networks, section 4).
"""

import numpy as np

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])


def multiply(a, b):
    """Hamilton product a*b: the rotation b followed by a. `[..., 4]`, broadcasting."""
    a, b = np.asarray(a), np.asarray(b)
    parts = product([a[..., k] for k in range(4)], [b[..., k] for k in range(4)])
    out = np.empty((*parts[0].shape, 4), parts[0].dtype)
    for k in range(4):
        out[..., k] = parts[k]
    return out


def product(a, b):
    """The same of quaternions as four arrays w, x, y, z each."""
    (aw, ax, ay, az), (bw, bx, by, bz) = a, b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def cross(a, b):
    """Cross product along the last axis, `[..., 3]`, broadcasting (numpy's own spends its time on checks)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz - az * by
    out = np.empty((*x.shape, 3), x.dtype)
    out[..., 0], out[..., 1], out[..., 2] = x, az * bx - ax * bz, ax * by - ay * bx
    return out


def conjugate(q):
    """Inverse of unit quaternions. `[..., 4]`."""
    return np.asarray(q) * np.array([1.0, -1.0, -1.0, -1.0])


def normalize(v, floor=1e-12):
    """Vectors or quaternions at unit length along the last axis."""
    v = np.asarray(v, float)
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), floor)


def rotate(q, v):
    """Vectors `[..., 3]` turned by unit quaternions `[..., 4]`, broadcasting."""
    q, v = np.asarray(q), np.asarray(v)
    axis = q[..., 1:]
    twice = 2.0 * cross(axis, v)
    out = cross(axis, twice)
    out += q[..., :1] * twice
    out += v
    return out


def to_matrix(q):
    """Quaternions `[..., 4]` -> matrices `[..., 3, 3]`."""
    q = normalize(q)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def from_matrix(m):
    """Matrices `[..., 3, 3]` -> quaternions `[..., 4]`, w >= 0 (largest-component method, Shepperd 1978)."""
    m = np.asarray(m, float)
    lead, m = m.shape[:-2], m.reshape(-1, 3, 3)
    d = np.stack([m[:, i, i] for i in range(3)], -1)
    trace = d.sum(-1)
    choice = np.concatenate([trace[:, None], d], -1).argmax(-1)
    out = np.empty((len(m), 4))
    for largest in range(4):
        at = np.flatnonzero(choice == largest)
        if not len(at):
            continue
        n, t = m[at], trace[at]
        twist = [n[:, 2, 1] - n[:, 1, 2], n[:, 0, 2] - n[:, 2, 0], n[:, 1, 0] - n[:, 0, 1]]
        if largest == 0:
            out[at] = np.stack([1 + t, *twist], -1)
            continue
        i = largest - 1
        mixed = [n[:, i, k] + n[:, k, i] if k != i else 1 + 2 * n[:, i, i] - t for k in range(3)]
        out[at] = np.stack([twist[i], *mixed], -1)
    out = normalize(out)
    return np.where(out[:, :1] < 0, -out, out).reshape(*lead, 4)


def from_rotvec(v):
    """Rotation vectors `[..., 3]` in radians -> quaternions."""
    v = np.asarray(v, float)
    half = 0.5 * np.sqrt(v[..., 0] ** 2 + v[..., 1] ** 2 + v[..., 2] ** 2)
    tiny = half < 1e-8
    out = np.empty((*half.shape, 4))
    out[..., 0] = np.cos(half)
    out[..., 1:] = v * np.where(tiny, 0.5, 0.5 * np.sin(half) / np.where(tiny, 1.0, half))[..., None]
    return out


def to_rotvec(q):
    """Unit quaternions -> the shortest rotation vectors `[..., 3]`, radians."""
    q = np.asarray(q, float)
    x, y, z = q[..., 1], q[..., 2], q[..., 3]
    sine = np.sqrt(x * x + y * y + z * z)
    tiny = sine < 1e-8
    angle = 2.0 * np.arctan2(sine, np.abs(q[..., 0]))
    scale = np.where(tiny, 2.0, angle / np.where(tiny, 1.0, sine))
    return q[..., 1:] * np.copysign(scale, q[..., 0])[..., None]


def about_z(angle):
    """Turns about the vertical axis. `[...]` radians -> `[..., 4]`."""
    half = 0.5 * np.asarray(angle, float)
    zero = np.zeros_like(half)
    return np.stack([np.cos(half), zero, zero, np.sin(half)], -1)


def to_6d(q):
    """Quaternions `[..., 4]` -> first two matrix columns `[..., 6]`."""
    m = to_matrix(q)
    return np.concatenate([m[..., :, 0], m[..., :, 1]], -1)


def from_6d(x):
    """`[..., 6]`, not necessarily orthonormal, -> quaternions by Gram-Schmidt."""
    x = np.asarray(x, float)
    first = normalize(x[..., :3])
    second = x[..., 3:] - (first * x[..., 3:]).sum(-1, keepdims=True) * first
    second = normalize(second)
    return from_matrix(np.stack([first, second, cross(first, second)], -1))


def shortest_arc(a, b):
    """The smallest rotations that take directions `a` to directions `b`. `[..., 3]` -> `[..., 4]`.

    Opposite directions turn half a circle about an axis square to them.
    """
    a, b = np.broadcast_arrays(normalize(a), normalize(b))
    q = np.concatenate([1.0 + (a * b).sum(-1, keepdims=True), cross(a, b)], -1)
    spare = np.where(np.abs(a[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    half_turn = np.concatenate([np.zeros_like(a[..., :1]), cross(a, spare)], -1)
    return normalize(np.where(q[..., :1] < 1e-8, half_turn, q))


def align_signs(q):
    """Quaternions along axis 0 with signs chosen so that neighbours in time are on the same side."""
    q = np.array(q, float)
    flips = np.where((q[1:] * q[:-1]).sum(-1, keepdims=True) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips, axis=0)
    return q


def slerp(a, b, t):
    """Constant-speed interpolation along the shorter arc. `t` broadcasts against `[...]`."""
    t = np.asarray(t, float)[..., None]
    return multiply(a, from_rotvec(t * to_rotvec(multiply(conjugate(a), b))))


def angle_between(a, b):
    """Angle of the rotation between quaternions, radians `[...]`."""
    return np.linalg.norm(to_rotvec(multiply(conjugate(a), b)), axis=-1)


def heading(q):
    """Yaw of the body's forward direction (-Y at rest) about +Z, radians; 0 faces -Y."""
    forward = rotate(q, np.array([0.0, -1.0, 0.0]))
    return np.arctan2(forward[..., 0], -forward[..., 1])
