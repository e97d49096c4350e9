"""What a solve works on: poses of all bodies at all frames, the change made to them, and how far it may go."""

from dataclasses import dataclass, is_dataclass, replace

import numpy as np

from .. import rotations as rot
from ..constraints.rows import Poses
from ..motion import forward_kinematics
from ..skeleton import COUNT, LEG_JOINTS, PARENTS
from .step import State
from .stiffness import COLUMNS, HINGES, LIMITS, ROOT, SHIFT_LIMIT, Limbs, compliances, limbs, rise_limit

ANKLES = LEG_JOINTS[:, 2]
SECOND = 30  # frames
LEG_OF = np.full(COUNT, -1)  # which leg a joint is of
LEG_OF[LEG_JOINTS] = [[0], [1]]


@dataclass(frozen=True)
class Origin:
    """The motion before: `local [B, 22, 4]`, `root [B, 3]`, `ankles [B, 2, 3]`, world turns of `feet [B, 2, 4]`."""

    local: np.ndarray
    root: np.ndarray
    ankles: np.ndarray
    feet: np.ndarray


@dataclass(frozen=True)
class Work:
    """Arrays that a solve changes in place, for B = P * T bodies-at-a-frame (number person * T + frame).

    `local [B, 22, 4]`, `root [B, 3]`, and the `places [B, 22, 3]` and world `turns [B, 22, 4]` that follow. `change
    [B, 23, 3]` from the origin: each joint's rotation vector in its parent's axes, last the root's shift. `held [B]`:
    the merit of the best pose so far, `held_local`, `held_root` that pose, `trial [B, 23, 3]` the step tried from it.
    `damping [B]` of what binds; `bent [B, 4]`, `blocked [B, 4]` hinges (see step.State). The rest stays: `offsets
    [B, 22, 3]`, `free [B, 23]` compliances, `rise [B]` metres that the root may rise, `size [B]` of the bodies; `freed
    [B]` is set for those whose pelvis comes along, `loose [B, 23]` for joints and roots that are asked for themselves,
    and so may go anywhere.
    """

    local: np.ndarray
    root: np.ndarray
    places: np.ndarray
    turns: np.ndarray
    change: np.ndarray
    held: np.ndarray
    held_local: np.ndarray
    held_root: np.ndarray
    trial: np.ndarray
    damping: np.ndarray
    bent: np.ndarray
    blocked: np.ndarray
    offsets: np.ndarray
    free: np.ndarray
    freed: np.ndarray
    loose: np.ndarray
    rise: np.ndarray
    size: np.ndarray
    origin: Origin
    limbs: Limbs


def start(motions, frozen, poses):
    """The Work of motions of T frames each; `frozen [P, T, 23]` bool or None. It goes on with the arrays of `poses`."""
    frames = motions[0].frames
    local = np.concatenate([np.asarray(m.rotations, float) for m in motions])
    root = np.concatenate([np.asarray(m.root, float) for m in motions])
    bones = np.array([np.asarray(m.body.offsets, float) for m in motions])
    offsets = np.repeat(bones, frames, 0)
    size = np.repeat([float(m.body.size) for m in motions], frames)
    count = len(root)
    frozen = np.zeros((count, COLUMNS), bool) if frozen is None else np.asarray(frozen, bool).reshape(count, COLUMNS)
    places, turns = (part.reshape(count, *part.shape[2:]) for part in (poses.places, poses.turns))
    origin = Origin(local.copy(), root.copy(), places[:, ANKLES], turns[:, ANKLES])
    change = np.zeros((count, COLUMNS, 3))
    hinges, bent = limbs(local, bones)
    return Work(
        local, root, places, turns, change, np.full(count, np.inf), local.copy(), root.copy(), change.copy(),
        np.zeros(count), bent, np.zeros((count, len(HINGES))), offsets, compliances(frozen, size),
        np.zeros(count, bool), np.zeros((count, COLUMNS), bool), rise_limit(places, bones), size, origin, hinges,
    )  # fmt: skip


