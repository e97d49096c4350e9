"""Two bodies as near to each other as contacts and spacings want them: they move before their feet stand.

Arms alone meet a contact within their reach, and look at ease well within it; a last solve that has to drag a pelvis
along leaves the steps behind. So what is missing of a distance is walked.
"""

import numpy as np

from .. import rotations as rot
from ..cleanup.plants import ease
from ..motion import FPS
from ..reference import smooth
from ..request import HARD, Spacing
from ..skeleton import INDEX, LEGS
from .apart import ARMS

STRAIGHT, AT_EASE = 0.95, 0.68  # of limbs' length: how far they reach; of that along the ground, where arms stay bent
BODIES = 0.35  # metres between bodies of size 1 under which nobody is asked to come nearer
MOST = 2.5  # metres that a body of size 1 comes nearer
INSIDE = 0.03  # metres from its bounds that a distance is brought to, so that what is smoothed stays within them
FADE, SMOOTHING = 0.9, 0.15  # seconds over which a body comes and goes at least, and over which its way is smoothed
PACE = 0.8  # metres a second, on average, of who comes from farther away
_LIMBS = [(list(arm), AT_EASE) for arm in ARMS] + [([INDEX[name] for name in leg], 1.0) for leg in LEGS]


def approach(poses, free, contacts, spacings, still=(False, False)):
    """Metres `[2, T, 3]` along the ground by which two whole bodies come nearer to each other or go apart, smoothly.

    `free [2, T]`: how far each may (apart.room); `contacts`, `spacings`: a request's, of which those count that bind;
    `still`: whose limbs stay where they are. No contact takes anybody nearer than a spacing lets them.
    """
    out = np.zeros((*free.shape, 3))
    share = free * free / np.maximum(free.sum(0), 1e-9) * np.array([-1.0, 1.0])[:, None]
    ranges = [s for s in spacings if s.weight == HARD]
    touching = [c for c in contacts if c.weight == HARD and c.first[0] != c.second[0]]
    for item in (*ranges, *touching, *ranges):  # who comes to touch passes through other distances on the way
        frames = poses.frames_between(item.start, item.end)
        if len(frames):
            at = poses.places[:, frames] + out[:, frames, None]
            if isinstance(item, Spacing):
                change = _to_range(item, at)
            else:
                change = _to_reach(item, at, poses, ranges, frames, still)
            if change.any():
                out[..., :2] += share[..., None] * _held(change, frames, free.shape[1])
    far = rot.length(out) / (MOST * poses.sizes[:, None])
    return out * ((1.0 + far**8) ** -0.125)[..., None]  # a bound without a kink


def _to_range(spacing, at):
    """How the way from the first pelvis to the second has to change `[N, 2]`, in places `at [2, N, 22, 3]`."""
    way = (at[1] - at[0])[:, 0, :2]
    level, inside = np.hypot(*way.T), min(INSIDE, (spacing.most - spacing.least) / 4)
    wanted = np.clip(level, spacing.least + inside, spacing.most - inside)
    return way * (wanted / np.maximum(level, 1e-9) - 1.0)[:, None]


def _to_reach(contact, at, poses, spacings, frames, still):
    """The same for limbs that are to touch: between what both hang on, within a reach at which arms stay bent."""
    ends = sorted((contact.first, contact.second))
    limbs = [(INDEX[name], 0.0, 1.0) if still[p] else _limb(at[p, 0], INDEX[name]) for p, name in ends]
    roots, lengths, at_ease = zip(*limbs, strict=True)
    way = at[1, :, roots[1]] - at[0, :, roots[0]]
    level = np.hypot(*way[:, :2].T)
    reach = np.sqrt(np.maximum((STRAIGHT * sum(lengths) + contact.distance) ** 2 - way[:, 2] ** 2, 0.0))
    reach = np.maximum(min(at_ease) * reach, BODIES * poses.sizes.mean())
    missing = np.minimum(np.maximum(level - reach, 0.0), _allowed(at[:, :, 0], poses, spacings, frames))
    return way[:, :2] * (-missing / np.maximum(level, 1e-9))[:, None]


def _limb(places, joint):
    """Of a joint in a pose `[22, 3]`: what its limb hangs on, the limb's length so far, and how it is at ease.

    Joints of the trunk hang on themselves.
    """
    for limb, at_ease in _LIMBS:
        if joint in limb:
            bones = np.diff(places[limb[: limb.index(joint) + 1]], axis=0)
            return limb[0], float(rot.length(bones).sum()), at_ease
    return joint, 0.0, 1.0


def _allowed(roots, poses, spacings, frames):
    """How much nearer `[N]` spacings let two persons come, whose pelvises are at `roots [2, N, 3]` on `frames [N]`."""
    out, between = np.full(len(frames), np.inf), np.hypot(*(roots[1] - roots[0])[:, :2].T)
    for spacing in spacings:
        inside = np.isin(frames, poses.frames_between(spacing.start, spacing.end))
        out[inside] = np.minimum(out[inside], np.maximum(between - spacing.least, 0.0)[inside])
    return out


def _held(rows, frames, count):
    """Rows `[N, 2]` on frames that follow each other, of `count`: held beside them and let go, smoothed."""
    time, lengths = np.arange(count), rot.length(rows)
    fade = np.where(time < frames[0], lengths[0], lengths[-1]) / PACE
    beside = np.maximum(np.maximum(frames[0] - time, time - frames[-1]), 0) / (np.maximum(fade, FADE) * FPS)
    held = rows[np.clip(time - frames[0], 0, len(frames) - 1)]
    return smooth(held * (1.0 - ease(beside))[:, None], SMOOTHING)
