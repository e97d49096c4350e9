"""What is asked of a training window: which frames come from where, and what is observed.

The mixture follows what animators ask for (research on masked training: CondMDI, Kimodo): a path with and without keys,
keys alone, partial keys, pins of hands, feet and head, spans, parts of a body to keep, and the partner's whole motion.
"""

import numpy as np

from blender_motiondiff.core.features import CONTACTS, POSITIONS, ROTATIONS, SIZE
from blender_motiondiff.core.reference import OWN, PARTNER, PATH
from blender_motiondiff.core.skeleton import COUNT, INDEX

ARMS = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("collar", "shoulder", "elbow", "wrist")]
LEGS = [INDEX[f"{s}_{j}"] for s in ("left", "right") for j in ("hip", "knee", "ankle", "foot")]
PINNED = [INDEX[j] for j in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "head")]
UPPER = ARMS + [INDEX[j] for j in ("spine1", "spine2", "spine3", "neck", "head")]
ROOT_TURN = slice(ROTATIONS.start, ROTATIONS.start + 6)
PLANNED = {PATH: 0.75, OWN: 0.5}  # share of the tasks whose contacts are known throughout
PARTIAL = 0.5  # share of the keys without a path that bind the hips and a part of the body
GAPS = (12, 60)  # frames between keys that lie evenly
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


def observe_hips_and_joints(rng, mask, frames):
    """Marks the pelvis' place and turn, and the rotations of a part of the body, at `frames`."""
    parts = [ARMS, UPPER, LEGS, [], list(rng.choice(COUNT, 4, replace=False))]
    observe_joints(mask, frames, [0, *parts[rng.integers(len(parts))]])
    mask[frames, :3] = True


def observe_pins(rng, mask):
    """Marks the places of one or two joints over a span each, long ones as often as short ones."""
    frames = len(mask)
    for j in rng.choice(PINNED, int(rng.integers(1, 3)), replace=False):
        start = int(rng.integers(frames))
        length = int(rng.choice([1, 12, 40, frames]))
        mask[start : start + length, 3 * j : 3 * j + 3] = True


def observe_kept(rng, mask):
    """Marks a whole motion but for one part of the body, which is to be made anew."""
    free = [ARMS, UPPER, LEGS, ARMS[:4], ARMS[4:]][rng.integers(5)]
    observed = np.setdiff1d(np.arange(COUNT), free)
    mask[:, :3] = True
    observe_joints(mask, np.arange(len(mask)), observed)
    for j in observed:
        mask[:, 3 * j : 3 * j + 3] = True
    if free is not LEGS:
        mask[:, CONTACTS] = True


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
    if dice < 0.14:
        return mask, PATH
    if dice < 0.32:
        observe_key(mask, key_frames(rng, frames, 4, moments), with_root=rng.random() < 0.5)
        return mask, PATH
    if dice < 0.38:
        joints = [ARMS, UPPER, LEGS, list(rng.choice(COUNT, 4, replace=False))][rng.integers(4)]
        observe_joints(mask, key_frames(rng, frames, 4, moments), joints)
        return mask, PATH
    if dice < 0.46:
        if rng.random() < 0.3:
            observe_key(mask, key_frames(rng, frames, 3, moments), with_root=True)
        observe_pins(rng, mask)
        return mask, PATH
    if dice < 0.85:
        if rng.random() < PARTIAL:
            observe_hips_and_joints(rng, mask, keys_alone(rng, frames, moments))
        else:
            observe_key(mask, keys_alone(rng, frames, moments), with_root=True)
        if rng.random() < 0.15:
            observe_pins(rng, mask)
        return mask, OWN
    if dice < 0.91:
        observe_kept(rng, mask)
        return mask, OWN
    if dice < 0.96:  # only where somebody starts: what happens is for the words to say
        mask[0, :3], mask[0, ROOT_TURN] = True, True
        return mask, OWN
    start = int(rng.integers(-20, frames - 4))
    mask[max(start, 0) : start + int(rng.integers(24, 60))] = True
    observe_key(mask, key_frames(rng, frames, 2), with_root=True)
    return mask, OWN


def keys_alone(rng, frames, moments):
    """Frames of keys without a path: mostly an even beat, as animators block, else at random or at strong poses."""
    if rng.random() < 0.5:
        gap = float(rng.uniform(*GAPS))
        spots = np.arange(rng.uniform(-gap / 2, min(gap, frames - 1)), frames, gap).round().astype(int)
        return np.unique(np.clip(spots, 0, frames - 1))
    return np.union1d(key_frames(rng, frames, 6, moments), [int(rng.integers(frames))])


def couple_task(rng, frames):
    """(masks `[2, T, 268]`, sources `[2]`): mostly one person wholly seen and the other to be made."""
    masks = np.zeros((2, frames, SIZE), bool)
    seen = int(rng.integers(2))
    other = 1 - seen
    dice = rng.random()
    sources = [OWN, OWN]
    sources[other] = PARTNER
    if dice < 0.85:
        masks[seen] = True
    if 0.65 < dice < 0.80:
        observe_key(masks[other], key_frames(rng, frames, 2), with_root=False)
    elif 0.80 < dice < 0.85:
        masks[other, : int(rng.integers(8, frames // 2))] = True
    elif dice >= 0.85:
        masks[seen], sources[seen] = single_task(rng, frames)
    return masks, np.array(sources)
