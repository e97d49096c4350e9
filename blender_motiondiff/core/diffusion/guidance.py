"""Guidance: clean estimates pushed by wishes, and estimates under several conditions combined."""

from dataclasses import replace

import numpy as np

from ..constraints.rows import gradient, join, select
from ..motion import FPS
from .kernels import skeleton_kernel, spread

REACH = 0.5  # seconds to either side over which a push fades


def push(poses, gather, strength=1.0, steps=1, movable=None, fps=FPS):
    """Joint places `[P, T, 22, 3]` (metres) of `poses` (constraints.rows.Poses), moved by `steps` gradient steps.

    `gather(poses) -> Rows`: every wish's residuals at these poses; rows that bind and rows about turns are left to the
    solver. TRACE (Rempe et al. 2023, section 3.3): the clean estimate is moved, x0' = x0 - gradient, before the
    sampler's step. The gradient is taken in the metric of `projection` (so neighbours in body and time come along) and
    divided by what all rows together move a row by, so a step never overshoots: residuals that neighbours share shrink
    by w s / (1 + w s) of themselves, half of it at weight w = 1 and `strength` s = 1.
    `movable` `[P, T, 22]`, 0 to 1: joints that do not yield (somebody animated already, kept parts) are 0.
    """
    places, body = poses.places, skeleton_kernel()
    for _ in range(steps):
        rows = soft(gather(replace(poses, places=places)))
        if not len(rows) or strength <= 0:
            break
        places = places + _step(rows, places, strength, movable, body, fps)
    return places


def push_takes(takes, gather, movable):
    """The places `[K, P, T, 22, 3]` of K takes (Poses), each moved by one step as `push` does, all at once."""
    places = np.stack([poses.places for poses in takes])
    count, persons = places.shape[:2]
    rows = join(_of_take(soft(gather(poses)), k * persons) for k, poses in enumerate(takes))
    if not len(rows):
        return places
    flat, movable = places.reshape(-1, *places.shape[2:]), np.tile(movable, (count, 1, 1))
    return places + _step(rows, flat, 1.0, movable, skeleton_kernel(), FPS).reshape(places.shape)


def _of_take(rows, first):
    """Rows about persons that are numbered from `first` on."""
    other = np.where(rows.other_person < 0, rows.other_person, rows.other_person + first)
    return replace(rows, person=rows.person + first, other_person=other)


def soft(rows):
    """Those rows that are wishes about places."""
    keep = np.isfinite(rows.weight) & (rows.weight > 0) & ~rows.turning
    return select(rows, keep)


def _step(rows, places, strength, movable, body, fps):
    two = rows.other_joint >= 0
    at = (rows.person, rows.frame, rows.joint)
    other = (rows.other_person[two], rows.frame[two], rows.other_joint[two])
    if movable is not None:
        normal, other_normal = rows.normal * movable[at][:, None], rows.other_normal.copy()
        other_normal[two] *= movable[other][:, None]
        rows = replace(rows, normal=normal, other_normal=other_normal)
    # The sum of |M K M'| over each row bounds its largest eigenvalue (Gershgorin): divided by it, no step overshoots.
    pull, other_pull = np.abs(rows.normal), np.abs(rows.other_normal[two])
    load = np.zeros(places.shape)
    np.add.at(load, at, pull)
    np.add.at(load, other, other_pull)
    load = spread(load, body, REACH * fps)
    most = (pull * load[at]).sum(-1)
    most[two] += (other_pull * load[other]).sum(-1)
    ratio = rows.weight * strength / (1.0 + rows.weight * strength)
    moved = replace(rows, residual=ratio * rows.residual / np.maximum(most, 1e-9), weight=np.ones(len(rows)))
    move = -spread(gradient(moved, places.shape), body, REACH * fps)
    return (move if movable is None else move * movable[..., None]).astype(places.dtype)


def push_away(full, unconstrained, wordless, constraint_scale, text_scale):
    """The joint estimate `full` (constraints and words), pushed away from those without the one and without the other.

    f + (s_c - 1)(f - unconstrained) + (s_t - 1)(f - wordless): scales of 1 give `full` and need no other estimate
    (None); with words or constraints alone it is classifier-free guidance (Ho & Salimans 2022, equation 6).
    """
    out = full
    if unconstrained is not None:
        out = out + (constraint_scale - 1.0) * (full - unconstrained)
    if wordless is not None:
        out = out + (text_scale - 1.0) * (full - wordless)
    return out
