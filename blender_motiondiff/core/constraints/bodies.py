"""Bodies as tapered capsules about the bones: how deep two of them are in each other, and the way out."""

import numpy as np

from .. import rotations as rot
from ..segments import closest, dot
from ..skeleton import COUNT, INDEX
from .rows import Poses

# Metres of flesh about each joint of a body of size 1; between two joints of a bone it changes evenly. Rounded by us
# for an adult of 1.75 m, from the capsules that characters in physics simulations commonly have.
_FLESH = {
    "pelvis": 0.13, "spine1": 0.12, "spine2": 0.12, "spine3": 0.13, "neck": 0.06, "head": 0.10, "hip": 0.09,
    "knee": 0.065, "ankle": 0.05, "foot": 0.035, "collar": 0.07, "shoulder": 0.06, "elbow": 0.045, "wrist": 0.04,
}  # fmt: skip
FLESH = np.zeros(COUNT)
for _name, _joint in INDEX.items():
    FLESH[_joint] = _FLESH[_name.removeprefix("left_").removeprefix("right_")]

_SIDES = (("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"))
_SIDES += (("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"))
BONES = np.array(
    [[INDEX["pelvis"], INDEX["spine3"]], [INDEX["spine3"], INDEX["neck"]], [INDEX["neck"], INDEX["head"]]]
    + [[INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"]] for side in ("left", "right") for a, b in _SIDES]
)
BLOCK = 600  # frames whose overlaps are held at a time
FEW, SOME = 150, 4096  # frames, and pairs of bones, whose numbers stay in a processor's own memory
_THICKEST = FLESH[BONES].max(-1).astype(np.float32)
_FLESH_FROM, _FLESH_ON = FLESH[BONES[:, 0]], FLESH[BONES[:, 1]] - FLESH[BONES[:, 0]]  # at a bone's first joint, and on
REACH = 1.3  # metres from the pelvis that no flesh of a body of size 1 lies beyond


def penetration(poses, contacts=()):
    """How deep two persons' bodies are in each other at their deepest, metres `[T]`, 0 where they are not."""
    out = np.zeros(len(poses.times))
    for start in range(0, len(out) if len(poses.places) == 2 else 0, BLOCK):
        part = slice(start, start + BLOCK)
        block = Poses(poses.times[part], poses.places[:, part], poses.turns[:, part], poses.sizes)
        (frame, _, _), depth, *_ = _overlaps(block, contacts)
        np.maximum.at(out, start + frame, depth)
    return out


def _overlaps(poses, contacts):
    """Pairs of bones that may touch, frame and bone of each person `[N]`, and their `depths`."""
    pairs = near_pairs(poses, contacts)
    return pairs, *depths(poses.places, poses.sizes, pairs)


def near_pairs(poses, contacts=(), reserve=0.0):
    """Frames and bones of both persons, each `[N]`, that may come to touch when one moves by `reserve` metres.

    Bones at joints that a contact binds are left out on its frames.
    """
    roots = poses.places[:, :, 0]
    frames = np.flatnonzero(rot.length(roots[0] - roots[1]) < REACH * poses.sizes.sum() + reserve)
    blocks = [frames[k : k + FEW] for k in range(0, max(len(frames), 1), FEW)]
    frame, first, second = (
        np.concatenate(part) for part in zip(*(_near_spheres(poses, b, reserve) for b in blocks), strict=True)
    )
    for contact in contacts:
        within = np.zeros(len(poses.times), bool)
        within[poses.frames_between(contact.start, contact.end)] = True
        within = within[frame]
        for person, name in (contact.first, contact.second):
            touching = (INDEX[name] == BONES).any(-1)[(first, second)[person]]
            keep = ~(within & touching)
            frame, first, second, within = frame[keep], first[keep], second[keep], within[keep]
    return frame, first, second


def depths(places, sizes, pairs):
    """How deep pairs of bones are in each other `[N]`, metres, negative where they are apart; where along both bones
    they are nearest `[2, N]`, shares from first to second joint; unit ways out of the first person's bones `[N, 3]`;
    and the flesh of both there, metres `[N]`.

    `places [2, T, 22, 3]`; `pairs`: frames and bones of both, as `near_pairs` gives them.
    """
    return depths_of(ends_of(places, pairs), sizes, pairs)


def ends_of(places, pairs):
    """Where the bones of `pairs` begin and end, of each person `[2 persons, 2 ends, 3, N]`; `places [2, T, 22, 3]`."""
    frame, *bones = pairs
    return np.stack([_coordinates(places[p], frame, BONES[b]) for p, b in enumerate(bones)])


def depths_of(ends, sizes, pairs):
    """The same as `depths` from `ends_of` the pairs, who may have moved on since."""
    if len(pairs[0]) > SOME:
        parts = [slice(k, k + SOME) for k in range(0, len(pairs[0]), SOME)]
        blocks = (depths_of(ends[..., part], sizes, [p[part] for p in pairs]) for part in parts)
        return tuple(np.concatenate(part, axis) for part, axis in zip(zip(*blocks), (0, 1, 0, 0), strict=True))
    _, first, second = pairs
    mine, theirs = ends
    share, other_share, apart = closest(mine, theirs)
    distance = np.sqrt(dot(apart, apart))
    flesh = _radius(share, sizes[0], first) + _radius(other_share, sizes[1], second)
    apart /= np.maximum(distance, 1e-9)
    apart[:, distance <= 1e-9] = [[0.0], [0.0], [1.0]]
    return flesh - distance, np.stack([share, other_share]), apart.T, flesh


def _coordinates(places, frame, joints):
    """Places of pairs of joints `[N, 2]` at frames `[N]` as `[2 ends, 3, N]`.

    Coordinates first: arithmetic over the last of a few thousand pairs is several times as fast as over three.
    """
    each = np.ascontiguousarray(places.reshape(-1, 3).T)
    return np.take(each, frame * COUNT + joints.T, axis=1).swapaxes(0, 1)


def _near_spheres(poses, frames, reserve):
    """Of `frames`, those and bones of both persons, each `[N]`, whose spheres come nearer than `reserve` metres."""
    middles, radii = [], []
    for places, size in zip(poses.places, poses.sizes, strict=True):
        ends = np.ascontiguousarray(places[frames].transpose(2, 1, 0), np.float32)  # [3, 22, N]: frames last
        start, stop = ends[:, BONES[:, 0]], ends[:, BONES[:, 1]]
        bone = stop - start
        middles.append(0.5 * (start + stop))
        radii.append(0.5 * np.sqrt(dot(bone, bone)) + np.float32(size) * _THICKEST[:, None])
    room = radii[0][:, None] + (radii[1] + np.float32(reserve))
    room *= room
    for a, b in zip(*middles, strict=True):
        away = a[:, None] - b
        away *= away
        room -= away
    pair, frame = np.divmod(np.flatnonzero(room > 0), len(frames))
    return frames[frame], *np.divmod(pair, len(BONES))


def _radius(share, size, bone):
    return size * (_FLESH_FROM[bone] + share * _FLESH_ON[bone])
