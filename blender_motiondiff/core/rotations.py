"""Batched rotation arithmetic on NumPy arrays.

Quaternions are `[..., 4]`, order w, x, y, z, unit length; matrices `[..., 3, 3]` act on column vectors; angles are
radians. "6D" is the first two columns of a matrix, one after the other (Zhou et al. 2019, On the Continuity of
Rotation Representations in Neural Networks, section 4).
"""

import numpy as np

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
SHORTEST = 1e-12  # what is shorter is not brought to unit length
_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])


def multiply(a, b):
    """Hamilton product a*b: the rotation b followed by a. `[..., 4]`, broadcasting.

    A quaternion is two complex numbers, (w + xi) + (y + zi)j, and jz = z'j for any of them and its conjugate z': four
    products of complex numbers take half the time of sixteen of real ones.
    """
    (a, a_j), (b, b_j) = _halves(a), _halves(b)
    first, second = np.asarray(a * b), np.asarray(a * b_j)
    first -= a_j * np.conj(b_j)
    second += a_j * np.conj(b)
    out = np.empty((*first.shape, 2), complex)
    out[..., 0], out[..., 1] = first, second
    return out.view(float)


def _halves(q):
    """Quaternions `[..., 4]` as two complex numbers, `[...]` each: copies whose numbers are contiguous.

    Products of those that are not may differ in their last bit from one run to the next.
    """
    halves = np.ascontiguousarray(q, float).view(complex)
    return halves[..., 0].copy(), halves[..., 1].copy()


def cross(a, b):
    """Cross product along the last axis, `[..., 3]`, broadcasting (numpy's own spends its time on checks)."""
    ax, ay, az = a[..., 0], a[..., 1], a[..., 2]
    bx, by, bz = b[..., 0], b[..., 1], b[..., 2]
    x = ay * bz
    x -= az * by
    out = np.empty((*x.shape, 3), x.dtype)
    out[..., 0] = x
    np.subtract(az * bx, ax * bz, out=out[..., 1])
    np.subtract(ax * by, ay * bx, out=out[..., 2])
    return out


def dot(a, b):
    """Inner products of vectors or quaternions along the last axis, broadcasting: `[...]`.

    Component by component: a sum over an axis as short as that takes many times as long.
    """
    out = a[..., 0] * b[..., 0]
    for k in range(1, max(a.shape[-1], b.shape[-1])):
        out += a[..., k] * b[..., k]
    return out


def length(v):
    """Lengths of vectors or quaternions along the last axis, `[...]`."""
    return np.sqrt(dot(v, v))


def conjugate(q):
    """Inverse of unit quaternions. `[..., 4]`."""
    return np.asarray(q) * _CONJUGATE


def normalize(v, floor=SHORTEST):
    """Vectors or quaternions at unit length along the last axis."""
    v = np.asarray(v, float)
    return v / np.maximum(length(v), floor)[..., None]


def rotate(q, v):
    """Vectors `[..., 3]` turned by unit quaternions `[..., 4]`, broadcasting.

    q v q' with the vector as the quaternion ix + (y + zi)j, as in `multiply`.
    """
    (a, b), v = _halves(q), np.asarray(v, float)
    x, rest = 1j * v[..., 0], np.empty(v.shape[:-1], complex)
    rest.real, rest.imag = v[..., 1], v[..., 2]
    first, second = np.asarray(a * x), np.asarray(a * rest)
    first -= b * np.conj(rest)
    second -= b * x
    out = np.empty((*first.shape, 3))
    out[..., 0] = (first * np.conj(a) + second * np.conj(b)).imag
    second *= a
    second -= first * b
    out[..., 1], out[..., 2] = second.real, second.imag
    return out


def to_matrix(q):
    """Quaternions `[..., 4]` -> matrices `[..., 3, 3]`."""
    q = normalize(q)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    out = np.empty((*w.shape, 3, 3))
    out[..., 0, 0], out[..., 1, 1] = 1 - 2 * (y * y + z * z), 1 - 2 * (x * x + z * z)
    out[..., 2, 2] = 1 - 2 * (x * x + y * y)
    for i, j, even, odd in ((1, 0, x * y, w * z), (0, 2, x * z, w * y), (2, 1, y * z, w * x)):
        out[..., i, j], out[..., j, i] = 2 * (even + odd), 2 * (even - odd)
    return out


def from_matrix(m):
    """Matrices `[..., 3, 3]` -> quaternions `[..., 4]`, w >= 0 (largest-component method, Shepperd 1978)."""
    m = np.asarray(m, float)
    return _from_entries([[m[..., i, k] for k in range(3)] for i in range(3)])


