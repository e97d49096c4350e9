"""Steps of several takes computed at once: small problems, whose time goes into calls and not into numbers.

Each take goes its own way (goals), as a generator that yields the steps it wants; those of a kind are joined to one.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..constraints.rows import Rows, join
from ..skeleton import LEG_JOINTS
from .step import Systems, merits, step
from .stiffness import HOLDERS, ROOT
from .work import in_parents, keep_feet, move, state_of

HARD_DAMPING, MOST_DAMPING = 1e-5, 1e-1  # metres squared, of what binds
SHORTEN = 0.3  # share of a step that is tried next where the whole of it made things worse
WORSE = 1e-3  # merit under which a system is not asked whether it got worse


@dataclass(frozen=True)
class Step:
    """A step that a take wants: of rows in systems of its bodies, with `legs [B, 2]` that follow freely."""

    rows: Rows
    systems: Systems
    legs: np.ndarray
    pull: float


def in_lockstep(work, runs, size):
    """What runs return, each over `size` bodies of the work; their steps of a kind are taken at once."""
    out, wanted = [None] * len(runs), {}

    def go_on(i, moved):
        try:
            wanted[i] = runs[i].send(moved)
        except StopIteration as end:
            out[i] = end.value
            wanted.pop(i, None)

    for i in range(len(runs)):
        go_on(i, None)
    while wanted:
        kinds = {}
        for i, one in wanted.items():
            kinds.setdefault((one.pull, one.systems.bodies.shape[1]), []).append(i)
        for alike in kinds.values():
            steps = [wanted[i] for i in alike]
            moved = _advance(work, *_joined(steps, np.array(alike) * size, len(work.root)), steps[0].pull)
            ends = np.cumsum([len(s.systems.bodies) for s in steps])[:-1]
            for i, of_run in zip(alike, np.split(moved, ends), strict=True):
                go_on(i, float(of_run.max()))
    return out


def _joined(steps, first, count):
    """(rows, systems, legs `[count, 2]`) of several takes' steps; `first`: the numbers of their first bodies."""
    legs = np.zeros((count, 2), bool)
    for one, at in zip(steps, first, strict=True):
        legs[at : at + len(one.legs)] = one.legs
    if len(steps) == 1:
        return steps[0].rows, replace(steps[0].systems, bodies=steps[0].systems.bodies + first[0]), legs
    so_far = np.cumsum([0, *(len(s.systems.bodies) for s in steps[:-1])])
    return (
        join([s.rows for s in steps]),
        Systems(
            np.concatenate([s.systems.bodies + at for s, at in zip(steps, first, strict=True)]),
            np.concatenate([s.systems.system + n for s, n in zip(steps, so_far, strict=True)]),
            *(np.concatenate([getattr(s.systems, name) for s in steps]) for name in ("member", "other")),
        ),
        legs,
    )


def _advance(work, rows, systems, legs, pull):
    """One step of all systems, a shorter one where the last made things worse; the largest turn or shift `[S]`."""
    bodies = systems.bodies
    at, group = bodies.ravel(), bodies.shape[1]
    merit = merits(rows, systems, HARD_DAMPING)
    worse = np.repeat(merit > np.maximum(work.held[bodies].max(1), WORSE), group)
    good, bad = at[~worse], at[worse]
    work.held[good], work.held_local[good] = np.repeat(merit, group)[~worse], work.local[good]
    work.held_root[good] = work.root[good]
    work.damping[good] = np.maximum(0.25 * work.damping[good], HARD_DAMPING)
    work.damping[bad] = np.minimum(10.0 * work.damping[bad], MOST_DAMPING)
    asked = np.zeros(len(HOLDERS), bool)
    asked[rows.joint] = asked[rows.other_joint[rows.other_joint >= 0]] = True
    moving = HOLDERS[asked].any(0)
    moving[0] = work.freed[at].any()
    moving[LEG_JOINTS[:, :3]] |= legs.any()
    joints = np.flatnonzero(moving)
    state = state_of(work, bodies, joints, legs)
    moved, back = step(rows, systems, state, work.damping[bodies].max(1), pull)
    work.blocked[at] = np.where(back.reshape(len(at), -1), 0.0, work.blocked[at])
    if legs.any():
        keep_feet(work, at, joints, legs, moved.reshape(len(at), len(joints) + 1, 3))
    tried = in_parents(state.above, moved).reshape(len(at), len(joints) + 1, 3)
    columns = np.append(joints, ROOT)
    tried[worse] = SHORTEN * work.trial[bad[:, None], columns]
    work.trial[at] = 0.0
    work.trial[at[:, None], columns] = tried
    move(work, at, joints, tried)
    return np.abs(tried).reshape(len(bodies), -1).max(1)
