"""Rough blocking keys: a key with a tolerance is moved towards what the motion would do there without it.

After "Generating Detailed Character Motion from Blocking Poses" (SIGGRAPH Asia 2025): exact adherence to rough keys
makes feet slide, so each is blended towards the free answer, no farther than its tolerance allows.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..features import decode
from ..motion import forward_kinematics
from .sampling import sample


def soften(request, course, denoiser):
    """The request with its tolerant keys moved to within their tolerance of where the motion goes without them."""
    if all(k.tolerance == 0.0 for c in request.characters for k in c.keys):
        return request
    firm = replace(request, characters=tuple(_firm(c) for c in request.characters))
    kept = [tuple(f for f, k in zip(p.key_frames, c.keys, strict=True) if k.tolerance == 0.0)
            for p, c in zip(course.people, request.characters, strict=True)]  # fmt: skip
    people = tuple(replace(p, key_frames=f) for p, f in zip(course.people, kept, strict=True))
    free = sample(firm, [replace(course, people=people)], denoiser)[0]
    characters = []
    for p, character in enumerate(request.characters):
        motion, _ = decode(free[p], character.body)
        keys = tuple(_towards(k, motion, f, character.body)
                     for k, f in zip(character.keys, course.people[p].key_frames, strict=True))  # fmt: skip
        characters.append(replace(character, keys=keys))
    return replace(request, characters=tuple(characters))


def _firm(character):
    return replace(character, keys=tuple(k for k in character.keys if k.tolerance == 0.0))


def _towards(key, motion, frame, body):
    """The key blended towards the motion's pose at `frame`, as far as no joint strays beyond the tolerance."""
    if key.tolerance == 0.0:
        return key
    rotations, root = np.asarray(key.rotations, float), motion.root[frame]
    keyed = root if key.root is None else np.asarray(key.root, float)
    wanted, _ = forward_kinematics(keyed, rotations, body.offsets)
    share = 1.0
    for _ in range(6):
        turned = rot.slerp(rotations, motion.rotations[frame], np.full(len(rotations), share))
        moved = keyed + share * (root - keyed)
        found, _ = forward_kinematics(moved, turned, body.offsets)
        strayed = float(np.linalg.norm(found - wanted, axis=-1).max())
        if strayed <= key.tolerance:
            break
        share *= 0.98 * key.tolerance / strayed
    return replace(key, rotations=turned, root=None if key.root is None else moved)
