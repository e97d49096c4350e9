"""Keys: a pose, or a part of one, to pass through at its frame, exactly or within a tolerance."""

import numpy as np

from .. import rotations as rot
from ..motion import forward_kinematics
from ..skeleton import COUNT, INDEX, PARENTS
from .rows import LEVER, join, make_rows, turn_rows, vector_rows


def rows(key, poses, number, person, frame, body):
    """Rows of a request's Key that lies on `frame`.

    Bound joints' local rotations (the pelvis' against the world), the pelvis' place, and places of joints. With a
    tolerance nothing within it gives rows: what is beyond gives one row a joint along its way back, and a rotation may
    be off by tolerance / LEVER radians. A full key with a tolerance also keeps every joint's place within it.
    """
    return rows_of_all([(key, number, frame)], poses, person, body)


def rows_of_all(found, poses, person, body):
    """Rows of all Keys of a person, at once: `found` holds (key, number, frame) of each."""
    exact = [(key, number, frame) for key, number, frame in found if not key.tolerance > 0]
    parts = []
    for key, number, frame in found:
        if key.tolerance > 0:
            joints, turned, wanted = _rotations(key, poses, person, frame)
            parts.append(_loose_turns(key, joints, turned, wanted, number, person, frame))
            placed, offsets = _places(key, poses, person, frame, body)
            parts.append(_loose_places(key, placed, offsets, number, person, frame))
    if exact:
        parts.append(_exact_turns(exact, poses, person))
        placed = [item for item in exact if item[0].root is not None or item[0].places is not None]
        if placed:
            parts.append(_exact_places(placed, poses, person, body))
    return join(parts)


def _exact_turns(found, poses, person):
    joints = [_bound(key) for key, _, _ in found]
    frames, numbers = (np.repeat([f[k] for f in found], [len(j) for j in joints]) for k in (2, 1))
    local = np.concatenate([np.asarray(key.rotations, float)[j] for (key, _, _), j in zip(found, joints, strict=True)])
    joints = np.concatenate(joints)
    wanted = rot.multiply(_above(poses, person, frames, joints), rot.normalize(local))
    turned = poses.turns[person, frames, joints]
    return turn_rows(frames, person, joints, turned, wanted, np.inf, numbers, PARENTS[joints])


def _exact_places(found, poses, person, body):
    places = [_places(key, poses, person, frame, body) for key, _, frame in found]
    frames, numbers = (np.repeat([f[k] for f in found], [len(p) for p, _ in places]) for k in (2, 1))
    joints, offsets = (np.concatenate(v) for v in zip(*places, strict=True))
    return vector_rows(frames, person, joints, offsets, np.inf, numbers)


def errors(key, poses, person, frame, body):
    """How far the pose is from the key, beyond its tolerance: (metres a bound place, radians a bound rotation)."""
    _, turned, wanted = _rotations(key, poses, person, frame)
    _, offsets = _places(key, poses, person, frame, body, whole=True)
    metres = np.linalg.norm(offsets, axis=-1)
    radians = rot.angle_between(turned, wanted)
    return np.maximum(metres - key.tolerance, 0.0), np.maximum(radians - key.tolerance / LEVER, 0.0)


def _rotations(key, poses, person, frame):
    """Bound joints `[N]`, their world turns `[N, 4]`, and those their parents' turns and the key ask for `[N, 4]`."""
    joints = _bound(key)
    local = rot.normalize(np.asarray(key.rotations, float)[joints])
    return joints, poses.turns[person, frame, joints], rot.multiply(_above(poses, person, frame, joints), local)


def _bound(key):
    return np.array([INDEX[name] for name in key.joints], np.int64)


def _above(poses, person, frame, joints):
    """World turns `[N, 4]` of the joints' parents; none is above the pelvis."""
    parents = PARENTS[joints]
    return np.where(parents[:, None] < 0, rot.IDENTITY, poses.turns[person, frame, np.maximum(parents, 0)])


def _places(key, poses, person, frame, body, whole=None):
    """Joints whose places are bound `[N]`, and how far each is from there `[N, 3]`.

    `whole`: with the places that all joints of a full key have; None: only if it has a tolerance, as they follow from
    its rotations otherwise.
    """
    wanted = np.full((COUNT, 3), np.nan)
    whole = key.tolerance > 0 if whole is None else whole
    if whole and len(set(key.joints)) == COUNT:
        root = poses.places[person, frame, 0] if key.root is None else np.asarray(key.root, float)
        wanted[:] = forward_kinematics(root, rot.normalize(key.rotations), body.offsets)[0]
    if key.root is not None:
        wanted[0] = key.root
    if key.places is not None:
        given = np.asarray(key.places, float)
        wanted = np.where(np.isnan(given), wanted, given)
    bound = np.flatnonzero(np.isfinite(wanted).all(-1))
    return bound, poses.places[person, frame, bound] - wanted[bound]


def _loose_turns(key, joints, turned, wanted, number, person, frame):
    """One row for every rotation that is off by more than the tolerance."""
    away = rot.to_rotvec(rot.multiply(turned, rot.conjugate(wanted)))
    angle = np.linalg.norm(away, axis=-1)
    off = LEVER * angle > key.tolerance
    # Along its own axis a rotation vector grows as fast as the turn, on either side of the rotation.
    normal = LEVER * away[off] / angle[off, None]
    parent = PARENTS[joints[off]]
    other = (np.where(parent < 0, -1, person), parent, np.where(parent[:, None] < 0, 0.0, -normal))
    residual = LEVER * angle[off] - key.tolerance
    return make_rows(frame, person, joints[off], normal, residual, np.inf, number, other, turning=True)


def _loose_places(key, placed, offsets, number, person, frame):
    """One row for every place that is off by more than the tolerance."""
    distance = np.linalg.norm(offsets, axis=-1)
    off = distance > key.tolerance
    normal = offsets[off] / distance[off, None]
    other = None
    if key.root is None and key.places is None:
        other = (person, 0, -normal)  # the pose hangs on a pelvis that is free to be anywhere
    return make_rows(frame, person, placed[off], normal, distance[off] - key.tolerance, np.inf, number, other)
