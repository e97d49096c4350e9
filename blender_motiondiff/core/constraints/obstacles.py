"""Obstacles: bones with their flesh stay outside a shape, by a margin."""

import numpy as np

from ..request import Grid
from ..skeleton import INDEX, PARENTS
from .bodies import FLESH
from .rows import make_rows
from .shapes import distance

MOST = 16  # points of a body that are pushed out of an obstacle at once
BETWEEN = (1 / 3, 2 / 3)  # shares of a bone's length at which it is looked at between its ends


def rows(obstacle, poses, number):
    """Rows of a request's Obstacle: one for every looked-at point of a bone whose flesh is nearer than the margin.

    A point between a bone's ends moves with both, by its share of the way. Of a body that is inside for the most part
    the MOST points that are deepest: they take the others along, and the time grows with the cube of their number.
    """
    person, frame, clear, away = _clearances(obstacle, poses)
    inside = clear < 0
    if inside.any() and inside.sum(1).max() > MOST:
        inside &= clear <= np.partition(clear, MOST - 1, axis=1)[:, MOST - 1 : MOST]
    at, point = np.nonzero(inside)
    joint, parent, share = (v[point] for v in looked_at(obstacle.joints))
    person, frame, clear, away = person[at], frame[at], clear[at, point], away[at, point]
    other = (np.where(parent < 0, -1, person), parent, (1 - share)[:, None] * away)
    return make_rows(frame, person, joint, share[:, None] * away, clear, obstacle.weight, number, other)


def errors(obstacle, poses):
    """How deep the deepest flesh is within the margin on each frame and person: (metres `[N]`, no radians)."""
    person, frame, clear, _ = _clearances(obstacle, poses)
    frames = poses.frames_between(obstacle.start, obstacle.end)
    deepest = np.zeros((poses.places.shape[0], len(poses.times)))
    deepest[person, frame] = np.maximum(-clear.min(-1), 0.0)
    return deepest[:, frames].reshape(-1), np.zeros(0)


def looked_at(joints):
    """Points on the bones that end in `joints` (names): joint, parent (-1: the joint itself) and share, each `[N]`."""
    ends = sorted({INDEX[name] for name in joints})
    bones = [j for j in ends if PARENTS[j] >= 0]
    whole = sorted({*ends, *(int(PARENTS[j]) for j in bones)})
    joint = np.array(whole + [j for j in bones for _ in BETWEEN], np.int64)
    parent = np.array([-1] * len(whole) + [PARENTS[j] for j in bones for _ in BETWEEN], np.int64)
    share = np.array([1.0] * len(whole) + [s for _ in bones for s in BETWEEN])
    return joint, parent, share


def _clearances(obstacle, poses):
    """Persons and frames `[N]` that may be near; metres that their K looked-at points are clear `[N, K]`, ways out."""
    joint, parent, share = looked_at(obstacle.joints)
    frames = poses.frames_between(obstacle.start, obstacle.end)
    person, frame = (v.reshape(-1) for v in np.meshgrid(np.arange(poses.places.shape[0]), frames, indexing="ij"))
    near = _near(obstacle, poses, person, frame, joint, parent)
    person, frame = person[near], frame[near]
    ends = poses.places[person, frame]
    points = ends[:, joint]
    inner = parent >= 0
    points[:, inner] += (1 - share[inner])[:, None] * (ends[:, parent[inner]] - points[:, inner])
    flesh = share * FLESH[joint] + (1 - share) * FLESH[np.maximum(parent, 0)]
    clear, away = distance(obstacle.shape, points)
    clear = clear - flesh * poses.sizes[person][:, None] - obstacle.margin
    return person, frame, clear, away


def _near(obstacle, poses, person, frame, joint, parent):
    """Where the shape may be within reach: signed distances grow no faster than the way, save within a grid's cell."""
    ends = poses.places[person, frame]
    limbs = ends[:, joint[parent < 0]] - ends[:, :1]
    reach = np.sqrt(np.einsum("njk,njk->nj", limbs, limbs).max(-1))
    reach = reach + 2 * FLESH.max() * poses.sizes[person] + obstacle.margin
    steep = np.sqrt(3.0) if isinstance(obstacle.shape, Grid) else 1.0
    return distance(obstacle.shape, ends[:, 0])[0] < steep * reach
