"""The one form in which every constraint says how far a pose is from it, and how joints would have to move.

A row is one number: a residual in metres, and its derivative by the places of one or two joints, or by the turn of
one. From the same rows follow a wish's gradient (guidance), the last kinematic solve (solve.goals), and the report.
Each kind of constraint is one file here with a function `rows(item, poses, number) -> Rows`; inequalities give rows
only where they are violated, so an empty answer means met.
"""

from dataclasses import dataclass, fields

import numpy as np

from .. import rotations as rot

LEVER = 0.3  # metres: a radian of a rotation's residual counts as this much


@dataclass(frozen=True)
class Poses:
    """P persons over T frames.

    `times [T]` seconds, `places [P, T, 22, 3]` metres, `turns [P, T, 22, 4]` rotations against the world.
    `sizes [P]`: the bodies' sizes (1 at a leg of 0.85 m).
    """

    times: np.ndarray
    places: np.ndarray
    turns: np.ndarray
    sizes: np.ndarray

    def frames_between(self, start, end):
        """Frame numbers from `start` to `end` seconds (None: the end), at least the nearest one.

        None of them where all of that lies before or after these poses, which may be a window of a clip.
        """
        last = self.times[-1] if end is None else end
        first, stop = self.times.searchsorted(start - 1e-6), self.times.searchsorted(last + 1e-6, "right")
        if first < stop or start > self.times[-1] or last < self.times[0]:
            return np.arange(first, stop)
        return np.array([np.abs(self.times - start).argmin()])


@dataclass(frozen=True)
class Rows:
    """R rows. A position row moves joints: d residual = normal . d place of joint (person), and of `other` if there.

    `frame [R]`, `person [R]`, `joint [R]` ints; `other_person [R]`, `other_joint [R]`, -1 where there is none;
    `normal [R, 3]` and `other_normal [R, 3]`. `turning [R]` bool: the row is about the joint's world turn instead, with
    `normal` = d residual by a turn of the joint in the world (metres a radian, LEVER in them); `other` of such a row is
    a turn too: that of the joint's parent, where a local rotation is bound.
    `residual [R]` metres: what is to become 0. `weight [R]`: inf binds, else the strength of a wish.
    `number [R]`: which item it came from (see collect.gather).
    """

    frame: np.ndarray
    person: np.ndarray
    joint: np.ndarray
    normal: np.ndarray
    residual: np.ndarray
    weight: np.ndarray
    number: np.ndarray
    other_person: np.ndarray
    other_joint: np.ndarray
    other_normal: np.ndarray
    turning: np.ndarray

    def __len__(self):
        return len(self.frame)


_NAMES = tuple(field.name for field in fields(Rows))


def make_rows(frame, person, joint, normal, residual, weight, number, other=None, turning=False):
    """Rows from arrays or single values that broadcast to R. `other`: (person, joint, normal) of a second joint."""
    residual = np.asarray(residual, float).reshape(-1)
    count = len(residual)
    other_person, other_joint, other_normal = (-1, -1, 0.0) if other is None else other

    def filled(value, kind=np.int64, shape=(count,)):
        out = np.empty(shape, kind)
        out[...] = value
        return out

    return Rows(
        filled(frame), filled(person), filled(joint), filled(normal, float, (count, 3)), residual,
        filled(weight, float), filled(number), filled(other_person), filled(other_joint),
        filled(other_normal, float, (count, 3)), filled(turning, bool),
    )  # fmt: skip


NO_ROWS = make_rows(0, 0, 0, np.zeros((0, 3)), np.zeros(0), 1.0, 0)


def vector_rows(frame, person, joint, offsets, weight, number, other=None):
    """Three rows, along x, y and z, for every offset `[N, 3]` that is to vanish, in metres.

    `frame`, `joint`, `number`: `[N]` or single. `other`: (person, joint) that offsets are measured from.
    """
    offsets = np.asarray(offsets, float)
    count = len(offsets)
    frame, joint, number = (_thrice(v) for v in (frame, joint, number))
    axes = np.tile(np.eye(3), (count, 1))
    second = None if other is None else (other[0], _thrice(other[1]), -axes)
    return make_rows(frame, person, joint, axes, offsets.reshape(-1), weight, number, second)


def turn_rows(frame, person, joint, turned, wanted, weight, number, parent=None):
    """Three turning rows, about x, y and z, for every world turn `turned [N, 4]` that is to become `wanted [N, 4]`.

    The residual is LEVER times the rotation vector from `wanted` to `turned`. `parent [N]`: the joint that `wanted`
    turns with, where a local rotation is bound; -1 for none.
    """
    away = rot.to_rotvec(rot.multiply(turned, rot.conjugate(wanted)))
    normal = LEVER * inverse_left_jacobian(away)
    frame, joint, number = (_thrice(v) for v in (frame, joint, number))
    other = None
    if parent is not None:
        # The parent's turn comes in from the right of `away`: its Jacobian is the transpose of the left one.
        parent = _thrice(parent)
        back = np.where(parent[:, None] < 0, 0.0, -np.swapaxes(normal, -1, -2).reshape(-1, 3))
        other = (np.where(parent < 0, -1, person), parent, back)
    residual = LEVER * away.reshape(-1)
    return make_rows(frame, person, joint, normal.reshape(-1, 3), residual, weight, number, other, turning=True)


def _thrice(values):
    """Single values as they are, of arrays every element three times."""
    return np.repeat(values, 3) if np.ndim(values) else values


def inverse_left_jacobian(v):
    """d of a rotation vector `[N, 3]` by a small turn put before its rotation, `[N, 3, 3]` (Sola et al. 2018, eq. 146).

    Exact up to half a turn.
    """
    x, y, z = v[..., 0], v[..., 1], v[..., 2]
    square = x * x + y * y + z * z
    half = 0.5 * np.sqrt(square)
    safe = np.maximum(half, 1e-4)
    bend = np.where(half > 1e-4, (1.0 - safe / np.tan(safe)) / (4.0 * safe**2), 1.0 / 12.0)
    out = bend[..., None, None] * (v[..., :, None] * v[..., None, :])  # [v]x [v]x = v v' - |v|^2
    rest = 1.0 - bend * square
    for i, j, k, half_turn in ((0, 1, 2, 0.5 * x), (1, 2, 0, 0.5 * y), (2, 0, 1, 0.5 * z)):
        out[..., i, i] += rest
        out[..., j, k] += half_turn
        out[..., k, j] -= half_turn
    return out


def join(parts):
    """All rows of several Rows, in order; no parts give no rows."""
    parts = list(parts)
    some = [p for p in parts if len(p.frame)]
    if len(some) < 2:
        return some[0] if some else NO_ROWS
    return Rows(*(np.concatenate([getattr(p, name) for p in some]) for name in _NAMES))


def select(rows, chosen):
    """Some of the rows, by flags or indices."""
    return Rows(*(getattr(rows, name)[chosen] for name in _NAMES))


def gradient(rows, shape):
    """Gradient of the sum of weight * residual^2 / 2 by the joints' places `[P, T, 22, 3]`; turning rows are left out.

    HARD rows count with weight 1.
    """
    out = np.zeros(shape)
    pull = np.where(np.isinf(rows.weight), 1.0, rows.weight) * rows.residual * ~rows.turning
    np.add.at(out, (rows.person, rows.frame, rows.joint), pull[:, None] * rows.normal)
    two = rows.other_joint >= 0
    at = (rows.other_person[two], rows.frame[two], rows.other_joint[two])
    np.add.at(out, at, (pull[:, None] * rows.other_normal)[two])
    return out
