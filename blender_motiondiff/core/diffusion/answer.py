"""What the network answers of one person, as a motion: decoded, less what every estimate of least error gets wrong."""

import numpy as np

from ..cleanup.corners import rounded
from ..cleanup.swing import JOINTS as SWINGING
from ..cleanup.swing import livelier_arms
from ..cleanup.turning import unhurried
from ..cleanup.waiting import kept_in_place
from ..constraints.rows import Poses
from ..features import decode
from ..reference import PARTNER, PATH
from ..skeleton import COUNT, INDEX


def motion_of(features, character, person, times):
    """The motion and the contacts `[T, 4]` of `features [T, 268]` in the world.

    Pelvises and arms that are keyed, kept or pinned are left as they are.
    """
    motion, stands = decode(features, character.body)
    kept = kept_share(character, person)
    motion = unhurried(motion, _bound(kept, character, person, times, [0]))
    if len(person.key_frames) or kept.any():
        motion = rounded(motion, person.key_frames, kept.any(1))
    if person.source == PARTNER:
        motion = kept_in_place(motion, stands > 0.5)
    elif person.source == PATH:
        motion = livelier_arms(motion, _bound(kept, character, person, times, SWINGING))
    return motion, stands


def _bound(kept, character, person, times, joints):
    """Frames `[T]` on which a key, a pin or what is `kept [T, 22]` says something about one of the `joints`."""
    out, poses = (kept[:, joints] > 0).any(1), Poses(times, None, None, None)
    for frame, key in zip(person.key_frames, character.keys, strict=True):
        placed = () if key.places is None else np.flatnonzero(np.isfinite(key.places).all(1))
        out[frame] |= np.isin(joints, [*(INDEX[name] for name in key.joints), *placed]).any()
    for pin in character.pins:
        if INDEX[pin.joint] in joints and pin.weight > 0:
            out[poses.frames_between(pin.start, pin.end)] = True
    return out


def kept_share(character, person):
    """How far each joint of an existing motion is kept `[T, 22]`."""
    if character.motion is None:
        return np.zeros((len(person.place), COUNT))
    share = np.ones((len(person.place), COUNT)) if character.keep is None else np.asarray(character.keep, float)
    return share * person.known if character.vary is not None else share
