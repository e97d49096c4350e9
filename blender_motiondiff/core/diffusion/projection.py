"""Joint positions moved onto linear observations in closed form, neighbours in body and time following smoothly.

ProjFlow (2026): x' = x + K M' (M K M' + S)^-1 (y - M x), the smallest move in the metric K^-1 that meets the rows M
with variances S. K is a product of two small kernels: over the body the inverse of the skeleton's Laplacian plus a
stiffness, over time a Wendland function, whose norm is that of accelerations (the metric D2'D2 + mu) and which is
exactly 0 beyond REACH. So what is far from every observation is left as it is bit by bit, and the system over the
observations is block-tridiagonal: cost and memory grow linearly with the length of the clip.

A row is the place of one joint, or of one minus another (contacts), at a frame. The three axes share one matrix where
the same of them are bound. A Projector holds the factors; every step and every take uses it again.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from ..motion import FPS
from ..skeleton import COUNT
from .kernels import REACH, STIFFNESS, skeleton_kernel, time_kernel

FREE = np.inf  # variance of an axis that is not bound
MOST = 150  # observations a REACH of time, see `thin`
FADED = 0.9  # level (square root of alpha-bar) from which pseudo-observations are gone
SPARSE = 0.25  # seconds between keys of a joint from which pseudo-observations are put between them
EVERY = 0.2  # seconds between these
JITTER = 1e-10  # keeps the system solvable where rows depend on each other; refinement takes its effect out again


@dataclass(frozen=True)
class Observations:
    """N linear observations of joint places.

    `frame [N]`, `person [N]`, `joint [N]`; `other_person [N]`, `other_joint [N]`: -1, or the joint whose place (at the
    same frame) is subtracted. `wanted [N, 3]` metres (a leading axis of takes may stand before). `variance [N, 3]`
    relative to the metric's own of about 1: 0 exact, 1 leaves about half of the residual, FREE leaves the axis alone.
    `yields [N, 2]`: how far the joint and the other one may be moved, 1 unless `precompute` is told otherwise.
    """

    frame: np.ndarray
    person: np.ndarray
    joint: np.ndarray
    wanted: np.ndarray
    variance: np.ndarray
    other_person: np.ndarray
    other_joint: np.ndarray
    yields: np.ndarray

    def __len__(self):
        return len(self.frame)


def observe(frame, joint, wanted, variance=0.0, person=0, other=None):
    """Observations from arrays or single values that broadcast to N = len(wanted). `other`: (person, joint).

    NaN in `wanted` leaves that axis free. `variance`: a number, `[N]` or `[N, 3]`.
    """
    wanted = np.asarray(wanted, float)
    count = wanted.shape[-2]
    variance = np.asarray(variance, float)
    variance = np.broadcast_to(variance[:, None] if variance.ndim == 1 else variance, (count, 3))
    free = np.isnan(wanted).any(tuple(range(wanted.ndim - 2)))
    ints = [
        np.broadcast_to(np.asarray(v, np.int64), count).copy() for v in (frame, person, joint, *(other or (-1, -1)))
    ]
    frame, person, joint, other_person, other_joint = ints
    return Observations(
        frame, person, joint, np.nan_to_num(wanted), np.where(free, FREE, variance), other_person, other_joint,
        np.ones((count, 2)),
    )  # fmt: skip


def select(observations, index):
    """Some of the observations."""
    o = observations
    return Observations(
        o.frame[index], o.person[index], o.joint[index], o.wanted[..., index, :], o.variance[index],
        o.other_person[index], o.other_joint[index], o.yields[index],
    )  # fmt: skip


def merge(parts):
    """All observations of several Observations, in order."""
    parts = list(parts)
    axis = {"wanted": -2}
    return Observations(
        *(np.concatenate([getattr(p, f.name) for p in parts], axis.get(f.name, 0)) for f in fields(Observations))
    )


# --- the projector ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Axis:
    """One or more axes with the same bound observations: `axes`, `index [M]` into the sorted observations.

    `cuts`: where each block of them ends; `inverse`, `across`, `whole`: a block's inverted pivot, its coupling to the
    block before, its own part of the system.
    """

    axes: tuple
    index: np.ndarray
    cuts: np.ndarray
    inverse: tuple
    across: tuple
    whole: tuple


@dataclass(frozen=True)
class Piece:
    """How observations of about REACH of time move one person: K M' in its two factors.

    `rows [E]` of the observations pull; `over_body [G * 22, E]` spreads their pulls over the body at G frames,
    `over_time [S, G]` those over S frames from `begin` on (which may lie before the clip).
    """

    person: int
    rows: np.ndarray
    over_body: np.ndarray
    begin: int
    over_time: np.ndarray


@dataclass(frozen=True)
class Projector:
    """The factorised system of some observations (sorted by frame) for clips of any length and any number of takes."""

    observations: Observations
    systems: tuple
    pieces: tuple
    movable: np.ndarray | None


def precompute(observations, fps=FPS, reach=REACH, stiffness=STIFFNESS, movable=None):
    """A Projector for `observations`.

    Exact ones may say the same thing twice; where they contradict each other they are met in the least squares.
    `movable [P, T, 22]`, 0 to 1: how far joints yield (the metric is m K m): what is kept, or belongs to somebody
    animated already, is 0 and is not moved, and others go the whole way; rows about such joints alone are left out.
    """
    o = select(observations, np.argsort(observations.frame, kind="stable"))
    if movable is not None:
        own = movable[o.person, o.frame, o.joint]
        other = np.where(o.other_joint >= 0, movable[o.other_person, o.frame, o.other_joint], 0.0)
        o = replace(o, yields=np.stack([own, other], -1))
        o = select(o, o.yields.max(-1) > 1e-3)
    body, span = skeleton_kernel(stiffness), reach * fps
    systems, patterns = [], {}
    for axis in range(3):
        patterns.setdefault(o.variance[:, axis].tobytes(), []).append(axis)
    for axes in patterns.values():
        variance = o.variance[:, axes[0]]
        index = np.flatnonzero(np.isfinite(variance))
        if len(index):
            systems.append(_factorise(tuple(axes), index, select(o, index), variance[index], body, span))
    return Projector(o, tuple(systems), tuple(_pieces(o, body, span)), movable)


def project(places, frames, joints, wanted, variance=0.0, fps=FPS):
    """`places [..., T, 22, 3]` of one person with `joints [N]` at `frames [N]` at `wanted [N, 3]` metres.

    `variance`: see Observations.
    """
    projector = precompute(observe(frames, joints, wanted, variance), fps)
    return apply(projector, np.asarray(places)[..., None, :, :, :])[..., 0, :, :, :]


def apply(projector, places):
    """`places [..., P, T, 22, 3]` (metres, the world) moved onto the projector's observations; same shape and dtype."""
    out = places.copy()
    _move(projector, places, out)
    return out