def start_all(problems):
    """The Work of several takes (goals.Problem) of as many bodies each, and of each take its part and its Problem.

    Parts share the whole's memory, and poses go on in it.
    """
    poses = problems[0].poses
    if len(problems) > 1:
        together = (np.concatenate([getattr(p.poses, n) for p in problems]) for n in ("places", "turns", "sizes"))
        poses = Poses(poses.times, *together)
    frozen = None
    if any(p.frozen is not None for p in problems):
        frozen = np.concatenate(
            [np.zeros((*p.poses.places.shape[:2], COLUMNS), bool) if p.frozen is None else p.frozen for p in problems]
        )
    work = start([m for p in problems for m in p.motions], frozen, poses)
    persons, size = len(problems[0].motions), len(work.root) // len(problems)
    ones = []
    for i, problem in enumerate(problems):
        own = slice(i * persons, (i + 1) * persons)
        seen = Poses(poses.times, poses.places[own], poses.turns[own], poses.sizes[own])
        ones.append((_part(work, slice(i * size, (i + 1) * size)), replace(problem, poses=seen)))
    return work, ones


def _part(arrays, chosen):
    """A dataclass of arrays, and of such dataclasses, over some bodies (a slice): views."""
    parts = {n: _part(v, chosen) if is_dataclass(v) else v[chosen] for n, v in vars(arrays).items()}
    return type(arrays)(**parts)


def start_again(work):
    """All bodies return to the motion before, and what was found on the way is forgotten."""
    work.held_local[:], work.held_root[:], work.held[:] = work.origin.local, work.origin.root, np.inf
    for part in (work.trial, work.blocked, work.freed, work.loose):
        part[:] = 0
    back_to(work, np.arange(len(work.root)))
    work.change[:] = 0.0


def pose(work, at):
    """World places and turns of bodies `at` follow from their local rotations and roots."""
    work.places[at], work.turns[at] = forward_kinematics(work.root[at], work.local[at], work.offsets[at])


def apply_changes(work, at):
    """Local rotations, roots and poses of bodies `at` follow from their changes."""
    local = rot.multiply(rot.from_rotvec(work.change[at, :ROOT]), work.origin.local[at])
    _fold_back(work, at, local, near_loose(work)[at])
    work.change[at[:, None], HINGES] = change_of(work, at, local, HINGES)
    work.local[at] = local
    work.root[at] = work.origin.root[at] + work.change[at, ROOT]
    pose(work, at)


def back_to(work, at):
    """Bodies `at` return to their held poses."""
    work.local[at], work.root[at] = work.held_local[at], work.held_root[at]
    work.bent[at] = work.limbs.bends(work.local[at], at)
    work.change[at, :ROOT] = change_of(work, at, work.local[at], np.arange(ROOT))
    work.change[at, ROOT] = work.root[at] - work.origin.root[at]
    pose(work, at)


def state_of(work, bodies, joints, legs):
    """State of systems of `bodies [S, G]`; ankles of free `legs [B, 2]` are left out, they keep their feet's turn."""
    at, columns = bodies.ravel(), np.append(joints, ROOT)
    free = work.free[at[:, None], columns]
    free[:, (columns == 0) | (columns == ROOT)] *= work.freed[at, None]
    for side, ankle in enumerate(ANKLES):
        free[:, columns == ankle] *= ~legs[at, side, None]
    above = work.turns[at[:, None], np.maximum(PARENTS[joints], 0)]
    above[:, joints == 0] = np.array([1.0, 0.0, 0.0, 0.0])
    hinge = rot.rotate(work.turns[at[:, None], PARENTS[HINGES]], work.limbs.hinge[at])
    parts = (work.places[at], above, work.change[at[:, None], columns], free, hinge, work.bent[at], work.blocked[at])
    there = np.flatnonzero((joints[:, None] == HINGES).any(0))
    hinges = there, np.searchsorted(joints, HINGES[there])
    return State(joints, *(part.reshape(*bodies.shape, *part.shape[1:]) for part in parts), hinges)


