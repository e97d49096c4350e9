"""A character's motion out of a file of either kind that is written here: BVH of canonical motions, and takes (npz)."""

from pathlib import Path

import numpy as np

from .. import rotations as rot
from ..motion import Motion, local_rotations
from ..skeleton import COUNT, INDEX, JOINTS, PARENTS, Body, average_body
from . import bvh, npz
from .recording import FileError, world

UNITS_A_METRE = (1.0, 100.0, 100.0 / 2.54)  # metres, centimetres, inches
LEGS = (0.4, 1.5)  # metres: the legs by which a file's unit is told
T_POSE = np.radians(20)  # by which a bone at rest may stray from the canonical rest pose


def read(path, person=0):
    """(Motion, times of its frames `[T]` in seconds) of one person in a .bvh or .npz file. Raises FileError."""
    kind = Path(path).suffix.lower()
    if kind not in (".bvh", ".npz"):
        raise FileError(f"{path} is no motion file by its name. Choose a .bvh or .npz file.")
    if kind == ".npz":
        take = npz.read(path)
        motions, times = take.motions, np.asarray(take.times, float)
    else:
        motions = (canonical(path, bvh.read(path)),)
        times = np.arange(motions[0].frames) / motions[0].fps
    if isinstance(person, bool) or not isinstance(person, int) or not 0 <= person < len(motions):
        raise FileError(f"{path} has no person {person}. Choose one from 0 to {len(motions) - 1}.")
    return motions[person], times


def canonical(path, recording):
    """A Recording with the joints' names and the rest pose of `bvh.write` -> Motion (its inverse). Raises FileError.

    Joints in between may be there, their turns go to those below them. Y up, facing +Z; the unit is told by the legs.
    """
    missing = [n for n in bvh.NAMES.values() if n not in recording.names]
    if missing:
        raise FileError(
            f"{path} has no joint {', '.join(missing[:3])}. Bring it onto a rig in Blender, and export that."
        )
    index = [recording.names.index(bvh.NAMES[j]) for j in JOINTS]
    rest = np.zeros((len(recording.names), 3))
    for j, parent in enumerate(recording.parents):
        rest[j] = recording.offsets[j] + (rest[parent] if parent >= 0 else 0.0)
    rest = (rest @ bvh.TO_Y_UP)[index]
    offsets = rest - rest[np.maximum(PARENTS, 0)]
    unit = _unit(path, Body(offsets).leg)
    _check_rest(path, offsets)
    places, turns = world(recording)
    back = rot.conjugate(bvh.TO_Y_UP_Q)
    turns = rot.multiply(rot.multiply(back, turns[:, index]), bvh.TO_Y_UP_Q)
    root = places[:, index[0]] @ bvh.TO_Y_UP / unit
    return Motion(root, local_rotations(turns), Body(offsets / unit), recording.fps)


def _unit(path, leg):
    """Units of the file a metre."""
    for unit in UNITS_A_METRE:
        if LEGS[0] <= leg / unit <= LEGS[1]:
            return unit
    raise FileError(f"{path} has legs of {leg:.3g}, in no known unit. Scale it to metres or centimetres.")


def _check_rest(path, offsets):
    usual = average_body().offsets
    for name in JOINTS[1:]:
        own, other = offsets[INDEX[name]], usual[INDEX[name]]
        angle = np.arccos(np.clip(np.dot(rot.normalize(own), rot.normalize(other)), -1, 1))
        if PARENTS[INDEX[name]] in _LIMBS and angle > T_POSE:
            raise FileError(
                f"{path}: the bone above {bvh.NAMES[name]} lies {np.degrees(angle):.0f} degrees off a T-pose at rest. "
                "Bring it onto a rig in Blender, and export that."
            )


# Joints from which a limb's bone leads on: those whose direction at rest decides what a rotation means.
_LIMBS = {j for j in range(COUNT) if any(part in JOINTS[j] for part in ("hip", "knee", "shoulder", "elbow"))}
