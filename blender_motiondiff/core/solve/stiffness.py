"""How willingly each joint gives way to a goal, about which axes, and how far.

Arms and legs do most of the work and the trunk little; knees and elbows bend about their hinges. Compliances are the
variances of the changes that cost as much as one another (radians squared; metres squared of the root's shift), so the
least change that meets a goal is the most probable one (weighted least norm, Whitney 1969, for redundant manipulators).
"""

from dataclasses import dataclass

import numpy as np

from .. import rotations as rot
from ..skeleton import COUNT, INDEX, JOINTS, LEGS, PARENTS

ROOT = COUNT  # the column of the root's shift, after those of the joints' turns
COLUMNS = COUNT + 1
TRUNK = np.array([INDEX[n] for n in ("pelvis", "spine1", "spine2", "spine3")] + [ROOT])
COMPLIANCE = {
    "pelvis": 0.01, "hip": 0.5, "knee": 0.02, "ankle": 0.3, "foot": 0.2, "spine1": 0.03, "spine2": 0.03,
    "spine3": 0.03, "neck": 0.3, "head": 0.4, "collar": 0.08, "shoulder": 1.0, "elbow": 0.04, "wrist": 0.8,
}  # fmt: skip
ROOT_COMPLIANCE = 0.003  # metres squared, for a leg of 0.85 m
HINGE_COMPLIANCE = 1.0  # of knees and elbows about their hinge
FOREARM_TWIST = 0.4  # of elbows about the forearm
# Radians by which a goal may change a joint at most.
FARTHEST = {
    "pelvis": 0.5, "spine1": 0.45, "spine2": 0.45, "spine3": 0.45, "neck": 0.7, "head": 0.8, "collar": 0.5,
    "ankle": 0.9, "foot": 0.9, "wrist": 3.0, "hip": 2.2, "shoulder": 3.0, "knee": 3.0, "elbow": 3.0,
}  # fmt: skip

# Knees and elbows: the joint, its child, its hinge in its parent's axes (a positive turn folds), and how much of a say
# that hinge has against the plane in which the limb is bent already (recorded elbows are not bent about Z alone).
HINGES = np.array([INDEX[n] for n in ("left_knee", "right_knee", "left_elbow", "right_elbow")])
ENDS = np.array([INDEX[n] for n in ("left_ankle", "right_ankle", "left_wrist", "right_wrist")])
FOLDS = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 0, -1.0], [0, 0, 1.0]])
SAY = np.array([0.5, 0.5, 0.15, 0.15])[:, None]
TWIST = np.array([COMPLIANCE["knee"], COMPLIANCE["knee"], FOREARM_TWIST, FOREARM_TWIST])
SIDE = np.array([COMPLIANCE["knee"], COMPLIANCE["knee"], COMPLIANCE["elbow"], COMPLIANCE["elbow"]])
MOST_FOLDED = np.radians(150.0)

SHIFT_LIMIT = 0.5  # metres along the ground, for a leg of 0.85 m, that the root comes along for a limb's goal
TIPTOE = 0.05  # metres that the root rises beyond what straight legs on standing feet allow
STRAIGHT = 0.998  # of a leg's length: what counts as straight

# HOLDERS[j, k]: whether a turn of k turns j; ANCESTORS[j, k]: whether it moves j's place.
HOLDERS = np.eye(COUNT, dtype=bool)
for _joint in range(1, COUNT):
    HOLDERS[_joint] |= HOLDERS[PARENTS[_joint]]
ANCESTORS = HOLDERS & ~np.eye(COUNT, dtype=bool)


def _by_joint(table):
    return np.array([table[name.removeprefix("left_").removeprefix("right_")] for name in JOINTS])


TURNS = _by_joint(COMPLIANCE)
LIMITS = _by_joint(FARTHEST)


@dataclass(frozen=True)
class Limbs:
    """What the hinges of bodies are by the motion before any goal (order of HINGES).

    `upper [B, 4, 3]`, `lower [B, 4, 3]`: unit directions of the bones at rest, each in its own joint's axes. `hinge
    [B, 4, 3]` in the axes of the hinge's parent. `least [B, 4]`, `most [B, 4]`: radians of bend allowed.
    """

    upper: np.ndarray
    lower: np.ndarray
    hinge: np.ndarray
    least: np.ndarray
    most: np.ndarray

    def bends(self, local, at):
        """How far the hinges of bodies `at` are folded, radians `[N, 4]`; `local [N, 22, 4]`."""
        return bend(local[:, HINGES], self.hinge[at], self.upper[at], self.lower[at])


def limbs(local, offsets):
    """Limbs of P persons with local rotations `[B, 22, 4]`, as many each, and bones `offsets [P, 22, 3]`.

    And how far they are folded, radians `[B, 4]`.
    """
    upper, lower = rot.normalize(offsets[:, HINGES]), rot.normalize(offsets[:, ENDS])
    square = rot.normalize(FOLDS - rot.dot(FOLDS, upper)[..., None] * upper)
    upper, lower, square = (np.repeat(v, len(local) // len(offsets), 0) for v in (upper, lower, square))
    now = rot.rotate(local[:, HINGES], lower)
    fold = rot.cross(upper, now)
    hinge = rot.normalize(fold + SAY * square)
    bent = np.arctan2(rot.dot(fold, hinge), rot.dot(upper, now))
    return Limbs(upper, lower, hinge, np.minimum(bent, 0.0), np.maximum(bent, MOST_FOLDED)), bent


def bend(local, hinge, upper, lower):
    """How far limbs are folded about their hinges, radians `[...]`; `local [..., 4]`, the others `[..., 3]`."""
    now = rot.rotate(local, lower)
    return np.arctan2(rot.dot(rot.cross(upper, now), hinge), rot.dot(upper, now))


def compliances(frozen, sizes):
    """Compliance of every column `[B, 23]`: 0 where frozen. `frozen [B, 23]` bool, `sizes [B]`."""
    free = np.broadcast_to(np.append(TURNS, 0.0), frozen.shape).copy()
    free[:, ROOT] = ROOT_COMPLIANCE * sizes**2
    return np.where(frozen, 0.0, free)


def rise_limit(places, offsets):
    """Metres `[B]` by which the root may rise with both feet where they are.

    `places [B, 22, 3]` of P persons, as many each, with bones `offsets [P, 22, 3]`.
    """
    rises = []
    for hip, knee, ankle in ([INDEX[name] for name in leg[:3]] for leg in LEGS):
        length = STRAIGHT * (rot.length(offsets[:, knee]) + rot.length(offsets[:, ankle]))
        length = np.repeat(length, len(places) // len(offsets))
        span = places[:, hip] - places[:, ankle]
        rises.append(np.sqrt(np.maximum(length**2 - span[:, 0] ** 2 - span[:, 1] ** 2, 0.0)) - span[:, 2])
    return np.maximum(np.minimum(*rises), 0.0) + TIPTOE
