"""Windows cut from the clips, stretched honestly: speed, mirror, proportions."""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import MIRROR, Measures, make_body, measures_of

SPEEDS = (0.85, 1.2)
LIMBS = 0.08  # largest change of a group of lengths, as a share
MIRROR_FEET = [2, 3, 0, 1]  # of the contact channels


@dataclass(frozen=True)
class Windows:
    """A batch of B windows of P persons and T frames, in the clips' own world frames."""

    root: np.ndarray  # [B, P, T, 3]
    rotations: np.ndarray  # [B, P, T, 22, 4]
    contacts: np.ndarray  # [B, P, T, 4]
    offsets: np.ndarray  # [B, P, 22, 3]
    measures: np.ndarray  # [B, P, 11]


def usable_starts(good, length):
    """First frames of the stretches of `length` good frames."""
    total = np.concatenate([[0], np.cumsum(good)])
    count = len(good) - length + 1
    return np.flatnonzero(total[length : length + count] - total[:count] == length) if count > 0 else np.empty(0, int)


def cut(clip, start, frames, speed):
    """Frames of a clip at 30 a second from source frame `start`, played at `speed`: root, rotations, contacts."""
    times = start + np.arange(frames) * speed * clip.motion.fps / FPS
    low = np.minimum(np.floor(times).astype(int), clip.motion.frames - 1)
    high = np.minimum(low + 1, clip.motion.frames - 1)
    share = (times - low)[:, None]
    root = clip.motion.root[low] * (1 - share) + clip.motion.root[high] * share
    a, b = clip.motion.rotations[low], clip.motion.rotations[high]
    b = np.where((a * b).sum(-1, keepdims=True) < 0, -b, b)
    return root, rot.normalize(a * (1 - share[..., None]) + b * share[..., None]), clip.contacts[low]


def _vary_body(body, rng, size):
    m = vars(measures_of(body)).copy()
    groups = {
        "leg": ("thigh", "shin", "ankle_height", "foot_length"), "arm": ("upper_arm", "forearm"),
        "trunk": ("spine", "neck"), "width": ("hip_width", "shoulder_width"), "drop": ("shoulder_drop",),
    }  # fmt: skip
    for group, names in groups.items():
        factor = size if group == "leg" else size * (1 + LIMBS * rng.uniform(-1, 1))
        for name in names:
            m[name] *= factor
    m["shoulder_drop"] += size * rng.choice([0.0, 0.0, 0.06, 0.12])  # rigs put the neck joint higher than the data
    if m["shoulder_drop"] > 0:
        m["spine"] += 0.8 * m["shoulder_drop"]
    return make_body(Measures(**m)), np.array(list(m.values()))


def windows(picks, frames, rng, augment=True):
    """Cuts `picks`, a list of tuples of (clip, start) pairs, one a person of the window."""
    out = []
    for persons in picks:
        speed = rng.uniform(*SPEEDS) if augment else 1.0
        size = 1 + LIMBS * rng.uniform(-1, 1) if augment else 1.0
        flip = augment and rng.random() < 0.5
        rows = []
        for clip, start in persons:
            root, rotations, contacts = cut(clip, start, frames, speed)
            body = clip.motion.body
            if augment:
                body, measures = _vary_body(body, rng, size)
                root = root * size
            else:
                measures = np.array(list(vars(measures_of(body)).values()))
            if flip:
                root = root * np.array([-1.0, 1, 1])
                rotations = rotations[:, MIRROR] * np.array([1.0, 1, -1, -1])
                contacts = contacts[:, MIRROR_FEET]
            rows.append((root, rotations, contacts, body.offsets, measures))
        out.append([np.stack(column) for column in zip(*rows, strict=True)])
    return Windows(*(np.stack(column).astype(np.float32) for column in zip(*out, strict=True)))
