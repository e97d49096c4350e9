"""Which foot stands when between full keys that bind a place, as an animator would block it.

Two poses with a foot in two places say that it steps, but not when; a network that answers with the mean of all times
lets it glide. So what is plain is settled first and given to the network as observed contacts: where the pelvis hardly
travels a foot that is keyed twice in one place stands, one that is keyed in two takes one step amid the gap, the foot
that is left behind first. Where the pelvis travels people walk, in step with both poses (constraints.gait). Where a
foot is pinned between keys the pelvis stays within its reach (`beside_pinned`).
"""

import numpy as np

from .. import rotations as rot
from ..motion import FPS
from ..reference import keyed_frames
from ..skeleton import FEET, HIP_DROP, INDEX
from . import gait
from .rows import Poses

WALKS = 0.45  # body sizes a second: a pelvis that travels so fast between two keys walks
PLAIN = 2.0  # seconds: between keys farther apart in time much may happen, and nothing is settled where nobody walks
UPRIGHT = 0.75  # of the leg's length: the height of a pelvis that walks
SAME_PLACE = 0.06  # metres for a leg of 0.85 m: a foot that is keyed twice this near has not stepped
DOWN = 0.05  # metres over its rest height, likewise: a foot joint that stands in a keyed pose
PINNED_LOW = 0.06  # metres over its rest height, for a leg of 0.85 m: a foot joint that is pinned lower stands
# Metres over the ground, for a leg of 0.85 m, that an upright pelvis is from an ankle that stands, at most (of 1,200 in
# the recordings to choose by 99.9 % are within 0.324); a lower one may be as far as the leg reaches from there.
STRIDE = 0.33
OVER_STRIDE = 0.02  # metres by which it may be, between the places that are added, ...
ADDED = 4  # ... which are as many at most
BESIDE_KEY = 4  # frames beside a key on which none is added
SWING = 0.4  # seconds that a step takes; of short gaps SWING_SHARE
SWING_SHARE = 0.7


def between_keys(frames, keys, rotations, places, body, fps=FPS):
    """Contacts `[T, 4]` (order of skeleton.FEET) of `frames` frames, NaN before the first key and after the last.

    `keys`: rising frames of full keys; `rotations [K, 22, 4]` and `places [K, 22, 3]` (metres, the ground at 0): what
    they bind.
    """
    out = np.full((frames, 4), np.nan)
    feet = places[:, list(FEET)]
    down = feet[..., 2] - body.foot_heights < DOWN * body.size
    for k, (first, last) in enumerate(zip(keys[:-1], keys[1:], strict=True)):
        if first == last:  # moments that only rounding tells apart share a frame
            continue
        way = places[k + 1, 0, :2] - places[k, 0, :2]
        speed = float(np.linalg.norm(way)) * fps / (last - first) / body.size
        if speed > WALKS:
            if upright(places[k : k + 2, 0, 2].min(), body):
                out[first : last + 1] = _walking(last - first + 1, rotations[k : k + 2], speed, body, fps)
        elif last - first <= PLAIN * fps:
            out[first : last + 1] = _standing(last - first + 1, feet[k : k + 2], down[k : k + 2], way, body.size, fps)
    return out


def upright(height, body):
    """Whether a pelvis at a `height` (metres over the ground) is that of somebody on their feet."""
    return height > UPRIGHT * body.leg


def _walking(frames, rotations, speed, body, fps):
    """Contacts of one gap of somebody who walks at `speed` (body sizes a second), in step with both poses."""
    first, last = (gait.phase_of_pose(r, body, speed) for r in rotations)
    cycles = (frames - 1) / fps / (float(np.interp(speed, gait.SPEED, gait.CYCLE)) * body.size**0.5)
    turned = last - first + round(cycles - (last - first))
    return gait.contacts_at(first + np.linspace(0.0, turned, frames), np.full(frames, speed), fps)


def _standing(frames, feet, down, way, size, fps):
    """Contacts of one gap, both ends included; `feet [2, 4, 3]` and `down [2, 4]` at its two keys."""
    half = np.arange(frames) < frames / 2
    out = np.where(half[:, None], down[0], down[1]).astype(float)
    toes = feet[:, [1, 3], :2]
    moved = np.linalg.norm(toes[1] - toes[0], axis=-1) > SAME_PLACE * size
    stepping = [s for s in (0, 1) if moved[s] and down[:, 2 * s + 1].all()]
    # Who is left behind steps first.
    stepping.sort(key=lambda s: float(toes[0, s] @ way))
    swing = min(SWING * fps, SWING_SHARE * frames / max(len(stepping), 1))
    for rank, side in enumerate(stepping):
        middle = frames * (rank + 1) / (len(stepping) + 1)
        air = np.abs(np.arange(frames) + 0.5 - middle) < swing / 2
        out[air, 2 * side : 2 * side + 2] = 0.0
    return out


def beside_pinned(pins, times, at, places, heights, body):
    """Frames `[K]` and places `[K, 2]` of a keyed pelvis, and more of them where pinned feet could not stand else.

    `heights [K]`: metres of the keyed pelvis over the ground. Without more places somebody who is to walk on after a
    while sets out at once, and drags the foot behind.
    """
    poses, heights = Poses(times, None, None, None), np.asarray(heights)
    spans = [(poses.frames_between(p.start, p.end), np.asarray(p.place, float))
             for p in pins if p.place is not None and p.weight > 0 and INDEX[p.joint] in FEET]  # fmt: skip
    if not spans:
        return at, places
    frame = np.concatenate([frames for frames, _ in spans])
    foot = np.concatenate([np.tile(place, (len(frames), 1)) for frames, place in spans])
    free = np.abs(frame[:, None] - at).min(1) > BESIDE_KEY
    frame, foot = frame[free], foot[free]
    hip = np.interp(frame, at, heights) - HIP_DROP * body.size - foot[:, 2]
    most = np.maximum(np.sqrt(np.maximum(body.leg**2 - hip**2, 0.0)), STRIDE * body.size)
    for _ in range(ADDED if len(frame) else 0):
        off = keyed_frames(len(times), at, places, (), ())[0][frame] - foot[:, :2]
        far = rot.length(off)
        k = int((far - most).argmax())
        if far[k] < most[k] + OVER_STRIDE:
            break
        order = np.searchsorted(at, frame[k])
        at = np.insert(at, order, frame[k])
        places = np.insert(places, order, foot[k, :2] + off[k] * most[k] / far[k], axis=0)
    return at, places
