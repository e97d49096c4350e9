"""Spacing: the distance on the ground between both characters' pelvises stays within a range."""

import numpy as np

from .. import rotations as rot
from .rows import NO_ROWS, make_rows


def rows(spacing, poses, number):
    """Rows of a request's Spacing, one for every frame on which the distance is out of range."""
    frames = poses.frames_between(spacing.start, spacing.end)
    offsets, apart = _apart(poses, frames)
    beyond = _beyond(spacing, apart)
    off = beyond != 0
    if not off.any():
        return NO_ROWS
    along = np.zeros((int(off.sum()), 3))
    # Where both stand in one place, any way apart is as good as another.
    along[:, :2] = np.where(apart[off, None] > 1e-9, offsets[off] / np.maximum(apart[off, None], 1e-9), [1.0, 0.0])
    return make_rows(frames[off], 0, 0, along, beyond[off], spacing.weight, number, (1, 0, -along))


def errors(spacing, poses):
    """How far the distance is out of range: (metres `[N]`, no radians)."""
    _, apart = _apart(poses, poses.frames_between(spacing.start, spacing.end))
    return np.abs(_beyond(spacing, apart)), np.zeros(0)


def _apart(poses, frames):
    offsets = poses.places[0, frames, 0, :2] - poses.places[1, frames, 0, :2]
    return offsets, rot.length(offsets)


def _beyond(spacing, apart):
    """Metres above the range, negative under it, 0 within `[N]`."""
    return np.maximum(apart - spacing.most, 0.0) + np.minimum(apart - spacing.least, 0.0)
