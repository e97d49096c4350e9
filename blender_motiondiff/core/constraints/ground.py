"""Ground: no joint lies under the height field, and foot joints keep their rest height over it."""

import numpy as np

from .. import rotations as rot
from ..skeleton import COUNT, FEET
from .rows import make_rows

WEIGHT = 1.0  # of the rows: a request's Ground has none of its own


def heights_at(ground, points):
    """Heights `[...]` of the ground at `points [..., 2]` in metres, and their slopes `[..., 2]` along x and y.

    Between the grid's values it is linear along each axis; beyond its edges it goes on level.
    """
    axes = rot.to_matrix(rot.about_z(ground.angle))[:2, :2]
    values = np.asarray(ground.heights, float)
    last = np.array(values.shape) - 1
    at = (np.asarray(points, float) - np.asarray(ground.origin, float)) @ axes / ground.cell
    held = np.clip(at, 0, last)
    low = np.minimum(held.astype(np.int64), np.maximum(last - 1, 0))
    (x0, y0), (x1, y1) = (np.moveaxis(i, -1, 0) for i in (low, np.minimum(low + 1, last)))
    u, v = np.moveaxis(held - low, -1, 0)
    near, far = (values[x, y0] + v * (values[x, y1] - values[x, y0]) for x in (x0, x1))
    rise = (1 - u) * (values[x0, y1] - values[x0, y0]) + u * (values[x1, y1] - values[x1, y0])
    slope = np.where(at == held, np.stack([far - near, rise], -1) / ground.cell, 0.0)
    return near + u * (far - near), slope @ axes.T


def over_ground(ground, places):
    """Places `[..., 3]` with their height over the ground for z, metres; NaN stays NaN."""
    out = np.array(places, float)
    out[..., 2] -= heights_at(ground, np.nan_to_num(out[..., :2]))[0]
    return out


def rows(ground, poses, number, foot_heights):
    """Rows of a request's Ground, one for every joint under it. `foot_heights [P, 4]`: those of each person's Body."""
    (person, frame, joint), clear, slope = _clearances(ground, poses, foot_heights)
    under = clear < 0
    normal = np.concatenate([-slope[under], np.ones((int(under.sum()), 1))], -1)
    return make_rows(frame[under], person[under], joint[under], normal, clear[under], WEIGHT, number)


def errors(ground, poses, foot_heights):
    """How deep the deepest joint is on each frame and person: (metres `[P * T]`, no radians)."""
    (person, frame, _), clear, _ = _clearances(ground, poses, foot_heights)
    deepest = np.zeros(poses.places.shape[:2])
    np.maximum.at(deepest, (person, frame), -clear)
    return deepest.reshape(-1), np.zeros(0)


def _clearances(ground, poses, foot_heights):
    """Joints `[N]` (person, frame, joint) low enough to be under the ground, metres clear of it, slopes `[N, 2]`."""
    least = np.zeros((poses.places.shape[0], 1, COUNT))
    least[:, 0, list(FEET)] = foot_heights
    lift = poses.places[..., 2] - least
    low = np.nonzero(lift < np.max(ground.heights))
    height, slope = heights_at(ground, poses.places[low][:, :2])
    return low, lift[low] - height, slope