def correction(projector, places):
    """By how much `apply` moves `places [..., P, T, 22, 3]`: the same shape and dtype."""
    out = np.zeros(places.shape, places.dtype)
    _move(projector, places, out)
    return out


def _move(projector, places, out):
    """Adds the correction of `places` into `out`."""
    o, lead = projector.observations, places.shape[:-4]
    flat = places.reshape(-1, *places.shape[-4:])
    missing = np.broadcast_to(o.wanted, (*lead, len(o), 3)).reshape(len(flat), len(o), 3) - _seen(o, flat)
    pulls = np.zeros_like(missing)
    for system in projector.systems:
        right = missing[:, system.index][..., list(system.axes)]  # [takes, M, axes]
        columns = np.moveaxis(right, 1, 0).reshape(len(system.index), -1)
        found = _solve(system, columns)
        found = np.moveaxis(found.reshape(len(system.index), len(flat), -1), 0, 1)
        pulls[:, system.index[:, None], list(system.axes)] = found
    _spread(projector, pulls, out.reshape(*flat.shape[:3], -1))


def residual(observations, places):
    """wanted - M x `[..., N, 3]` metres of `places [..., P, T, 22, 3]`, 0 on free axes."""
    missing = observations.wanted - _seen(observations, places)
    return np.where(np.isfinite(observations.variance), missing, 0.0)