def _from_entries(m):
    """Quaternions `[..., 4]` of matrices as nested lists of their nine entries, each `[...]`."""
    shape = m[0][0].shape
    m = [[np.ascontiguousarray(entry) for entry in row] for row in m]  # which gives a single matrix an axis
    trace = m[0][0] + m[1][1] + m[2][2]
    twist = m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]
    out = np.empty((*trace.shape, 4))
    out[..., 0] = 1 + trace
    out[..., 1], out[..., 2], out[..., 3] = twist
    # Most turns are less than a third of a circle, and their largest component is w.
    others = np.nonzero(trace < np.maximum(np.maximum(m[0][0], m[1][1]), m[2][2]))
    if len(others[0]):
        out[others] = _from_turned_far([[e[others] for e in row] for row in m], [t[others] for t in twist])
    scale = 1.0 / np.maximum(length(out), SHORTEST)
    return (out * np.where(out[..., 0] < 0, -scale, scale)[..., None]).reshape(*shape, 4)


def _from_turned_far(m, twist):
    """Quaternions `[N, 4]`, of any length and sign, of matrices whose largest component is x, y or z."""
    trace = m[0][0] + m[1][1] + m[2][2]
    largest = np.where(m[1][1] > m[0][0], np.where(m[2][2] > m[1][1], 2, 1), np.where(m[2][2] > m[0][0], 2, 0))
    out = np.empty((len(trace), 4))
    for i in range(3):
        at = np.flatnonzero(largest == i)
        out[at, 0] = twist[i][at]
        for k in range(3):
            out[at, 1 + k] = (m[i][k] + m[k][i] if k != i else 1 + 2 * m[i][i] - trace)[at]
    return out


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
    q = normalize(q)
    w, x, y, z = q[..., 0], q[..., 1], q[..., 2], q[..., 3]
    out = np.empty((*w.shape, 6))
    out[..., 0], out[..., 1], out[..., 2] = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    out[..., 3], out[..., 4], out[..., 5] = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
    return out


def from_6d(x):
    """`[..., 6]`, not necessarily orthonormal, -> quaternions by Gram-Schmidt."""
    x = np.asarray(x, float)
    a, b = (np.stack([x[..., k] for k in part]) for part in (range(3), range(3, 6)))
    a /= np.maximum(np.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]), SHORTEST)
    b -= (a[0] * b[0] + a[1] * b[1] + a[2] * b[2]) * a
    b /= np.maximum(np.sqrt(b[0] * b[0] + b[1] * b[1] + b[2] * b[2]), SHORTEST)
    c = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
    return _from_entries(list(zip(a, b, c, strict=True)))


def shortest_arc(a, b):
    """The smallest rotations that take directions `a` to directions `b`. `[..., 3]` -> `[..., 4]`.

    Opposite directions turn half a circle about an axis square to them.
    """
    unit = 1.0 / np.maximum(np.sqrt(dot(a, a) * dot(b, b)), SHORTEST**2)
    along = 1.0 + dot(a, b) * unit
    q = np.empty((*along.shape, 4))
    q[..., 0], q[..., 1:] = along, cross(a, b) * np.asarray(unit)[..., None]
    opposite = along < 1e-8
    if opposite.any():
        a = normalize(np.broadcast_to(a, (*along.shape, 3))[opposite])
        spare = np.where(np.abs(a[..., :1]) < 0.9, np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
        q[opposite, 0], q[opposite, 1:] = 0.0, cross(a, spare)
    return normalize(q)


def align_signs(q):
    """Quaternions along axis 0 with signs chosen so that neighbours in time are on the same side."""
    q = np.array(q, float)
    flips = np.where(dot(q[1:], q[:-1]) < 0, -1.0, 1.0)
    q[1:] *= np.cumprod(flips, axis=0)[..., None]
    return q


def unwrap(angle):
    """Angles `[..., T]`, radians, without turns of more than half a circle from one to the next.

    (NumPy's own takes five times as long for a clip.)
    """
    out = np.array(angle, float)
    turns = np.rint((out[..., 1:] - out[..., :-1]) / (2 * np.pi))
    out[..., 1:] -= 2 * np.pi * np.cumsum(turns, axis=-1)
    return out


def slerp(a, b, t):
    """Constant-speed interpolation along the shorter arc. `t` broadcasts against `[...]`."""
    t = np.asarray(t, float)[..., None]
    return multiply(a, from_rotvec(t * to_rotvec(multiply(conjugate(a), b))))


def angle_between(a, b):
    """Angle of the rotation between quaternions, radians `[...]`."""
    return length(to_rotvec(multiply(conjugate(a), b)))


def heading(q):
    """Yaw of the body's forward direction (-Y at rest) about +Z, radians; 0 faces -Y."""
    forward = rotate(q, np.array([0.0, -1.0, 0.0]))
    return np.arctan2(forward[..., 0], -forward[..., 1])
