"""One damped Gauss-Newton step towards all rows: small systems, one a frame (and person), solved together.

The change that costs least against the compliances C and meets the linearised rows J z = b is z = C J^T (J C J^T + D)^-1
b, with D the damping (next to nothing for what binds, the inverse of its strength for a wish): damped least squares in
its dual form (Wampler 1986, Nakamura and Hanafusa 1986, with a weighted norm), whose systems are as large as the rows
are many and not as the unknowns.
"""

from dataclasses import dataclass

import numpy as np

from ..skeleton import PARENTS
from .chain import ANCESTORS, derivatives
from .stiffness import COLUMNS, HINGES, ROOT, SIDE, TWIST, HINGE_COMPLIANCE, cross, turn
from .. import rotations as rot

WISH = 0.02  # metres squared: damping of a wish of weight 1
SIZES = (6, 12, 24, 48, 1 << 30)  # systems are padded to the largest of their class
PRE_BENT = 0.06  # radians: a limb that is straighter is taken to be bent so far, for else nothing would bend it
PER_STEP = 0.6  # radians that a joint turns at most in a step ...
SHIFT_PER_STEP = 0.25  # ... and metres that the root moves


@dataclass(frozen=True)
class State:
    """Poses of B bodies-at-a-frame: what a step is taken from.

    `places [B, 22, 3]`, `turns [B, 22, 4]` (world); `change [B, 23, 3]`: the change made so far, each joint's in its
    parent's axes, the root's shift in the world's. `free [B, 23]`: compliances, 0 where nothing may move. `hinge
    [B, 4, 3]` in the parents' axes, `bent [B, 4]` radians; `blocked [B, 4]`: 1 a hinge at its lower limit, -1 at its
    upper, 0 free.
    """

    places: np.ndarray
    turns: np.ndarray
    change: np.ndarray
    free: np.ndarray
    hinge: np.ndarray
    bent: np.ndarray
    blocked: np.ndarray


@dataclass(frozen=True)
class Systems:
    """Which rows and which bodies belong together: S systems of G bodies each.

    `bodies [S, G]`: numbers person * T + frame. `system [R]`: of each row. `member [R]`, `other [R]`: which of the
    system's bodies the row and its second joint are of.
    """

    bodies: np.ndarray
    system: np.ndarray
    member: np.ndarray
    other: np.ndarray


def systems_of(rows, persons, frames, together=False):
    """Systems of all rows: one a person and frame, or one a frame if rows bind persons to each other (or `together`)."""
    if together or persons > 1 and ((rows.other_joint >= 0) & (rows.other_person != rows.person)).any():
        found, system = np.unique(rows.frame, return_inverse=True)
        bodies = found[:, None] + frames * np.arange(persons)
        return Systems(bodies, system, rows.person, np.maximum(rows.other_person, 0))
    found, system = np.unique(rows.person * frames + rows.frame, return_inverse=True)
    return Systems(found[:, None], system, np.zeros_like(system), np.zeros_like(system))


def merits(rows, systems, hard_damping):
    """How far each system is from its rows `[S]`: half the damped sum of squares; the lower the better."""
    return np.bincount(systems.system, rows.residual**2 / damping(rows, hard_damping), len(systems.bodies))


def damping(rows, hard):
    """Damping of each row: `hard` (a number or `[R]`) for what binds."""
    return np.where(np.isinf(rows.weight), hard, WISH / np.maximum(rows.weight, 1e-9))


def step(rows, systems, state, hard_damping, pull):
    """World turns and shifts `[S, G, 23, 3]` of the next step, and the hinges that want to leave their limit `[S, G, 4]`.

    `hard_damping [S]`. `pull` 1: the whole change from the motion before is to be least; 0: this step is.
    `state` holds the bodies of all systems, in order.
    """
    count, group = systems.bodies.shape
    out, leave = np.zeros((count, group, COLUMNS, 3)), np.zeros((count, group, 4), bool)
    many = np.bincount(systems.system, minlength=count)
    damp, low = damping(rows, hard_damping[systems.system]), 0
    for high in SIZES:
        chosen = np.flatnonzero((many > low) & (many <= high))
        low = high
        if len(chosen):
            out[chosen], leave[chosen] = _solve(rows, systems, state, damp, pull, chosen, many)
    largest = np.sqrt((out**2).sum(-1))
    most = np.maximum(largest[..., :ROOT].max((1, 2)) / PER_STEP, largest[..., ROOT].max(1) / SHIFT_PER_STEP)
    return out / np.maximum(most, 1.0)[:, None, None, None], leave


