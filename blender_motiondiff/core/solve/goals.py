"""The last kinematic solve: rotations and root places that meet all rows, with constant bones, corrections spread in time.

Damped Gauss-Newton on the joints' turns, every frame with rows at once: first all rows together, the whole change
being kept least; then corrections spread in time; then what binds alone, until it is met or no pose comes nearer.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import rotations as rot
from ..constraints.rows import LEVER, Poses, join, make_rows
from ..skeleton import COUNT, INDEX, LEGS, PARENTS
from . import stiffness as stiff
from .chain import HOLDERS, kinematics
from .spread import settle, spread
from .step import State, merits, step, systems_of
from .stiffness import COLUMNS, ENDS, HINGES, ROOT

CLOSE = 1e-3  # metres: from here on the corrections are spread and what binds is solved alone
MET = 5e-5  # metres of residual at which what binds is met
STILL = 0.01  # radians or metres: smaller steps end the first part
HARD_DAMPING, MOST_DAMPING = 1e-5, 1e-1  # metres squared, of what binds
SHORTEN = 0.3  # share of a step that is tried next where the whole of it made things worse
STAY = 200.0  # weight of a foot's wish to stay where it is while the pelvis comes along
FOLLOW = 0.12  # metres, for a leg of 0.85 m, that the pelvis goes along the ground before the feet follow it
FEET_UNITS = np.eye(3)
LEG_JOINTS = np.array([[INDEX[name] for name in leg] for leg in LEGS])


@dataclass(frozen=True)
class MeetReport:
    """How well the items were met. `numbers [I]`: the items' numbers, rising.

    `before [I]`, `after [I]`: largest residual of a position row, metres; `turn_before [I]`, `turn_after [I]`: of a
    turning row, radians. `iterations`: steps taken. `largest_turn`: radians that a joint was turned at most,
    `largest_shift`: metres that a root was moved at most.
    """

    numbers: np.ndarray
    before: np.ndarray
    after: np.ndarray
    turn_before: np.ndarray
    turn_after: np.ndarray
    iterations: int = 0
    largest_turn: float = 0.0
    largest_shift: float = 0.0


@dataclass(frozen=True)
class Work:
    """Arrays that a solve changes in place, B = P * T bodies-at-a-frame (number person * T + frame).

    `local [B, 22, 4]`, `root [B, 3]`, `change [B, 23, 3]` (see step.State) with the poses `places [B, 22, 3]`, `turns
    [B, 22, 4]` that follow; `held_*`: the best pose so far, with its merit `held [B]`; `trial [B, 23, 3]`: the step
    tried from there; `damping [B]`; `blocked [B, 4]`. The rest stays: the motion before (`first_*`), `offsets
    [B, 22, 3]`, `free [B, 23]`, the limbs' `hinge [B, 4, 3]`, `least`, `most`, and `rise [B]`, `size [B]`.
    """

    local: np.ndarray
    root: np.ndarray
    change: np.ndarray
    places: np.ndarray
    turns: np.ndarray
    held_local: np.ndarray
    held_root: np.ndarray
    held: np.ndarray
    trial: np.ndarray
    damping: np.ndarray
    blocked: np.ndarray
    bent: np.ndarray
    first_local: np.ndarray
    first_root: np.ndarray
    first_ankles: np.ndarray
    first_feet: np.ndarray
    offsets: np.ndarray
    free: np.ndarray
    limbs: stiff.Limbs
    rise: np.ndarray
    size: np.ndarray


def meet(motions, times, gather, frozen=None, iterations=16):
    """Motions changed as little as needed to meet rows, and a MeetReport.

    `motions`: P Motions of T frames; `times [T]` seconds; `gather(Poses) -> Rows` is asked again at every step.
    `frozen [P, T, 23]` bool: joints' local rotations, and last the root's place, that stay as they are. Rows of weight
    HARD end exact where that can be; where not, at the nearest pose that was found. Nothing is done without rows.
    A turning row with a second joint is about the turns of both.
    """
    work = _start(motions, frozen)
    poses = _poses(work, motions, times)
    rows = gather(poses)
    if not len(rows):
        return list(motions), _report(rows, rows, 0, work)
    before = rows
    asked = np.zeros((len(work.root), COLUMNS), bool)
    bound = np.zeros(len(work.root), bool)
    rows, first = _approach(work, poses, rows, gather, iterations // 2, 1.0, asked, bound)
    keep = work.change.copy()
    _settle(work, poses, motions, asked, bound)
    rows, second = _approach(work, poses, gather(poses), gather, iterations - first, 0.0, asked, bound)
    if second:
        rows = _settle_again(work, poses, motions, gather, asked)
    del keep
    out = [
        replace(m, root=work.root[part].copy(), rotations=work.local[part].copy())
        for m, part in zip(motions, _parts(motions), strict=True)
    ]
    return out, _report(before, rows, first + second, work)


# --- the poses --------------------------------------------------------------------------------------------------------


def _parts(motions):
    frames = motions[0].frames
    return [slice(i * frames, (i + 1) * frames) for i in range(len(motions))]


def _start(motions, frozen):
    persons, frames = len(motions), motions[0].frames
    local = np.concatenate([np.asarray(m.rotations, float) for m in motions])
    root = np.concatenate([np.asarray(m.root, float) for m in motions])
    bodies = np.array([m.body.offsets for m in motions], float)
    sizes = np.array([m.body.size for m in motions])
    frozen = np.zeros((persons, frames, COLUMNS), bool) if frozen is None else np.asarray(frozen, bool)
    offsets = np.repeat(bodies, frames, 0)
    places, turns = kinematics(root, local, offsets)
    shape, count = (persons, frames), persons * frames
    limbs = stiff.limbs(local.reshape(*shape, COUNT, 4), bodies)
    ankles = LEG_JOINTS[:, 2]
    return Work(
        local, root, np.zeros((count, COLUMNS, 3)), places, turns, local.copy(), root.copy(), np.full(count, np.inf),
        np.zeros((count, COLUMNS, 3)), np.full(count, HARD_DAMPING), np.zeros((count, 4)), np.zeros((count, 4)),
        local.copy(), root.copy(), places[:, ankles].copy(), turns[:, ankles].copy(), offsets,
        stiff.compliances(frozen, sizes).reshape(count, COLUMNS), limbs,
        stiff.rise_limit(places.reshape(*shape, COUNT, 3), bodies).ravel(), np.repeat(sizes, frames),
    )  # fmt: skip


def _poses(work, motions, times):
    """Poses that share the work's arrays, so that they are always those of now."""
    shape = (len(motions), motions[0].frames, COUNT)
    sizes = np.array([m.body.size for m in motions])
    return Poses(np.asarray(times, float), work.places.reshape(*shape, 3), work.turns.reshape(*shape, 4), sizes)


