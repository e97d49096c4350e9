"""Pins: one joint's place, rotation or both, held over a span."""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX
from .rows import join, turn_rows, vector_rows


def rows(pin, poses, number, person):
    """Rows of a request's Pin on a person: three a frame for its place, three for its rotation against the world."""
    frames, joint = poses.frames_between(pin.start, pin.end), INDEX[pin.joint]
    parts = []
    if pin.place is not None:
        offsets = poses.places[person, frames, joint] - np.asarray(pin.place, float)
        parts.append(vector_rows(frames, person, joint, offsets, pin.weight, number))
    if pin.rotation is not None:
        turned = poses.turns[person, frames, joint]
        parts.append(turn_rows(frames, person, joint, turned, rot.normalize(pin.rotation), pin.weight, number))
    return join(parts)


def errors(pin, poses, person):
    """How far the joint is from its pin on the frames it binds: (metres `[N]`, radians `[N]`), empty if not bound."""
    frames, joint = poses.frames_between(pin.start, pin.end), INDEX[pin.joint]
    metres, radians = np.zeros(0), np.zeros(0)
    if pin.place is not None:
        metres = np.linalg.norm(poses.places[person, frames, joint] - np.asarray(pin.place, float), axis=-1)
    if pin.rotation is not None:
        radians = rot.angle_between(poses.turns[person, frames, joint], rot.normalize(pin.rotation))
    return metres, radians
