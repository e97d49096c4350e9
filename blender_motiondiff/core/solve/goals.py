"""The last kinematic solve: rotations and root places that meet all rows, bones constant, corrections spread in time.

Damped Gauss-Newton on the joints' turns (step.py), all frames with rows at once: first all rows together, the whole
change being kept least; then the corrections are spread in time; then what binds is solved alone, until it is met or
no pose comes nearer, and those last corrections are spread as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import rotations as rot
from ..cleanup.kinematics import kinematics_of_all
from ..constraints.rows import LEVER, Poses, join, make_rows, select
from ..skeleton import LEG_JOINTS
from .lockstep import HARD_DAMPING, WORSE, Step, in_lockstep
from .spread import near_peak, smooth, soften_jumps, spread
from .step import WISH, systems_of
from .stiffness import COLUMNS, HOLDERS, ROOT, TRUNK
from .swivel import steadied
from .work import (
    ANKLES,
    LEG_OF,
    apply_changes,
    back_to,
    start_again,
    start_all,
)

CLOSE = 1e-3  # metres of residual that limbs alone are to come to
MET = 1e-4  # metres of residual at which what binds is met
STILL, STUCK = 0.01, 1e-4  # radians or metres of a step at which wishes are as good as met, and at which nothing moves
PATIENCE = 4  # steps without coming nearer by a tenth after which no more are taken
LOST = 0.02  # metres of residual that the first part leaves where something is out of reach
QUICK, NEARER = 4, 0.5  # times that limbs alone take ALONE steps at first, while each leaves half or less (or LOST)
TOGETHER = 8  # steps of all rows, at most ...
LAST, ROUNDS = 6, 3  # ... and of what binds once the corrections are spread, which is done again in every round
STIFF_TRUNK = 0.02  # of the trunk's compliance is left then: what several goals share may not jump between them
ALONE = 3  # steps that limbs and trunk take alone; the pelvis then comes along where they did not do ...
FAR = 0.05  # ... and a wish is farther off than so many metres, or what binds than CLOSE
STAY = 4e-3  # metres squared: damping of a foot's wish to stay where it is while the pelvis comes along
FOLLOW = 0.10  # metres, for a leg of 0.85 m, that the pelvis goes along the ground before the feet follow it


_HOLDING = np.concatenate([HOLDERS, np.ones((len(HOLDERS), 1), bool)], 1)  # columns that a joint's rows ask for


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
class Problem:
    """What one take has to meet: P `motions` of T frames in their `poses`, which change in place.

    `gather(Poses) -> Rows` is asked again at every step. `frozen [P, T, 23]` bool or None: joints' local rotations, and
    last the root's place, that stay as they are.
    """

    motions: list
    poses: Poses
    gather: Callable
    frozen: np.ndarray | None = None


def meet(motions, times, gather, frozen=None, iterations=24):
    """Motions changed as little as needed to meet rows, and a MeetReport: see Problem and `meet_all`."""
    places, turns = kinematics_of_all(motions)
    poses = Poses(np.asarray(times, float), places, turns, np.array([m.body.size for m in motions]))
    motions, report, _ = meet_all([Problem(list(motions), poses, gather, frozen)], iterations)[0]
    return motions, report


def meet_all(problems, iterations=24):
    """The same for several takes of P persons and T frames: a list of (motions, MeetReport, their Poses).

    Rows of weight HARD end exact where that can be; where not, at the nearest pose found. A turning row with a second
    joint is about the turns of both. `iterations`: steps at most before corrections are spread (at most ROUNDS * LAST
    more follow). Nothing is done without rows. Takes go their own ways, yet their steps are computed at once.
    """
    rows = [p.gather(p.poses) for p in problems]
    still = np.zeros((1, COLUMNS, 3))
    open_ = [i for i, r in enumerate(rows) if len(r) and not _all_met(r)]
    out = [None if i in open_ else (p.motions, _report(r, r, 0, still), p.poses)
           for i, (p, r) in enumerate(zip(problems, rows, strict=True))]  # fmt: skip
    if open_:
        work, ones = start_all([problems[i] for i in open_])
        runs = [_meeting(own, p, rows[i], iterations) for i, (own, p) in zip(open_, ones, strict=True)]
        for i, answer in zip(open_, in_lockstep(work, runs, len(ones[0][0].root)), strict=True):
            out[i] = answer
    return out


def _all_met(rows):
    return np.isinf(rows.weight).all() and np.abs(rows.residual).max() < MET


def _meeting(work, problem, before, iterations):
    """One take's way through the solve: yields the steps it wants (lockstep.Step), returns what `meet_all` does."""
    motions, poses, gather = problem.motions, problem.poses, problem.gather
    frames, wished = motions[0].frames, not np.isinf(before.weight).all()
    asked, rows, steps = _nothing_asked(work), before, 0
    if not wished and iterations > ALONE:
        rows, steps = yield from _approach(work, poses, before, gather, 1, 1.0, asked)
        for _ in range(QUICK):
            least = max(LOST, NEARER * _missing(rows, frames, len(work.root)).max())
            rows, more = yield from _approach(work, poses, rows, gather, ALONE, 0.0, asked)
            steps += more
            if not MET < _missing(rows, frames, len(work.root)).max() < least:
                break
    if wished or _missing(rows, frames, len(work.root)).max() > MET:  # it takes more than a few steps of the limbs
        if steps:
            start_again(work)
            asked, rows = _nothing_asked(work), gather(poses)
        rows, steps = yield from _approach(work, poses, rows, gather, min(TOGETHER, iterations), 1.0, asked)
        if steps:
            rows, more = yield from _approach(work, poses, rows, gather, iterations - steps - LAST, 0.0, asked)
            steps += more
    if steps:
        lost = _missing(rows, frames, len(work.root)) > LOST  # they stay smooth rather than try on
        _spread(work, motions, asked, wished or steps > ALONE + 1 or asked.fleeting.any())
        work.free[:, TRUNK] *= STIFF_TRUNK
        for last in range(ROUNDS):
            spread_out = work.change.copy()
            if last == ROUNDS - 1:
                work.free[:, TRUNK] /= STIFF_TRUNK  # what is left is small, and limbs alone don't reach it
            rows, more = yield from _approach(work, poses, gather(poses), gather, LAST, 0.0, asked, lost)
            steps += more
            if not more:
                break
            if last < ROUNDS - 1:
                _spread_rest(work, motions, asked, spread_out)
        rows = _steadied(work, rows, frames, gather, poses)
    parts = [slice(i * frames, (i + 1) * frames) for i in range(len(motions))]
    out = [replace(m, root=work.root[p], rotations=work.local[p]) for m, p in zip(motions, parts, strict=True)]
    return out, _report(before, rows, steps, work.change), poses