def _pose(work, at):
    """The poses of bodies `at` follow their local rotations and roots."""
    work.places[at], work.turns[at] = kinematics(work.root[at], work.local[at], work.offsets[at])


# --- steps ------------------------------------------------------------------------------------------------------------


def _approach(work, poses, rows, gather, iterations, pull, asked, bound):
    """Steps until all is met, or nothing comes nearer: (rows at the end, steps taken).

    `pull` 1: all rows, the whole change kept least; 0: what binds alone, each step least.
    """
    persons, frames = poses.places.shape[:2]
    work.held[:] = np.inf
    together = False
    for number in range(iterations):
        _ask(rows, frames, work, asked, bound)
        if pull == 0.0:
            rows = _chosen(rows, np.isinf(rows.weight))
        hard = np.isinf(rows.weight)
        worst = np.abs(rows.residual[hard]).max() if hard.any() else 0.0
        if not len(rows) or (pull == 0.0 and worst < MET):
            return rows, number
        legs = _free_legs(rows, frames, work)
        everything = join([rows, _stay_rows(rows, legs, work, frames)])
        systems = systems_of(everything, persons, frames, together)
        together = systems.bodies.shape[1] > 1 or together
        moved = _advance(work, everything, systems, legs, pull, rows, frames)
        rows = gather(poses)
        if pull == 1.0 and moved < STILL and worst < CLOSE:
            return rows, number + 1
    return rows, iterations


def _chosen(rows, keep):
    return type(rows)(*(getattr(rows, name)[keep] for name in rows.__dataclass_fields__))


def _ask(rows, frames, work, asked, bound):
    """Notes which columns of which bodies rows have asked for, and which bodies are bound."""
    for person, joint in ((rows.person, rows.joint), (rows.other_person, rows.other_joint)):
        there = joint >= 0
        at = person[there] * frames + rows.frame[there]
        needs = np.zeros((len(asked), COUNT), bool)
        np.logical_or.at(needs, at, HOLDERS[joint[there]])
        asked[:, :COUNT] |= needs
        touched = np.unique(at)
        asked[touched, ROOT] = True
        asked[np.ix_(touched, LEG_JOINTS[:, :3].ravel())] = True
        bound[at[np.isinf(rows.weight[there])]] = True


