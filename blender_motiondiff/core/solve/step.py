"""One damped Gauss-Newton step towards all rows: small systems, one a frame (and person), solved together.

The change that costs least against compliances C and meets the linearised rows J z = b is z = C J^T (J C J^T + D)^-1 b,
with D the damping (next to nothing for what binds, the inverse of its strength for a wish): damped least squares in its
dual form (Wampler 1986, Nakamura and Hanafusa 1986, with a weighted norm), whose systems are as large as the rows are
many and not as the unknowns.
"""

from dataclasses import dataclass

import numpy as np

from .. import rotations as rot
from .stiffness import ANCESTORS, HINGE_COMPLIANCE, HOLDERS, PARENTS, SIDE, TWIST

WISH = 0.003  # metres squared: damping of a wish of weight 1
SIZES = (6, 12, 24, 48)  # rows: systems are padded to the largest of their class
PRE_BENT = 0.06  # radians: a limb that is straighter is taken to be bent so far, for else nothing would bend it
PER_STEP = 0.6  # radians that a joint turns at most in a step ...
SHIFT_PER_STEP = 0.25  # ... and metres that the root moves
_MOVES = ANCESTORS.astype(float)


@dataclass(frozen=True)
class State:
    """Poses of S systems of G bodies each: what a step is taken from. Only `joints [K]`, rising, and the root move.

    `places [S, G, 22, 3]` metres; `above [S, G, K, 4]`: world turns of the joints' parents; `change [S, G, K + 1, 3]`
    made so far, each joint's in its parent's axes, last the root's shift. `free [S, G, K + 1]`: compliances, 0 where
    nothing may move. `hinge [S, G, 4, 3]` in the world, `bent [S, G, 4]` radians; `blocked [S, G, 4]`: 1 a hinge at its
    lower limit, -1 at its upper, 0 free. `hinges`: which of HINGES there are among the joints, and where they stand
    there.
    """

    joints: np.ndarray
    places: np.ndarray
    above: np.ndarray
    change: np.ndarray
    free: np.ndarray
    hinge: np.ndarray
    bent: np.ndarray
    blocked: np.ndarray
    hinges: tuple

    def of(self, chosen):
        """The state of some systems."""
        parts = (self.places, self.above, self.change, self.free, self.hinge, self.bent, self.blocked)
        return State(self.joints, *(part[chosen] for part in parts), self.hinges)


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
    """Systems of all rows: one a person and frame, or one a frame if rows bind persons to each other or `together`."""
    together = together or bool(((rows.other_joint >= 0) & (rows.other_person != rows.person)).any())
    if together and persons > 1:
        found, system = np.unique(rows.frame, return_inverse=True)
        bodies = found[:, None] + frames * np.arange(persons)
        return Systems(bodies, system, rows.person, np.maximum(rows.other_person, 0))
    found, system = np.unique(rows.person * frames + rows.frame, return_inverse=True)
    return Systems(found[:, None], system, np.zeros_like(system), np.zeros_like(system))


def damping(rows, hard):
    """Damping of each row: `hard` (a number or `[R]`) for what binds."""
    return np.where(np.isinf(rows.weight), hard, WISH / np.maximum(rows.weight, 1e-9))


def merits(rows, systems, hard):
    """How far each system is from its rows `[S]`: the damped sum of squares; the lower the better."""
    return np.bincount(systems.system, rows.residual**2 / damping(rows, hard), len(systems.bodies))


def step(rows, systems, state, hard_damping, pull):
    """World turns and shifts `[S, G, K + 1, 3]` of the next step, and which blocked hinges want back `[S, G, 4]`.

    `hard_damping [S]`. `pull` 1: the whole change from the motion before is to be least; 0: this step is.
    """
    out, back = np.zeros(state.change.shape), np.zeros(state.blocked.shape, bool)
    many = np.bincount(systems.system, minlength=len(out))
    damp, kind = damping(rows, hard_damping[systems.system]), np.searchsorted(SIZES, many)
    for one in range(kind.min(), kind.max() + 1):
        chosen = np.flatnonzero(kind == one)
        if len(chosen) == len(out):
            out, back = _solve(_padded(rows, systems, damp, chosen, many), state, pull)
        elif len(chosen):
            out[chosen], back[chosen] = _solve(_padded(rows, systems, damp, chosen, many), state.of(chosen), pull)
    length = rot.length(out)
    most = np.maximum(length[..., :-1].max((1, 2)) / PER_STEP, length[..., -1].max(1) / SHIFT_PER_STEP)
    out /= np.maximum(most, 1.0)[:, None, None, None]
    return out, back