# --- steps ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """What rows have asked for so far, in place.

    `columns [B, 23]` bool; `bound [B]`: a number for the items that bind, 0 for nothing; `most [B]`: rows that were
    there at most; `fleeting [B]`: whether some went once they were met (what is to stay out of something).
    """

    columns: np.ndarray
    bound: np.ndarray
    most: np.ndarray
    fleeting: np.ndarray


def _nothing_asked(work):
    count = len(work.root)
    return _Asked(np.zeros((count, COLUMNS), bool), np.zeros(count), np.zeros(count, int), np.zeros(count, bool))


def _approach(work, poses, rows, gather, iterations, pull, asked, lost=False):
    """Steps (yielded, what they moved at most sent back) until all is met, or nothing comes nearer.

    Returns the rows at the end and how many steps were taken.

    `pull` 1: all rows, the whole change kept least; 0: what binds alone, each step least. Bodies that are
    `lost [B]` are left alone.
    """
    persons, frames = poses.places.shape[:2]
    work.held[:], work.damping[:], together, worst = np.inf, HARD_DAMPING, False, []
    done = np.zeros(len(work.root), bool)
    _count(asked, rows, frames)
    for number in range(iterations):
        hard = np.isinf(rows.weight)
        if number > ALONE or not pull:
            done = _missing(rows, frames, len(work.root)) < MET
        left = np.ones(len(rows), bool) if pull else hard
        left = left & ~((lost | done)[rows.person * frames + rows.frame] & hard)
        used = rows if left.all() else select(rows, left)
        if not len(used) or (not pull and np.abs(used.residual).max() < MET):
            break
        ends = _ends(used, frames)
        fresh = _free_pelvis(work, used, ends, number >= ALONE, frames)
        legs = np.repeat(work.freed[:, None], 2, 1)
        work.loose[ends[0][0][used.turning], ends[0][1][used.turning]] = True
        for at, joint in ends:
            work.loose[at[joint == 0], ROOT] = True
            on_leg = LEG_OF[joint] >= 0
            legs[at[on_leg], LEG_OF[joint[on_leg]]] = False
        _ask(asked, used, ends, work.freed)
        if legs.any():
            used = join([used, _stay_rows(ends, legs, work, frames)])
        systems = systems_of(used, persons, frames, together)
        together = systems.bodies.shape[1] > 1
        moved = yield Step(used, systems, legs, pull)
        rows = gather(poses)
        _count(asked, rows, frames)
        hard = np.isinf(rows.weight)
        missing = _missing(rows, frames, len(work.root))
        worst.append(missing.sum())
        met = missing.max() < MET and (hard.all() or moved < STILL)
        stuck = moved < STUCK or min(worst[-PATIENCE:]) > 0.9 * min(worst[:-PATIENCE], default=np.inf) > 0.0
        if met or (stuck and not fresh and number >= ALONE):
            break
    return _hold_best(work, rows, frames, poses, gather), len(worst)


def _hold_best(work, rows, frames, poses, gather):
    """Bodies that their last step took farther from what binds go back to their best pose; the rows then."""
    hard = select(rows, np.isinf(rows.weight))
    merit = np.bincount(hard.person * frames + hard.frame, hard.residual**2 / HARD_DAMPING, len(work.root))
    worse = np.flatnonzero(merit > np.maximum(work.held, WORSE))
    if not len(worse):
        return rows
    back_to(work, worse)
    return gather(poses)


def _free_pelvis(work, rows, ends, late, frames):
    """Whether somebody else's pelvis comes along from now on: where it is asked for, or limbs alone don't do it."""
    needed = [at[joint == 0] for at, joint in ends]
    if late:
        far = np.abs(rows.residual) > np.where(np.isinf(rows.weight), CLOSE, FAR)
        needed += [ends[0][0][far], ends[1][0][far[rows.other_joint >= 0]]]
    if not any(len(at) for at in needed):
        return False
    persons = np.unique(np.concatenate(needed) // frames)
    bodies = (persons[:, None] * frames + np.arange(frames)).ravel()
    fresh = bodies[~work.freed[bodies]]
    work.freed[fresh], work.held[fresh] = True, np.inf
    return len(fresh) > 0


def _count(asked, rows, frames):
    """Notes how many rows bodies have, and which have had more."""
    now = np.bincount(rows.person * frames + rows.frame, minlength=len(asked.most))
    np.maximum(asked.most, now, out=asked.most)
    asked.fleeting[now < asked.most] = True


def _missing(rows, frames, count):
    """Largest residual of what binds on each body `[B]`, metres."""
    out = np.zeros(count)
    np.maximum.at(out, rows.person * frames + rows.frame, np.where(np.isinf(rows.weight), np.abs(rows.residual), 0.0))
    return out


def _ends(rows, frames):
    """Bodies and joints that rows are about: of their first joints, and of the second where there are any."""
    two = rows.other_joint >= 0
    second = (rows.other_person * frames + rows.frame)[two], rows.other_joint[two]
    return (rows.person * frames + rows.frame, rows.joint), second


def _ask(asked, used, ends, freed):
    two, hard = used.other_joint >= 0, np.isinf(used.weight)
    for at, joint in ends:
        np.logical_or.at(asked.columns, at, _HOLDING[joint])
        pelvis = at[freed[at]]
        if len(pelvis):
            asked.columns[pelvis[:, None], LEG_JOINTS[:, :3].ravel()] = True
    at = np.concatenate([ends[0][0][hard], ends[1][0][hard[two]]])
    number = np.concatenate([used.number[hard], used.number[two & hard]])
    asked.bound[at] = 0.0
    for n in np.unique(number):
        asked.bound[np.unique(at[number == n])] += 1.0 + np.sqrt(n + 2.0) % 1.0


def _stay_rows(ends, legs, work, frames):
    """Rows that hold the ankles of free legs in all bodies that rows are about."""
    bodies = np.unique(np.concatenate([at for at, _ in ends]))
    shift = (work.root[bodies] - work.origin.root[bodies]) * [1.0, 1.0, 0.0]
    length = np.sqrt((shift**2).sum(1, keepdims=True))
    follow = shift * np.maximum(1.0 - FOLLOW * work.size[bodies, None] / np.maximum(length, 1e-9), 0.0)
    parts = []
    for side, ankle in enumerate(ANKLES):
        own = legs[bodies, side]
        who = bodies[own]
        missing = work.places[who, ankle] - work.origin.ankles[who, side] - follow[own]
        axes = np.tile(np.eye(3), (len(who), 1))
        parts.append(
            make_rows(np.repeat(who % frames, 3), np.repeat(who // frames, 3), ankle, axes, missing, WISH / STAY, -1)
        )
    return join(parts)


def _steadied(work, rows, frames, gather, poses):
    """The rows once elbows that jumped are back; where something that binds would be missed for it they stay."""
    work.held_local[:], work.held_root[:] = work.local, work.root
    swung = steadied(work, frames)
    if not len(swung):
        return rows
    now = gather(poses)
    worse = _missing(now, frames, len(work.root)) > np.maximum(_missing(rows, frames, len(work.root)), MET)
    if not worse.any():
        return now
    back_to(work, swung)
    return rows


# --- over time --------------------------------------------------------------------------------------------------------


def _spread(work, motions, asked, rough):
    """Changes pass smoothly to and from what rows asked for, and are averaged over time as well if `rough`."""
    change, free, flags, bound, fleeting = _by_person(motions[0].frames, work.change, work.free, *_told(asked))
    for i, motion in enumerate(motions):
        moved = _columns_of(change[i])
        if len(moved):
            fixed, on = free[i][:, moved] == 0, flags[i][:, moved]
            values = soften_jumps(change[i][:, moved], on, bound[i], motion.fps)
            if fleeting[i].any():
                on &= near_peak(values) | ~fleeting[i, :, None]
            out = spread(np.where(fixed[..., None], 0.0, values), on | fixed, motion.fps, fleeting[i])
            change[i][:, moved] = smooth(out, fixed) if rough else out
    _apply_all(work)


def _columns_of(change):
    """Columns that changes `[T, 23, 3]` are of, in order."""
    return np.flatnonzero((change != 0).reshape(len(change), -1).any(0).reshape(COLUMNS, 3).any(1))


def _apply_all(work):
    apply_changes(work, np.flatnonzero((work.change != 0).reshape(len(work.change), -1).any(1)))


def _told(asked):
    return asked.columns, asked.bound, asked.fleeting


def _by_person(frames, *arrays):
    """Arrays `[B, ...]` as `[P, T, ...]`, sharing their memory."""
    return [part.reshape(-1, frames, *part.shape[1:]) for part in arrays]


def _spread_rest(work, motions, asked, before):
    """What the last part changed on bound frames, against `before [B, 23, 3]`, passes smoothly to nothing as well."""
    frames = motions[0].frames
    change, free, flags, bound, fleeting = _by_person(frames, work.change, work.free, *_told(asked))
    for i, (motion, old) in enumerate(zip(motions, *_by_person(frames, before), strict=True)):
        rest = change[i] - old
        moved = _columns_of(rest)
        if len(moved):
            rest, fixed = rest[:, moved], free[i][:, moved] == 0
            on = flags[i][:, moved] & (bound[i] != 0)[:, None]
            if fleeting[i].any():
                on &= near_peak(rest) | ~fleeting[i, :, None]
            out = spread(np.where(fixed[..., None], 0.0, rest), on | fixed, motion.fps, fleeting[i])
            change[i][:, moved] = old[:, moved] + out
    _apply_all(work)


# --- report -----------------------------------------------------------------------------------------------------------


def _report(before, after, steps, change):
    numbers = np.unique(np.concatenate([before.number, after.number]))

    def worst(rows):
        out = np.zeros((2, len(numbers)))  # of places, of turns
        np.maximum.at(out, (rows.turning.astype(int), np.searchsorted(numbers, rows.number)), np.abs(rows.residual))
        return out[0], out[1] / LEVER

    largest = rot.length(change).max(0)
    (placed, turned), (placed_now, turned_now) = worst(before), worst(after)
    errors = placed, placed_now, turned, turned_now
    return MeetReport(numbers, *errors, steps, float(largest[:ROOT].max()), float(largest[ROOT]))