def _solve(rows, systems, state, damp, pull, chosen, many):
    group = systems.bodies.shape[1]
    own = (chosen[:, None] * group + np.arange(group)).ravel()
    index, slot, width = _padding(systems.system, chosen, many)

    def padded(values, fill=0):
        laid = np.full((len(chosen), width, *values.shape[1:]), fill, values.dtype)
        laid[slot] = values[index]
        return laid

    here = [v[own].reshape(len(chosen), group, *v.shape[1:]) for v in (state.places, state.change, state.free)]
    places, change, free = here
    world_parents = _parents(state.turns[own]).reshape(len(chosen), group, COLUMNS - 1, 4)
    axes = [v[own].reshape(len(chosen), group, *v.shape[1:]) for v in (state.hinge, state.bent, state.blocked)]
    hinge = turn(world_parents[:, :, HINGES], axes[0])
    turning = padded(rows.turning)
    jacobian = _jacobian(padded, rows, systems, places, turning, hinge, axes[1])
    soft = _softness(places, hinge, axes[2], free)
    flat = jacobian.reshape(len(chosen), width, -1)
    eased = _eased(jacobian, free, soft).reshape(flat.shape)
    before = _so_far(change, world_parents, hinge, axes[2], free) * pull
    wanted = flat @ before.reshape(len(chosen), -1, 1) - padded(rows.residual)[..., None]
    matrix = eased @ flat.transpose(0, 2, 1)
    diagonal = np.arange(width)
    matrix[:, diagonal, diagonal] += padded(damp, 1.0)
    force = np.linalg.solve(matrix, wanted)
    moved = (eased.transpose(0, 2, 1) @ force).reshape(before.shape) - before
    pushed = (flat.transpose(0, 2, 1) @ force).reshape(before.shape)[:, :, HINGES]
    return moved, (pushed * hinge).sum(-1) * axes[2] > 0


def _padding(system, chosen, many):
    """Rows of the chosen systems, where they go, and the width of their systems."""
    place = np.full(len(many), -1)
    place[chosen] = np.arange(len(chosen))
    index = np.flatnonzero(place[system] >= 0)
    index = index[np.argsort(place[system[index]], kind="stable")]
    row = place[system[index]]
    starts = np.concatenate([[0], np.cumsum(many[chosen])])
    return index, (row, np.arange(len(index)) - starts[row]), int(many[chosen].max())


def _parents(turns):
    """World turns `[B, 22, 4]` of each joint's parent; nothing for the pelvis."""
    out = turns[:, np.maximum(PARENTS, 0)]
    out[:, 0] = rot.IDENTITY
    return out


def _jacobian(padded, rows, systems, places, turning, hinge, bent):
    """`[S, R, G, 23, 3]`."""
    group = places.shape[1]
    first = _of_body(padded(systems.member), padded(rows.joint), padded(rows.normal), turning, places, hinge, bent)
    if (rows.other_joint < 0).all():
        return first
    there = padded((rows.other_joint >= 0).astype(float))
    normal = padded(rows.other_normal) * there[..., None]
    joint = np.maximum(padded(rows.other_joint), 0)
    second = _of_body(padded(systems.other), joint, normal, turning, places, hinge, bent)
    return first + second


def _of_body(member, joint, normal, turning, places, hinge, bent):
    group = places.shape[1]
    number = np.arange(len(places))[:, None]
    body = places if group == 1 else places[number, member]
    out = derivatives(joint, normal, turning, body)
    axis = hinge if group == 1 else hinge[number, member]
    ahead = np.maximum(PRE_BENT - (bent if group == 1 else bent[number, member]), 0.0)
    out[..., HINGES, :] += _pre_bent(out[..., HINGES, :], joint, normal, turning, body, axis, ahead)
    if group == 1:
        return out[:, :, None]
    return out[:, :, None] * (member[..., None] == np.arange(group))[..., None, None]


def _pre_bent(columns, joint, normal, turning, body, axis, ahead):
    """What the derivatives by nearly straight hinges lack against those of a limb a little more bent."""
    if not (ahead > 0).any():
        return 0.0
    along = (columns * axis).sum(-1)
    at = body[np.arange(len(body))[:, None], np.arange(joint.shape[1]) if body.shape[1] > 1 else 0, joint]
    lever = at[..., None, :] - body[..., HINGES, :]
    lever = lever - (lever * axis).sum(-1, keepdims=True) * axis
    inward = (lever * normal[..., None, :]).sum(-1)
    extra = (np.cos(ahead) - 1) * along - np.sin(ahead) * inward
    moves = ANCESTORS[joint][..., HINGES] & ~turning[..., None]
    return np.where(moves, extra, 0.0)[..., None] * axis


def _softness(places, hinge, blocked, free):
    """Compliances `[S, G, 4, 3, 3]` of the hinges in the world: about the hinge, the forearm, and square to both."""
    bone = places[:, :, HINGES] - places[:, :, PARENTS[HINGES]]
    bone = bone - (bone * hinge).sum(-1, keepdims=True) * hinge
    twist = rot.normalize(bone)
    about = np.where(blocked != 0, 0.0, HINGE_COMPLIANCE) - SIDE
    out = np.eye(3) * SIDE[:, None, None] + about[..., None, None] * hinge[..., :, None] * hinge[..., None, :]
    out = out + (TWIST - SIDE)[:, None, None] * twist[..., :, None] * twist[..., None, :]
    # A blocked hinge keeps nothing of the stiff share about its own axis either.
    return out * (free[:, :, HINGES] > 0)[..., None, None]


def _eased(jacobian, free, soft):
    """C J^T, transposed: `[S, R, G, 23, 3]`."""
    out = jacobian * free[:, None, :, :, None]
    out[:, :, :, HINGES] = (jacobian[:, :, :, HINGES][..., None, :] @ soft[:, None])[..., 0, :]
    return out


def _so_far(change, world_parents, hinge, blocked, free):
    """The change made so far in world axes, of what is free to move."""
    out = change.copy()
    out[:, :, :ROOT] = turn(world_parents, change[:, :, :ROOT])
    at = out[:, :, HINGES]
    out[:, :, HINGES] = at - ((at * hinge).sum(-1) * (blocked != 0))[..., None] * hinge
    return out * (free > 0)[..., None]
