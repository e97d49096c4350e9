"""Windows cut from the clips, stretched honestly: speed, mirror, proportions, gestures."""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core import words
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import JOINTS, MIRROR, Measures, make_body, measures_of

SPEEDS = (0.85, 1.2)
LIMBS = 0.08  # largest change of a group of lengths, as a share
SIZES = 0.04  # largest change of the whole body's size: all are brought to size 1, as a request's are
# The largest turn (radians) put on upper-body joints about a moment, and for how long (seconds, standard deviation):
# animators key stronger poses than anybody recorded. Legs stay, and with them the contacts.
GESTURE = {"collar": 0.3, "shoulder": 1.8, "elbow": 1.0, "wrist": 0.5, "spine": 0.35, "neck": 0.3, "head": 0.3}
GESTURE_SECONDS = (0.15, 0.5)
GESTURES = 3  # at most, in a window
GESTURING = 0.35  # share of the windows with any
WORDLESS = 0.3  # share of the persons of whom nothing is said
TAGS_KEPT = (0.3, 1.0)  # chance of each tag otherwise, drawn a person
LEFT, RIGHT = words.NAMES.index("left"), words.NAMES.index("right")
MIRROR_FEET = [2, 3, 0, 1]  # of the contact channels


@dataclass(frozen=True)
class Windows:
    """A batch of B windows of P persons and T frames, in the clips' own world frames."""

    root: np.ndarray  # [B, P, T, 3]
    rotations: np.ndarray  # [B, P, T, 22, 4]
    contacts: np.ndarray  # [B, P, T, 4]
    offsets: np.ndarray  # [B, P, 22, 3]
    measures: np.ndarray  # [B, P, 11]
    gestures: np.ndarray  # [B, P, GESTURES] frames at which a pose was exaggerated, -1 for none
    words: np.ndarray  # [B, P, words.COUNT] what is said of the motion, 0 where nothing is


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


def _vary_body(body, rng):
    """Other proportions on the same legs, which carry the height of the pelvis and the contacts."""
    m = vars(measures_of(body)).copy()
    groups = (("upper_arm", "forearm"), ("spine", "neck"), ("hip_width", "shoulder_width"), ("shoulder_drop",))
    for names in groups:
        factor = 1 + LIMBS * rng.uniform(-1, 1)
        for name in names:
            m[name] *= factor
    m["shoulder_drop"] += rng.choice([0.0, 0.0, 0.06, 0.12])  # rigs put the neck joint higher than the recordings
    if m["shoulder_drop"] > 0:
        m["spine"] += 0.8 * m["shoulder_drop"]
    return make_body(Measures(**m))


def gesture(rotations, rng):
    """Exaggerates the upper body about a few moments: (rotations `[T, 22, 4]`, their frames, -1 for none)."""
    moments = np.full(GESTURES, -1)
    if rng.random() >= GESTURING:
        return rotations, moments
    frames = len(rotations)
    out = rotations.copy()
    for k in range(int(rng.integers(1, GESTURES + 1))):
        moments[k] = rng.integers(frames)
        width = rng.uniform(*GESTURE_SECONDS) * FPS
        weight = np.exp(-0.5 * ((np.arange(frames) - moments[k]) / width) ** 2)
        for j, name in enumerate(JOINTS):
            most = next((v for part, v in GESTURE.items() if part in name), 0.0)
            if most and rng.random() < 0.6:
                turn = rng.normal(0, most / 2, 3).clip(-most, most)
                out[:, j] = rot.multiply(rot.from_rotvec(weight[:, None] * turn), out[:, j])
    return out, moments


def spoken(text, flip, rng):
    """Channels `[words.COUNT]` of what is said of a clip: some of its tags, or nothing (classifier-free dropout).

    Animators write a word or two where the recordings have a sentence, so every tag is left out at times. In the
    mirror left is right.
    """
    said = words.encode(text)
    if flip:
        said[[LEFT, RIGHT]] = said[[RIGHT, LEFT]]
    said = said * (rng.random(len(said)) < rng.uniform(*TAGS_KEPT)) * (rng.random() > WORDLESS)
    return said / max(float(np.linalg.norm(said)), 1e-6)


def windows(picks, frames, rng, augment=True):
    """Cuts `picks`, a list of tuples of (clip, start) pairs, one a person of the window."""
    out = []
    for persons in picks:
        speed = rng.uniform(*SPEEDS) if augment else 1.0
        size = (1 + SIZES * rng.uniform(-1, 1) if augment else 1.0) / persons[0][0].motion.body.size
        flip = augment and rng.random() < 0.5
        rows = []
        for clip, start in persons:
            root, rotations, contacts = cut(clip, start, frames, speed)
            moments = np.full(GESTURES, -1)
            if augment and len(persons) == 1:
                rotations, moments = gesture(rotations, rng)
            root = root * size
            body = clip.motion.body.scaled(size)
            if augment:
                body = _vary_body(body, rng)
            measures = np.array(list(vars(measures_of(body)).values()))
            if flip:
                root = root * np.array([-1.0, 1, 1])
                rotations = rotations[:, MIRROR] * np.array([1.0, 1, -1, -1])
                contacts = contacts[:, MIRROR_FEET]
            said = spoken(clip.text, flip, rng)
            rows.append((root, rotations, contacts, body.offsets, measures, moments, said))
        out.append([np.stack(column) for column in zip(*rows, strict=True)])
    return Windows(*(np.stack(column).astype(np.float32) for column in zip(*out, strict=True)))
