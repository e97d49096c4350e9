"""Contacts: two joints, of one body or of two, held at a distance."""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX
from .rows import make_rows, vector_rows

SAME_PLACE = 1e-9  # metres: nearer joints have no direction between them


def rows(contact, poses, number):
    """Rows of a request's Contact: one a frame along the line between the joints; three if they are to meet."""
    frames, (person, joint), (second, other), offsets = _between(contact, poses)
    if contact.distance == 0:
        return vector_rows(frames, person, joint, offsets, contact.weight, number, (second, other))
    apart = rot.length(offsets)[:, None]
    along = np.where(apart > SAME_PLACE, offsets / np.maximum(apart, SAME_PLACE), np.array([0.0, 0.0, 1.0]))
    residual = apart[:, 0] - contact.distance
    return make_rows(frames, person, joint, along, residual, contact.weight, number, (second, other, -along))


def errors(contact, poses):
    """How far the joints' distance is from the one asked for: (metres `[N]`, no radians)."""
    _, _, _, offsets = _between(contact, poses)
    return np.abs(rot.length(offsets) - contact.distance), np.zeros(0)


def _between(contact, poses):
    """Frames, (person, joint) twice, and the way from the second to the first `[N, 3]`."""
    frames = poses.frames_between(contact.start, contact.end)
    first, second = ((person, INDEX[name]) for person, name in (contact.first, contact.second))
    return frames, first, second, poses.places[first[0], frames, first[1]] - poses.places[second[0], frames, second[1]]