@dataclass(frozen=True)
class _Padded:
    """Rows of some systems laid out as `[N, W]`, W the most that one has; missing ones are 0.

    `turning` is None where no row is; `second`: joints, normals and members of the rows' second joints, None without.
    """

    joint: np.ndarray
    normal: np.ndarray
    member: np.ndarray
    residual: np.ndarray
    damp: np.ndarray
    turning: np.ndarray | None
    second: tuple | None


def _padded(rows, systems, damp, chosen, many):
    place = np.full(len(many), -1)
    place[chosen] = np.arange(len(chosen))
    row = place[systems.system]
    order = np.argsort(row, kind="stable")[np.count_nonzero(row < 0) :]
    row, width = row[order], int(many[chosen].max())
    slot = row * width + np.arange(len(order)) - (np.cumsum(many[chosen]) - many[chosen])[row]

    def laid(values, fill=0):
        out = np.full((len(chosen) * width, *values.shape[1:]), fill, values.dtype)
        out[slot] = values[order]
        return out.reshape(len(chosen), width, *values.shape[1:])

    two, second = rows.other_joint >= 0, None
    if two[order].any():
        normal = np.where(two[:, None], rows.other_normal, 0.0)
        second = laid(np.maximum(rows.other_joint, 0)), laid(normal), laid(systems.other)
    turning = laid(rows.turning) if rows.turning[order].any() else None
    return _Padded(
        laid(rows.joint), laid(rows.normal), laid(systems.member), laid(rows.residual), laid(damp, 1.0), turning, second
    )


def _solve(rows, state, pull):
    jacobian = _columns(state, rows.joint, rows.normal, rows.member, rows.turning)
    if rows.second is not None:
        jacobian += _columns(state, *rows.second, rows.turning)
    count, width = rows.residual.shape
    flat = jacobian.reshape(count, width, -1)
    eased = _eased(jacobian, state).reshape(flat.shape)
    wanted = -rows.residual[..., None]
    so_far = _so_far(state) * pull if pull else None
    if pull:
        wanted = wanted + flat @ so_far.reshape(count, -1, 1)
    matrix = eased @ flat.transpose(0, 2, 1)
    matrix[:, np.arange(width), np.arange(width)] += rows.damp
    force = solve_positive(matrix, wanted[..., 0])[..., None]
    moved = (eased.transpose(0, 2, 1) @ force).reshape(state.change.shape)
    back = np.zeros(state.blocked.shape, bool)
    if state.blocked.any():
        there, at = state.hinges
        pushed = (flat.transpose(0, 2, 1) @ force).reshape(state.change.shape)[:, :, at]
        back[..., there] = rot.dot(pushed, state.hinge[:, :, there]) * state.blocked[..., there] > 0
    return (moved - so_far if pull else moved), back


def solve_positive(matrix, right):
    """Solutions `[N, W]` of many small symmetric positive definite systems `[N, W, W]`, `right [N, W]`.

    Cholesky's factorisation, all systems at once: LAPACK one by one is slower for these sizes, and threads of a BLAS
    that has them wait for one another at every system.
    """
    left, out = matrix.transpose(1, 2, 0).copy(), right.T.copy()
    width = len(left)
    for j in range(width):
        left[j, j] = 1.0 / np.sqrt(left[j, j])
        if j + 1 < width:
            left[j + 1 :, j] *= left[j, j]
            below = left[j + 1 :, j]
            left[j + 1 :, j + 1 :] -= below[:, None] * below[None]
        out[j] *= left[j, j]
        out[j + 1 :] -= left[j + 1 :, j] * out[j]
    for j in range(width - 1, -1, -1):
        out[j] *= left[j, j]
        out[:j] -= left[j, :j] * out[j]
    return out.T