def _free_legs(rows, frames, work):
    """Legs `[B, 2]` that no row is about: their feet would rather stay."""
    free = np.ones((len(work.root), 2), bool)
    for person, joint in ((rows.person, rows.joint), (rows.other_person, rows.other_joint)):
        for side, leg in enumerate(LEG_JOINTS):
            on = np.isin(joint, leg)
            free[person[on] * frames + rows.frame[on], side] = False
    return free


def _stay_rows(rows, legs, work, frames):
    """Rows that hold the ankles of free legs in all bodies that rows are about."""
    at = rows.person * frames + rows.frame
    two = rows.other_joint >= 0
    bodies = np.unique(np.concatenate([at, (rows.other_person * frames + rows.frame)[two]]))
    shift = work.root[bodies] - work.first_root[bodies]
    shift[:, 2] = 0.0
    length = np.linalg.norm(shift, axis=1, keepdims=True)
    follow = shift * np.maximum(1.0 - FOLLOW * work.size[bodies, None] / np.maximum(length, 1e-9), 0.0)
    parts = []
    for side, leg in enumerate(LEG_JOINTS):
        own = legs[bodies, side]
        who, ankle = bodies[own], leg[2]
        missing = work.places[who, ankle] - work.first_ankles[who, side] - follow[own]
        normal = np.tile(FEET_UNITS, (len(who), 1))
        frame, person = np.repeat(who % frames, 3), np.repeat(who // frames, 3)
        parts.append(make_rows(frame, person, ankle, normal, missing.ravel(), STAY, -1))
    return join(parts)


def _advance(work, rows, systems, legs, pull, asked_rows, frames):
    """One step of all systems, or a shorter one where the last made things worse; the largest turn of a joint."""
    bodies = systems.bodies
    merit = merits(rows, systems, HARD_DAMPING)
    worse = merit > np.maximum(work.held[bodies].max(1), 1e-3) * 1.0001
    good, bad = bodies[~worse].ravel(), bodies[worse].ravel()
    work.held[bodies[~worse]] = merit[~worse, None]
    work.held_local[good], work.held_root[good] = work.local[good], work.root[good]
    work.damping[good] = np.maximum(0.25 * work.damping[good], HARD_DAMPING)
    work.damping[bad] = np.minimum(10.0 * work.damping[bad], MOST_DAMPING)
    at = bodies.ravel()
    free = work.free[at]
    for side, leg in enumerate(LEG_JOINTS):
        free[legs[at, side], leg[2]] = 0.0
    limbs = work.limbs
    hinge = limbs.hinge.reshape(-1, 4, 3)[at]
    work.bent[at] = _bends(work, at)
    state = State(work.places[at], work.turns[at], work.change[at], free, hinge, work.bent[at], work.blocked[at])
    moved, leave = step(rows, systems, state, work.damping[bodies].max(1), pull)
    moved = moved.reshape(-1, COLUMNS, 3)
    _keep_feet(work, at, legs[at], moved)
    work.blocked[at] = np.where(leave.reshape(-1, 4), 0.0, work.blocked[at])
    above = work.turns[at][:, np.maximum(PARENTS, 0)]
    above[:, 0] = rot.IDENTITY
    moved[:, :ROOT] = stiff.turn(rot.conjugate(above), moved[:, :ROOT])
    lost = np.repeat(worse, bodies.shape[1])
    work.trial[at] = np.where(lost[:, None, None], SHORTEN * work.trial[at], moved)
    work.local[at] = rot.multiply(rot.from_rotvec(work.trial[at][:, :ROOT]), work.held_local[at])
    work.root[at] = work.held_root[at] + work.trial[at][:, ROOT]
    _limit(work, at, asked_rows, frames)
    _pose(work, at)
    return float(np.abs(moved).max())


def _keep_feet(work, at, legs, moved):
    """Feet of free legs keep their turn in the world: their ankles undo what the leg above them does."""
    for side, (hip, knee, ankle, _) in enumerate(LEG_JOINTS):
        strayed = rot.to_rotvec(rot.multiply(work.first_feet[at, side], rot.conjugate(work.turns[at, ankle])))
        back = strayed - moved[:, 0] - moved[:, hip] - moved[:, knee]
        own = legs[:, side] & (work.free[at, ankle] > 0)
        moved[:, ankle] = np.where(own[:, None], back, moved[:, ankle])


def _bends(work, at):
    limbs, frames = work.limbs, work.limbs.hinge.shape[1]
    person = at // frames
    return stiff.bend(
        work.local[at][:, HINGES], limbs.hinge.reshape(-1, 4, 3)[at], limbs.upper[person], limbs.lower[person]
    )


def _limit(work, at, rows, frames):
    """Hinges bend within their limits, joints and roots change no farther than they may; `change` follows."""
    limbs = work.limbs
    hinge, least, most = (v.reshape(-1, *v.shape[2:])[at] for v in (limbs.hinge, limbs.least, limbs.most))
    bent = _bends(work, at)
    allowed = np.clip(bent, least, most)
    back = rot.from_rotvec(hinge * (allowed - bent)[..., None])
    work.local[at[:, None], HINGES] = rot.multiply(back, work.local[at[:, None], HINGES])
    work.blocked[at] = np.where(bent < least, 1.0, np.where(bent > most, -1.0, work.blocked[at]))
    change = rot.to_rotvec(rot.multiply(work.local[at], rot.conjugate(work.first_local[at])))
    size = np.sqrt((change**2).sum(-1))
    if (size > stiff.LIMITS).any():
        change *= np.minimum(1.0, stiff.LIMITS / np.maximum(size, 1e-9))[..., None]
        beyond = size > stiff.LIMITS
        held = rot.multiply(rot.from_rotvec(change), work.first_local[at])
        work.local[at] = np.where(beyond[..., None], held, work.local[at])
    work.change[at, :ROOT] = change
    _limit_root(work, at, rows, frames)


def _limit_root(work, at, rows, frames):
    """Roots that no row is about come along only so far along the ground, and up no farther than the legs reach."""
    shift = work.root[at] - work.first_root[at]
    own = np.zeros(len(work.root), bool)
    for person, joint in ((rows.person, rows.joint), (rows.other_person, rows.other_joint)):
        own[(person * frames + rows.frame)[joint == 0]] = True
    flat = np.sqrt((shift[:, :2] ** 2).sum(1))
    share = np.minimum(1.0, stiff.SHIFT_LIMIT * work.size[at] / np.maximum(flat, 1e-9))
    limited = np.concatenate([shift[:, :2] * share[:, None], np.minimum(shift[:, 2], work.rise[at])[:, None]], 1)
    shift = np.where(own[at, None], shift, limited)
    work.root[at] = work.first_root[at] + shift
    work.change[at, ROOT] = shift


# --- over time --------------------------------------------------------------------------------------------------------


def _settle(work, poses, motions, asked, bound):
    """Corrections are spread over time; those that only wishes ask for are smoothed as well."""
    for part, motion in zip(_parts(motions), motions, strict=True):
        if asked[part].any():
            fixed = work.free[part] == 0
            spreaded = spread(work.change[part] * ~fixed[..., None], asked[part] | fixed, motion.fps)
            work.change[part] = settle(spreaded, bound[part], fixed)
    _apply(work)


def _settle_again(work, poses, motions, gather, asked):
    return gather(poses)


def _apply(work):
    """Poses follow the changes."""
    work.local[:] = rot.multiply(rot.from_rotvec(work.change[:, :ROOT]), work.first_local)
    work.root[:] = work.first_root + work.change[:, ROOT]
    _pose(work, np.flatnonzero(np.abs(work.change).max((1, 2)) > 0))


# --- report -----------------------------------------------------------------------------------------------------------


def _report(before, after, iterations, work):
    numbers = np.unique(np.concatenate([before.number, after.number]))

    def worst(rows, turning):
        out = np.zeros(len(numbers))
        chosen = rows.turning == turning
        np.maximum.at(out, np.searchsorted(numbers, rows.number[chosen]), np.abs(rows.residual[chosen]))
        return out / LEVER if turning else out

    largest = np.sqrt((work.change**2).sum(-1)).max(0)
    return MeetReport(
        numbers, worst(before, False), worst(after, False), worst(before, True), worst(after, True), iterations,
        float(largest[:ROOT].max()), float(largest[ROOT]),
    )  # fmt: skip