def _seen(o, places):
    seen = places[..., o.person, o.frame, o.joint, :].astype(float)
    two = np.flatnonzero(o.other_joint >= 0)
    seen[..., two, :] -= places[..., o.other_person[two], o.frame[two], o.other_joint[two], :]
    return seen


def _covariance(a, b, body, reach):
    """M_a K M_b' `[A, B]`: kernels of a row's one or two joints with another's, persons being independent."""
    total = np.zeros((len(a), len(b)))
    for person, joint, yields in _sides(a):
        for person_b, joint_b, yields_b in _sides(b):
            same = (person[:, None] == person_b) & (joint[:, None] >= 0) & (joint_b >= 0)
            total += np.where(same, yields[:, None] * yields_b * body[joint[:, None], joint_b], 0.0)
    return total * time_kernel(a.frame[:, None] - b.frame, reach)


def _sides(o):
    """A row's entries: the joint and, with the opposite sign, the other one."""
    return (o.person, o.joint, o.yields[:, 0]), (o.other_person, o.other_joint, -o.yields[:, 1])


def _factorise(axes, index, o, variance, body, reach):
    """Block Cholesky (as LDL') of M K M' + S; blocks are at least `reach` frames long, so only neighbours couple."""
    number = ((o.frame - o.frame[0]) // np.ceil(reach)).astype(int)
    cuts = np.append(np.flatnonzero(np.diff(number)) + 1, len(o))
    inverse, across, whole, begin, before = [], [], [], 0, None
    for block, end in enumerate(cuts):
        here = select(o, slice(begin, end))
        own = _covariance(here, here, body, reach) + np.diag(variance[begin:end])
        pivot, coupling = own, None
        if block:
            coupling = _covariance(here, before, body, reach)
            pivot = own - coupling @ inverse[-1] @ coupling.T
        inverse.append(np.linalg.inv(pivot + JITTER * np.eye(len(pivot))))
        across.append(coupling)
        whole.append(own)
        begin, before = end, here
    return Axis(axes, index, cuts, tuple(inverse), tuple(across), tuple(whole))


def _solve(system, right):
    """Solves for columns `[M, K]`; refined twice, as dense exact rows make the system ill-conditioned."""
    found = _sweep(system, right)
    for _ in range(2):
        found += _sweep(system, right - _product(system, found))
    return found


def _parts(system):
    return [slice(a, b) for a, b in zip(np.append(0, system.cuts[:-1]), system.cuts, strict=True)]


def _sweep(system, right):
    """Forward and backward substitution over the blocks."""
    parts, out = _parts(system), right.copy()
    for i in range(1, len(parts)):
        out[parts[i]] -= system.across[i] @ (system.inverse[i - 1] @ out[parts[i - 1]])
    for i in reversed(range(len(parts))):
        if i + 1 < len(parts):
            out[parts[i]] -= system.across[i + 1].T @ out[parts[i + 1]]
        out[parts[i]] = system.inverse[i] @ out[parts[i]]
    return out


def _product(system, x):
    parts, out = _parts(system), np.empty_like(x)
    for i, here in enumerate(parts):
        out[here] = system.whole[i] @ x[here]
        if i:
            out[here] += system.across[i] @ x[parts[i - 1]]
            out[parts[i - 1]] += system.across[i].T @ x[here]
    return out


def _pieces(o, body, reach):
    """The Pieces of sorted observations, block of time after block and person after person."""
    block = o.frame // int(np.ceil(reach))
    for number in np.unique(block):
        inside = np.flatnonzero(block == number)
        for person in range(max(o.person.max(), o.other_person.max()) + 1):
            own = inside[o.person[inside] == person]
            other = inside[(o.other_person[inside] == person) & (o.other_joint[inside] >= 0)]
            rows, joint = np.append(own, other), np.append(o.joint[own], o.other_joint[other])
            if not len(rows):
                continue
            frames, where = np.unique(o.frame[rows], return_inverse=True)
            over_body = np.zeros((len(frames), COUNT, len(rows)))
            sign = np.append(o.yields[own, 0], -o.yields[other, 1])
            over_body[where, :, np.arange(len(rows))] = sign[:, None] * body[joint]
            begin, end = int(np.ceil(frames[0] - reach)), int(frames[-1] + reach) + 1
            over_time = time_kernel(np.arange(begin, end)[:, None] - frames, reach)
            yield Piece(person, rows, over_body.reshape(-1, len(rows)), begin, over_time)


def _spread(projector, pulls, out):
    """K M' pulls `[takes, N, 3]`, added into `out [takes, P, T, 66]`, piece after piece.

    In float64 within a piece: pulls on rows that depend on each other are large and cancel.
    """
    frames = out.shape[2]
    for piece in projector.pieces:
        begin, end = max(0, piece.begin), min(frames, piece.begin + len(piece.over_time))
        moved = (piece.over_body @ pulls[:, piece.rows]).reshape(len(out), -1, 3 * COUNT)
        moved = piece.over_time[begin - piece.begin : end - piece.begin] @ moved
        if projector.movable is not None:
            moved *= np.repeat(projector.movable[piece.person, begin:end], 3, -1)
        out[:, piece.person, begin:end] += moved


# --- which observations -----------------------------------------------------------------------------------------------


def thin(observations, fps=FPS, most=MOST, reach=REACH):
    """Indices of the observations that stand for all: of a long run of frames every k-th and three at either end.

    A run is one row (joint, other joint) at successive frames. k is the least at which no window of `reach` seconds
    holds more than `most` rows. Frames left out miss their targets by less than 0.03 % of the correction's size for
    k = 3 and 0.3 % for k = 5 (smooth motion, see tests); without the ends it would be ten times that.
    """
    o, span = observations, max(1, int(np.ceil(reach * fps)))
    order = np.lexsort((o.frame, o.other_joint, o.other_person, o.joint, o.person))
    same = np.ones(len(o), bool)
    for values in (o.person, o.joint, o.other_person, o.other_joint):
        same[1:] &= np.diff(values[order]) == 0
    frame = o.frame[order]
    same[1:] &= np.diff(frame) <= 1
    same[:1] = False
    begins = np.flatnonzero(~same)
    run = np.cumsum(~same) - 1
    since = frame - frame[begins[run]]
    until = frame[np.append(begins[1:] - 1, len(o) - 1)[run]] - frame
    ends = np.minimum(since, until) < 3
    kept = order
    for k in range(1, span + 1):
        kept = order[(since % k == 0) | ends]
        if np.bincount(o.frame[kept] // span).max(initial=0) <= most:
            break
    return np.sort(kept)


def with_pseudo(observations, level, fps=FPS):
    """The observations with pseudo-observations between sparse ones of a joint, for an estimate at noise `level`.

    ProjFlow's: on the line between two successive exact observations of one joint (those that are SPARSE seconds apart
    or more), every EVERY seconds, with a variance that grows with the distance from the nearer one and as the noise
    goes, until at level FADED there are none. They keep early estimates from tearing a joint out for single frames.
    """
    if level >= FADED:
        return observations
    o = observations
    exact = np.flatnonzero((o.variance == 0).any(-1) & (o.other_joint < 0))
    parts = [o]
    for who in np.unique(o.person[exact] * COUNT + o.joint[exact]):
        own = exact[o.person[exact] * COUNT + o.joint[exact] == who]
        own = own[np.argsort(o.frame[own], kind="stable")]
        for a, b in zip(own[:-1], own[1:], strict=True):
            gap = o.frame[b] - o.frame[a]
            count = int(gap / fps / EVERY) - 1
            if gap < SPARSE * fps or count < 1:
                continue
            frame = np.unique(np.round(o.frame[a] + gap * np.arange(1, count + 1) / (count + 1)).astype(int))
            share = ((frame - o.frame[a]) / gap)[:, None]
            wanted = o.wanted[..., [a], :] * (1 - share) + o.wanted[..., [b], :] * share
            away = np.minimum(frame - o.frame[a], o.frame[b] - frame) / fps
            variance = (away / EVERY) ** 2 / (1 - level / FADED)
            free = (o.variance[a] > 0) | (o.variance[b] > 0)
            parts.append(observe(frame, o.joint[a], wanted, np.where(free, FREE, variance[:, None]), o.person[a]))
    return merge(parts)
