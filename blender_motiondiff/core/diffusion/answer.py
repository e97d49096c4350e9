"""What the network answers of one person, as a motion: decoded, less what every estimate of least error gets wrong."""

import numpy as np

from ..cleanup.swing import JOINTS, livelier_arms
from ..cleanup.waiting import kept_in_place
from ..constraints.rows import Poses
from ..features import decode
from ..reference import PARTNER, PATH
from ..skeleton import COUNT, INDEX


def motion_of(features, character, person, times):
    """The motion and the contacts `[T, 4]` of `features [T, 268]` in the world.

    Arms that are keyed, kept or pinned are left as they are.
    """
    motion, stands = decode(features, character.body)
    if person.source == PARTNER:
        return kept_in_place(motion, stands > 0.5), stands
    if person.source != PATH:
        return motion, stands
    bound, poses = (kept_share(character, person)[:, JOINTS] > 0).any(1), Poses(times, None, None, None)
    for frame, key in zip(person.key_frames, character.keys, strict=True):
        bound[frame] |= np.isin(JOINTS, [INDEX[name] for name in key.joints]).any() or key.places is not None
    for pin in character.pins:
        if INDEX[pin.joint] in JOINTS and pin.weight > 0:
            bound[poses.frames_between(pin.start, pin.end)] = True
    return livelier_arms(motion, bound), stands


def kept_share(character, person):
    """How far each joint of an existing motion is kept `[T, 22]`."""
    if character.motion is None:
        return np.zeros((len(person.place), COUNT))
    share = np.ones((len(person.place), COUNT)) if character.keep is None else np.asarray(character.keep, float)
    return share * person.known if character.vary is not None else share
