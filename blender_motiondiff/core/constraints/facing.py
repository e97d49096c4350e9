"""Facing and look-at: the pelvis, or the head, turns towards the partner, a point or a direction.

Both are met by turning: where a character stands is not what is asked about, so places count as given here.
"""

import numpy as np

from .. import rotations as rot
from ..request import LookAt
from ..skeleton import INDEX
from .rows import LEVER, join, make_rows

HEAD = INDEX["head"]
FORWARD = np.array([0.0, -1.0, 0.0])
TOO_NEAR = 0.02  # metres: what is nearer lies in no direction
LARGEST = np.pi - 0.1  # radians: derivatives of larger look-at angles are those at this one, as they grow without bound


def rows(item, poses, number):
    """Rows of a request's Facing (one a frame, about Z) or LookAt (two a frame, square to the wanted way)."""
    return _look_rows(item, poses, number) if isinstance(item, LookAt) else _facing_rows(item, poses, number)


def errors(item, poses):
    """Angle between the character's forward and the wanted direction: (no metres, radians `[N]`)."""
    if isinstance(item, LookAt):
        _, forward, wanted = _head(item, poses)
        return np.zeros(0), np.linalg.norm(rot.to_rotvec(rot.shortest_arc(forward, wanted)), axis=-1)
    return np.zeros(0), np.abs(_yaw(item, poses)[1])


def _ways(item, poses, frames, joint):
    """From a joint of the character to what it turns to `[N, 3]`, metres; a direction as it is."""
    target = item.target
    if target.direction is not None:
        return np.broadcast_to(np.asarray(target.direction, float), (len(frames), 3))
    there = poses.places[1 - item.character, frames, joint] if target.partner else np.asarray(target.point, float)
    return there - poses.places[item.character, frames, joint]


def _yaw(item, poses):
    """Frames `[N]` and how far the pelvis is turned beyond the wanted way on them, radians `[N]`."""
    frames = poses.frames_between(item.start, item.end)
    ways = _ways(item, poses, frames, 0)
    some = np.linalg.norm(ways[:, :2], axis=-1) > TOO_NEAR
    frames, ways = frames[some], ways[some]
    off = rot.heading(poses.turns[item.character, frames, 0]) - np.arctan2(ways[:, 0], -ways[:, 1])
    return frames, np.remainder(off + np.pi, 2 * np.pi) - np.pi


def _facing_rows(item, poses, number):
    frames, off = _yaw(item, poses)
    # Leaning turns a pelvis' forward too, but is no way to face somebody: only the turn about Z counts.
    normal = np.array([0.0, 0.0, LEVER])
    return make_rows(frames, item.character, 0, normal, LEVER * off, item.weight, number, turning=True)


def _head(item, poses):
    """Frames `[N]`, the head's forward and the wanted direction `[N, 3]`, both unit."""
    frames = poses.frames_between(item.start, item.end)
    ways = _ways(item, poses, frames, HEAD)
    some = np.linalg.norm(ways, axis=-1) > TOO_NEAR
    frames = frames[some]
    return frames, rot.rotate(poses.turns[item.character, frames, HEAD], FORWARD), rot.normalize(ways[some])


def _look_rows(item, poses, number):
    """The rotation vector that takes forward to wanted, along two axes square to wanted; a twist about it is free."""
    frames, forward, wanted = _head(item, poses)
    away = -rot.to_rotvec(rot.shortest_arc(forward, wanted))
    angle = np.clip(np.linalg.norm(away, axis=-1), 0.0, LARGEST)
    sine, cosine = np.sin(angle), np.cos(angle)
    small = angle < 1e-4
    # away = -g (forward x wanted) with g = angle / sine; a turn d moves forward by d x forward, the angle by axis . d.
    g = np.where(small, 1.0, angle / np.where(small, 1.0, sine))[:, None]
    growth = np.where(small, 0.0, (sine - angle * cosine) / np.where(small, 1.0, sine**2))[:, None]
    axis = rot.normalize(away)
    parts = []
    for square in _square_to(wanted):
        along = (square * forward).sum(-1, keepdims=True)
        bend = growth * sine[:, None] * (square * axis).sum(-1, keepdims=True)
        normal = g * cosine[:, None] * square - g * along * wanted + bend * axis
        residual = LEVER * (away * square).sum(-1)
        parts.append(
            make_rows(frames, item.character, HEAD, LEVER * normal, residual, item.weight, number, turning=True)
        )
    return join(parts)


def _square_to(directions):
    """Two unit vectors square to each direction `[N, 3]` and to each other; the first one is level."""
    x, y = directions[:, 0], directions[:, 1]
    level = np.stack([-y, x, np.zeros(len(x))], -1)
    level = rot.normalize(np.where((x**2 + y**2 > 1e-12)[:, None], level, np.array([1.0, 0.0, 0.0])))
    return level, np.cross(directions, level)