def _columns(state, joint, normal, member, turning):
    """How residuals change by every joint's turn in the world and the root's shift: `[S, W, G, K + 1, 3]`."""
    group, number = state.places.shape[1], np.arange(len(joint))[:, None]
    which = (slice(None), slice(None)) if group == 1 else (number, member)  # each row's body, or the only one
    lever = state.places[number, member, joint][:, :, None] - state.places[:, :, state.joints][which]
    out = np.empty((*joint.shape, len(state.joints) + 1, 3))
    moved = out[..., :-1, :]
    below = _MOVES[:, state.joints][joint]
    moved[:] = rot.cross(lever, normal[:, :, None] * below[..., None])
    out[..., -1, :] = normal
    _pre_bend(moved, lever, normal, state, which)
    if turning is not None:
        moved[turning] = (normal[:, :, None] * HOLDERS[joint][..., state.joints, None])[turning]
        out[turning, -1] = 0.0
    if group == 1:
        return out[:, :, None]
    whole = np.zeros((*joint.shape, group, *out.shape[2:]))
    whole[number, np.arange(joint.shape[1]), member] = out
    return whole


def _pre_bend(moved, lever, normal, state, which):
    """Turns the derivatives by nearly straight hinges into those of a limb a little more bent."""
    there, at = state.hinges
    ahead = np.maximum(PRE_BENT - state.bent[..., there], 0.0)
    if not ahead.any():
        return
    ahead, axis, lever = ahead[which], state.hinge[..., there, :][which], lever[:, :, at]
    along = rot.dot(moved[:, :, at], axis)
    lever = lever - rot.dot(lever, axis)[..., None] * axis
    inward = rot.dot(lever, normal[:, :, None]) * (along != 0)
    moved[:, :, at] += ((np.cos(ahead) - 1) * along - np.sin(ahead) * inward)[..., None] * axis


def _eased(jacobian, state):
    """C J^T, transposed: `[S, W, G, K + 1, 3]`. Hinges give way about their axis, the bone, and square to both."""
    there, at = state.hinges
    out = jacobian * state.free[:, None, :, :, None]
    if len(there) == 0:
        return out
    hinge, side, twist = state.hinge[:, :, there], SIDE[there], TWIST[there]
    joints = state.joints[at]
    bone = state.places[:, :, joints] - state.places[:, :, PARENTS[joints]]
    bone = rot.normalize(bone - rot.dot(bone, hinge)[..., None] * hinge)
    about = np.where(state.blocked[..., there] != 0, 0.0, HINGE_COMPLIANCE) - side
    soft = np.eye(3) * side[:, None, None] + about[..., None, None] * hinge[..., :, None] * hinge[..., None, :]
    soft = soft + (twist - side)[:, None, None] * bone[..., :, None] * bone[..., None, :]
    soft = soft * (state.free[:, :, at] > 0)[..., None, None]
    part = jacobian[:, :, :, at]
    out[:, :, :, at] = (
        part[..., :1] * soft[:, None, ..., 0]
        + part[..., 1:2] * soft[:, None, ..., 1]
        + part[..., 2:] * soft[:, None, ..., 2]
    )
    return out


def _so_far(state):
    """The change made so far in world axes, of what is free to move: `[S, G, K + 1, 3]`."""
    out = np.empty(state.change.shape)
    out[..., :-1, :], out[..., -1, :] = rot.rotate(state.above, state.change[..., :-1, :]), state.change[..., -1, :]
    there, at = state.hinges
    held = state.blocked[..., there] != 0
    if held.any():
        axis = state.hinge[:, :, there]
        out[:, :, at] -= (rot.dot(out[:, :, at], axis) * held)[..., None] * axis
    return out * (state.free > 0)[..., None]