def keep_feet(work, at, joints, legs, moved):
    """Ankles of free legs undo what the legs above them do in the world steps `moved [N, K + 1, 3]`, in place."""
    for side, (hip, knee, ankle, _) in enumerate(LEG_JOINTS):
        strayed = rot.to_rotvec(rot.multiply(work.origin.feet[at, side], work.turns[at, ankle] * [1, -1, -1, -1]))
        spot = np.searchsorted(joints, [0, hip, knee, ankle])
        own = legs[at, side] & (work.free[at, ankle] > 0)
        moved[own, spot[3]] = (strayed - moved[:, spot[:3]].sum(1))[own]


def move(work, at, joints, step):
    """Bodies `at` go from their held poses by `step [N, K + 1, 3]` (turns in parents' axes), within their limits."""
    local = work.held_local[at]
    local[:, joints] = rot.multiply(rot.from_rotvec(step[:, :-1]), local[:, joints])
    over = _fold_back(work, at, local, work.loose[at[:, None], HINGES])
    work.blocked[at] = np.where(over != 0, np.sign(over), work.blocked[at])
    change = change_of(work, at, local, joints)
    far = np.where(work.loose[at[:, None], joints], 0.0, rot.length(change) / LIMITS[joints])
    if (far > 1).any():
        change /= np.maximum(far, 1.0)[..., None]
        nearer = rot.multiply(rot.from_rotvec(change), work.origin.local[at[:, None], joints])
        local[:, joints] = np.where((far > 1)[..., None], nearer, local[:, joints])
        work.bent[at] = work.limbs.bends(local, at)
    shift = _limited_shift(work, at, work.held_root[at] + step[:, -1] - work.origin.root[at])
    work.local[at], work.root[at] = local, work.origin.root[at] + shift
    work.change[at[:, None], np.append(joints, ROOT)] = np.concatenate([change, shift[:, None]], 1)
    pose(work, at)


def change_of(work, at, local, joints):
    """Rotation vectors `[N, K, 3]` from the origin to local rotations `[N, 22, 4]` of some joints."""
    return rot.to_rotvec(rot.multiply(local[:, joints], work.origin.local[at[:, None], joints] * [1, -1, -1, -1]))


def near_loose(work):
    """Hinges `[B, 4]` within a second of a frame on which they are asked for themselves: they pass to it freely."""
    if not work.loose[:, HINGES].any():
        return np.zeros((len(work.loose), len(HINGES)), bool)
    count = np.cumsum(np.pad(work.loose[:, HINGES].astype(int), ((SECOND + 1, SECOND), (0, 0))), axis=0)
    return count[2 * SECOND + 1 :] > count[: -2 * SECOND - 1]


def _fold_back(work, at, local, loose):
    """Brings hinges of `local [N, 22, 4]` back within their limits, in place; by how much, radians `[N, 4]`."""
    bent = work.limbs.bends(local, at)
    over = np.clip(bent, work.limbs.least[at], work.limbs.most[at]) - bent
    over = np.where(loose, 0.0, over)
    if over.any():
        local[:, HINGES] = rot.multiply(rot.from_rotvec(work.limbs.hinge[at] * over[..., None]), local[:, HINGES])
    work.bent[at] = bent + over
    return over


def _limited_shift(work, at, shift):
    """Roots that no row is about come along only so far along the ground, and up no farther than the legs reach."""
    flat = np.sqrt((shift[:, :2] ** 2).sum(1))
    share = np.minimum(1.0, SHIFT_LIMIT * work.size[at] / np.maximum(flat, 1e-9))
    limited = np.concatenate([shift[:, :2] * share[:, None], np.minimum(shift[:, 2], work.rise[at])[:, None]], 1)
    return np.where(work.loose[at, ROOT, None], shift, limited)


def in_parents(above, moved):
    """World steps `[S, G, K + 1, 3]` as turns in the parents' axes; the root's shift stays."""
    out = moved.copy()
    out[..., :-1, :] = rot.rotate(above * [1, -1, -1, -1], moved[..., :-1, :])
    return out
