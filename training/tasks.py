"""What is asked of a training window: which frames come from where, and what is observed.

The mixture follows what animators ask for (research on masked training: CondMDI, Kimodo): a path with and without keys,
keys alone, partial keys, spans, and the partner's whole motion.
"""

import numpy as np

from blender_motiondiff.core.features import CONTACTS, POSITIONS, ROTATIONS, SIZE
from blender_motiondiff.core.reference import OWN, PARTNER, PATH
from blender_motiondiff.core.skeleton import COUNT, INDEX

ARMS = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("collar", "shoulder", "elbow", "wrist")]
LEGS = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("hip", "knee", "ankle", "foot")]
UPPER = ARMS + [INDEX[j] for j in ("spine1", "spine2", "spine3", "neck", "head")]
ROOT_TURN = slice(ROTATIONS.start, ROTATIONS.start + 6)
PLANNED = {PATH: 0.75, OWN: 0.2}  # share of the tasks whose contacts are known throughout
HORIZONTAL = np.array([3 * j + k for j in range(1, COUNT) for k in (0, 1)])


def observe_key(mask, frames, with_root):
    """Marks full poses at `frames`; without the root the pelvis' place and all heights stay free."""
    mask[frames, ROTATIONS] = True
    if with_root:
        mask[frames, POSITIONS] = True
    else:
        mask[np.ix_(frames, HORIZONTAL)] = True


def observe_joints(mask, frames, joints):
    """Marks the rotations of some joints at `frames`."""
    for j in joints:
        mask[frames, ROTATIONS.start + 6 * j : ROTATIONS.start + 6 * j + 6] = True


def key_frames(rng, frames, most, moments=()):
    """1 to `most` frames, often with an end among them; where there are `moments`, mostly those."""
    count = int(rng.integers(1, most + 1))
    if len(moments) and rng.random() < 0.8:
        return np.unique(moments)
    chosen = set(rng.choice(frames, size=min(count, frames), replace=False).tolist())
    if rng.random() < 0.35:
        chosen.add(0)
    if rng.random() < 0.25:
        chosen.add(frames - 1)
    return np.array(sorted(chosen))


def single_task(rng, frames, moments=()):
    """(mask `[T, 268]`, source) for one person alone; the contacts are often planned, along a path mostly.

    `moments`: frames of strong poses, which are what an animator would key.
    """
    mask, source = _single_task(rng, frames, [m for m in moments if m >= 0])
    if rng.random() < PLANNED[source]:
        mask[:, CONTACTS] = True
    return mask, source


def _single_task(rng, frames, moments):
    mask = np.zeros((frames, SIZE), bool)
    dice = rng.random()
    if dice < 0.25:
        return mask, PATH
    if dice < 0.60:
        observe_key(mask, key_frames(rng, frames, 4, moments), with_root=rng.random() < 0.5)
        return mask, PATH
    if dice < 0.70:
        joints = [ARMS, UPPER, LEGS, list(rng.choice(COUNT, 4, replace=False))][rng.integers(4)]
        observe_joints(mask, key_frames(rng, frames, 4, moments), joints)
        return mask, PATH
    if dice < 0.92:
        spots = key_frames(rng, frames, 6, moments)
        observe_key(mask, np.union1d(spots, [int(rng.integers(frames))]), with_root=True)
        return mask, OWN
    start = int(rng.integers(frames))
    span = np.arange(start, min(frames, start + int(rng.integers(4, 40))))
    mask[span] = True
    observe_key(mask, key_frames(rng, frames, 2), with_root=True)
    return mask, OWN


def couple_task(rng, frames):
    """(masks `[2, T, 268]`, sources `[2]`): mostly one person wholly seen and the other to be made."""
    masks = np.zeros((2, frames, SIZE), bool)
    seen = int(rng.integers(2))
    other = 1 - seen
    dice = rng.random()
    sources = [OWN, OWN]
    sources[other] = PARTNER
    if dice < 0.70:
        masks[seen] = True
    elif dice < 0.85:
        masks[seen] = True
        observe_key(masks[other], key_frames(rng, frames, 2), with_root=False)
    else:
        masks[seen], sources[seen] = single_task(rng, frames)
    return masks, np.array(sources)
