"""The one form in which every constraint says how far a pose is from it, and how joints would have to move.

A row is one number: a residual in metres, and its derivative by the places of one or two joints, or by the turn of
one. From the same rows follow a wish's gradient (guidance), the last kinematic solve (solve.goals), and the report.
Each kind of constraint is one file here with a function `rows(item, poses, number) -> Rows`; inequalities give rows
only where they are violated, so an empty answer means met.
"""

from dataclasses import dataclass, fields

import numpy as np

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
        """Frame numbers from `start` to `end` seconds (None: the end), at least the nearest one."""
        last = self.times[-1] if end is None else end
        found = np.flatnonzero((self.times >= start - 1e-6) & (self.times <= last + 1e-6))
        return found if len(found) else np.array([np.abs(self.times - start).argmin()])


@dataclass(frozen=True)
class Rows:
    """R rows. A position row moves joints: d residual = normal . d place of joint (person), and of `other` if there.

    `frame [R]`, `person [R]`, `joint [R]` ints; `other_person [R]`, `other_joint [R]`, -1 where there is none;
    `normal [R, 3]` and `other_normal [R, 3]`. `turning [R]` bool: the row is about the joint's world turn instead, with
    `normal` = d residual by a turn of the joint in the world (metres a radian, LEVER in them).
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


def make_rows(frame, person, joint, normal, residual, weight, number, other=None, turning=False):
    """Rows from arrays or single values that broadcast to R. `other`: (person, joint, normal) of a second joint."""
    residual = np.asarray(residual, float).reshape(-1)
    count = len(residual)
    whole, flat = (lambda v: np.broadcast_to(np.asarray(v, np.int64), count).copy()), (count, 3)
    other_person, other_joint, other_normal = (-1, -1, np.zeros(3)) if other is None else other
    return Rows(
        whole(frame), whole(person), whole(joint), np.broadcast_to(normal, flat).astype(float), residual,
        np.broadcast_to(np.asarray(weight, float), count).copy(), whole(number), whole(other_person),
        whole(other_joint), np.broadcast_to(other_normal, flat).astype(float),
        np.broadcast_to(np.asarray(turning, bool), count).copy(),
    )  # fmt: skip


def join(parts):
    """All rows of several Rows, in order; no parts give no rows."""
    parts = list(parts)
    if not parts:
        return make_rows(0, 0, 0, np.zeros((0, 3)), np.zeros(0), 1.0, 0)
    return Rows(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Rows)))


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
