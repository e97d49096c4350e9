"""What must stay as it is while an answer is finished: what is given, kept or keyed, and pelvises that a path binds."""

import numpy as np

from ..request import HARD
from ..skeleton import ARMS, COUNT, INDEX, LEGS
from .answer import kept_share

LOWER_BODY = [0, *(INDEX[name] for leg in LEGS for name in leg)]
ROOT = COUNT  # column of the root in what is frozen
EXACT = 0.999  # share from which something is kept as it is


def rooted(character, person):
    """Frames of the keys that bind the pelvis' place."""
    return [f for f, k in zip(person.key_frames, character.keys, strict=True) if k.root is not None]


def movable(character, person, kept):
    """0 `[T]` where legs must stay as they are: keyed, or kept."""
    out = np.ones(len(kept))
    out[_leg_keyed(character, person)] = 0.0
    out[kept[:, LOWER_BODY].min(1) > EXACT] = 0.0
    return out


def level(character, person, kept):
    """0 `[T]` where the pelvis must stay as high as it is: keyed, or kept."""
    out = np.ones(len(kept))
    out[rooted(character, person)] = 0.0
    out[kept[:, 0] > EXACT] = 0.0
    return out


def arms_bound(character, person, kept):
    """Frames `[T, 2]` bool on which the left and the right arm must stay as they are: keyed, or kept `[T, 22]`."""
    out = np.zeros((len(kept), 2), bool)
    for side, arm in enumerate(ARMS):
        out[:, side] = kept[:, [INDEX[name] for name in arm]].max(1) > EXACT
        for frame, key in zip(person.key_frames, character.keys, strict=True):
            out[frame, side] |= not set(arm).isdisjoint(key.joints)
    return out


def _leg_keyed(character, person):
    """Frames of the keys that bind a joint of a leg, turned or in place."""
    legs = LOWER_BODY[1:]
    return [f for f, k in zip(person.key_frames, character.keys, strict=True)
            if any(INDEX[j] in legs for j in k.joints) or (k.places is not None and np.isfinite(k.places[legs]).any())
            ]  # fmt: skip


def frozen(request, course):
    """What the solve must leave as it is `[P, T, 23]`: joints' rotations, and the root's place in the last column."""
    out = np.zeros((len(course.people), len(course.times), COUNT + 1), bool)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        if character.given:
            out[p] = True
            continue
        kept = kept_share(character, person) > EXACT
        out[p, :, :COUNT], out[p, :, ROOT] = kept, kept[:, 0]
        if person.target is not None and character.path.weight == HARD and person.waypoints is None:
            out[p, :, ROOT] = True
        for frame, key in zip(person.key_frames, character.keys, strict=True):
            if key.tolerance == 0.0:
                out[p, frame, [INDEX[j] for j in key.joints]] = True
                out[p, frame, ROOT] |= key.root is not None and request.ground is None
    return out
