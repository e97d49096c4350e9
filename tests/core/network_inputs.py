"""What the network is given for every kind of observation, made from scripted motions."""

import numpy as np

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core import words
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.features import CONTACTS, ROTATIONS, SIZE, encode
from blender_motiondiff.core.skeleton import measures_of

from .made_motion import swinging

SINGLE = ("none", "path", "keys", "partial keys", "pins", "span", "kept legs")
COUPLE = ("whole partner", "whole partner and keys", "two paths", "a span each")


def _rows(joints):
    return [ROTATIONS.start + 6 * j + k for j in joints for k in range(6)]


def _single(kind, frames):
    """(mask `[T, 268]`, source) of one person."""
    mask = np.zeros((frames, SIZE), bool)
    if kind == "none":
        return mask, ref.PARTNER
    if kind == "path":
        mask[:, CONTACTS] = True
        return mask, ref.PATH
    if kind == "keys":
        mask[:: max(frames // 4, 1), : CONTACTS.start] = True
        return mask, ref.OWN
    if kind == "partial keys":
        mask[np.ix_([frames // 3, frames // 2], _rows((16, 17, 18)))] = True
        return mask, ref.PATH
    if kind == "pins":
        mask[frames // 4 : frames // 2, 3 * 20 : 3 * 22] = True  # both wrists' places
        return mask, ref.PATH
    if kind == "span":
        mask[: max(frames // 3, 1)] = True
        return mask, ref.OWN
    mask[:, _rows((0, 1, 2, 4, 5, 7, 8, 10, 11))] = True  # kept legs
    mask[:, :3] = True
    return mask, ref.OWN


def _tasks(kind, frames):
    if kind in SINGLE:
        mask, source = _single(kind, frames)
        return mask[None], np.array([source])
    if kind in ("two paths", "a span each"):
        mask, source = _single("path" if kind == "two paths" else "span", frames)
        return np.stack([mask, mask]), np.array([source, source])
    masks = np.zeros((2, frames, SIZE), bool)
    masks[0] = True
    if kind == "whole partner and keys":
        masks[1, frames // 2, ROTATIONS] = True
    return masks, np.array([ref.OWN, ref.PARTNER])


def _person(motion, source):
    heading = rot.heading(motion.rotations[:, 0])
    if source == ref.PATH:
        place = smooth_pelvis(motion.root[:, :2])
        return place, ref.path_heading(place)
    return ref.own_frames(motion.root[:, :2], heading)


def network_input(kind, frames, tables, batch=1, level=0.4, seed=0):
    """`(noisy, given, free, level, present)` for `batch` takes of one kind of SINGLE or COUPLE."""
    masks, sources = _tasks(kind, frames)
    people = [swinging(frames, seed=seed + p) for p in range(len(masks))]
    features = np.stack([encode(m.root, m.rotations, m.body.offsets, np.zeros((frames, 4))) for m in people])
    frames_of = [_person(m, s) for m, s in zip(people, sources, strict=True)]
    if len(people) == 2 and sources[1] == ref.PARTNER:
        frames_of[1] = ref.facing(*frames_of[0])
    place, heading = (np.stack(rows) for rows in zip(*frames_of, strict=True))
    observed = ref.to_relative(features, place, heading)
    base = ref.base_of(tables, sources, observed, masks, place, heading)
    other = np.arange(len(people))[::-1]
    present = np.full(len(people), float(len(people) == 2))
    measures = np.stack([list(vars(measures_of(m.body)).values()) for m in people])
    extra = ref.extras(sources, masks, place, heading, place[other], heading[other], present, measures)
    said = np.broadcast_to(words.encode("walk slowly"), (*heading.shape, words.COUNT))
    given = ref.given(tables, sources, base, masks, extra, said)
    free = (~masks).astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal((batch, *free.shape), np.float32) * free

    def repeated(x):
        return np.repeat(x[None].astype(np.float32), batch, 0)

    return noise, repeated(given), repeated(free), level, repeated(present)
