"""A small encoder of motion: features for Fréchet distance and diversity, and a tag classifier, in NumPy.

Windows of about 2 to 4 seconds at 30 frames a second, seen from the pelvis' own heading and at body size 1, go through
three convolutions over time to 32 numbers. They were learnt (`evaluation.train_encoder`) by telling tags of action and
by telling what was done to a window that was spoilt on purpose, so they know both what is done and how well. What it
reaches on clips never trained on stands in `evaluation/encoder.md`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from blender_motiondiff.core.denoiser.weights import read_tensors
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.skeleton import COUNT, INDEX

FILE = Path(__file__).with_name("encoder.safetensors")
FRAME = 2 * 3 * COUNT + 1  # numbers a frame: places, velocities, turning
WIDTH = 32  # numbers a window
STRIDES = (2, 2, 1)  # of the convolutions
SHORTEST = 30  # frames that the convolutions need
FASTEST = 12.0  # metres or radians a second: what is faster (a heading that flips) counts as this

# Tag -> (classes of the data's index, beginnings of words in a description that say so). The first that fits counts.
TAGS = {
    "salsa": (("salsa (pair)",), "salsa"),
    "dance": (("dance", "breakdance"), "danc ballet pirouette arabesque jete breakdanc"),
    "martial arts": (("martial arts",), "martial kick punch box karate sword strik spar"),
    "sport": (("sport",), "sport ball basketball soccer golf dribbl throw tennis"),
    "jump": (("jump, hop, duck",), "jump hop leap duck"),
    "exercise": (("exercise",), "exercis squat stretch elbow push-up rotat"),
    "acting": (("acting", "gestures"), "act gestur signal subject rhyme laugh"),
    "run": (("run",), "run jog sprint"),
    "walk": (("walk", "walk, uneven ground"), "walk sneak strid march navigat stroll"),
    "everyday": (("everyday", "sit, stand up"), "drink mop wash grab reach put pick lie lying sit stand carry open"),
}
NAMES = tuple(TAGS)


@dataclass(frozen=True)
class Encoder:
    """The encoder's numbers by name, float32: as `evaluation.train_encoder` writes them."""

    tensors: dict


def load(path=None):
    """The published encoder, or that of another safetensors file. Raises FileError where it can't be read."""
    path = Path(path) if path else FILE
    try:
        tensors = read_tensors(path)
        return Encoder({name: tensors[name].reshape(shape).astype(np.float32) for name, shape in SHAPES.items()})
    except (OSError, ValueError, KeyError, MemoryError, OverflowError) as error:
        remedy = "Make it with `python -m evaluation.train_encoder`."
        raise FileError(f"The encoder {path} can't be read ({error!r}). {remedy}") from error


def tag_of(action, description=""):
    """The tag that a clip of this action class and description should get; None where none fits."""
    for tag, (classes, _) in TAGS.items():
        if action in classes:
            return tag
    if action:
        return None
    said = re.findall(r"[a-z-]+", description.lower())
    for tag, (_, words) in TAGS.items():
        if any(word.startswith(tuple(words.split())) for word in said):
            return tag
    return None


# --- what the network sees --------------------------------------------------------------------------------------------


def frame_features(places):
    """Numbers a frame `[..., T - 1, FRAME]` of joints `[..., T, 22, 3]` of bodies of size 1 at 30 frames a second.

    Joints relative to the pelvis (heights over the ground) and their velocities against the ground, both in the
    heading of the hips, and how fast that turns; metres, metres a second, radians a second.
    """
    across = places[..., INDEX["left_hip"], :2] - places[..., INDEX["right_hip"], :2]
    heading = np.arctan2(across[..., 1], across[..., 0])
    turning = (np.diff(heading, axis=-1) + np.pi) % (2 * np.pi) - np.pi
    cos, sin = np.cos(heading)[..., None], np.sin(heading)[..., None]

    def seen(v):
        c, s = cos[..., : v.shape[-3], :], sin[..., : v.shape[-3], :]
        x, y = v[..., 0], v[..., 1]
        return np.stack([c * x + s * y, c * y - s * x, v[..., 2]], -1).reshape(*v.shape[:-2], -1)

    own = places.copy()
    own[..., :2] -= places[..., :1, :2]
    speed = np.clip(np.diff(places, axis=-3) * FPS, -FASTEST, FASTEST)
    yaw = np.clip(turning[..., None] * FPS, -FASTEST, FASTEST)
    return np.concatenate([seen(own)[..., :-1, :], seen(speed), yaw], -1).astype(np.float32)


def joints_of(motion):
    """Joint places `[T, 22, 3]` of a motion brought to body size 1."""
    return (positions(motion) / motion.body.size).astype(np.float32)


# --- the network ------------------------------------------------------------------------------------------------------

CHANNELS, KERNELS = (FRAME, 64, 96, 96), (5, 5, 3)
FLAWS = ("none", "jitter", "gliding", "blurred", "stiff", "lifted")  # what training windows are spoilt with
SHAPES = {
    "mean": (FRAME,), "deviation": (FRAME,),
    **{f"conv{k}.weight": (CHANNELS[k + 1], CHANNELS[k], KERNELS[k]) for k in range(3)},
    **{f"conv{k}.bias": (CHANNELS[k + 1],) for k in range(3)},
    "embed.weight": (WIDTH, 2 * CHANNELS[3]), "embed.bias": (WIDTH,),
    "tags.weight": (len(NAMES), WIDTH), "tags.bias": (len(NAMES),),
    "flaws.weight": (len(FLAWS), WIDTH), "flaws.bias": (len(FLAWS),),
    "centre": (WIDTH,), "scale": (WIDTH,),
}  # fmt: skip


def _convolve(x, weight, bias, stride):
    """`x [N, T, C]`, `weight [D, C, K]` -> `[N, (T - K) // stride + 1, D]`."""
    seen = np.lib.stride_tricks.sliding_window_view(x, weight.shape[-1], axis=1)[:, ::stride]
    return seen.reshape(*seen.shape[:2], -1) @ weight.reshape(len(weight), -1).T + bias


def embed(encoder, places):
    """The 32 numbers of windows `[N, 32]` as the classifiers see them. `places [N, T, 22, 3]` at body size 1."""
    w = encoder.tensors
    x = (frame_features(places) - w["mean"]) / w["deviation"]
    for k, stride in enumerate(STRIDES):
        x = np.maximum(_convolve(x, w[f"conv{k}.weight"], w[f"conv{k}.bias"], stride), 0)
    pooled = np.concatenate([x.mean(1), x.max(1)], -1)
    return pooled @ w["embed.weight"].T + w["embed.bias"]


def _embedded(encoder, motions):
    """Embeddings `[N, 32]` of motions, those of one length at once. Raises ValueError for one that is too short."""
    short = min((m.frames for m in motions), default=SHORTEST)
    if short < SHORTEST:
        raise ValueError(f"A motion of {short} frames is too short for the encoder; it needs {SHORTEST}.")
    out = np.empty((len(motions), WIDTH), np.float32)
    lengths = np.array([m.frames for m in motions], int)
    for length in np.unique(lengths):
        at = np.flatnonzero(lengths == length)
        out[at] = embed(encoder, np.stack([joints_of(motions[i]) for i in at]))
    return out


def features(encoder, motions):
    """Features `[N, 32]` of motions of 30 frames or more; each has mean 0 and deviation 1 on recorded windows."""
    w = encoder.tensors
    return ((_embedded(encoder, motions) - w["centre"]) / w["scale"]).astype(float)


def tags(encoder, motions):
    """The tag (of TAGS) that the classifier gives each motion."""
    w = encoder.tensors
    said = np.maximum(_embedded(encoder, motions), 0) @ w["tags.weight"].T + w["tags.bias"]
    return [NAMES[i] for i in said.argmax(-1)]


# --- distances --------------------------------------------------------------------------------------------------------


def covariance(features):
    """Covariance `[D, D]` of `[N, D]`, shrunk towards a multiple of the unit matrix as far as its sample asks for.

    Ledoit and Wolf 2004, A well-conditioned estimator for large-dimensional covariance matrices, section 3.
    """
    count, width = features.shape
    off = features - features.mean(0)
    sample = off.T @ off / count
    level = np.trace(sample) / width
    spread = ((sample - level * np.eye(width)) ** 2).sum()
    noise = (((off**2).sum(1) ** 2).sum() / count - (sample**2).sum()) / count
    share = min(max(noise, 0.0) / spread, 1.0) if spread > 0 else 0.0
    return share * level * np.eye(width) + (1 - share) * sample


def frechet(a, b):
    """Fréchet distance between normal distributions fitted to features `[N, D]` and `[M, D]` (Heusel et al. 2017).

    What the squared distance of two means owes to the small numbers of windows alone is taken off, and covariances are
    shrunk (`covariance`); still compare only distances that were taken with about equal N and M, and see
    `evaluation/encoder.md` for what two halves of the recordings have between them.
    """
    first, second = covariance(a), covariance(b)
    owed = np.trace(first) / len(a) + np.trace(second) / len(b)
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum() - owed
    values, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    return float(max(apart, 0.0) + max(np.trace(first) + np.trace(second) - 2 * mixed, 0.0))


def diversity(features, seed=0, pairs=1000):
    """Mean distance of random pairs of different windows of `features [N, D]`; 0 where there are fewer than two."""
    count = len(features)
    if count < 2:
        return 0.0
    rng = np.random.default_rng(seed)
    first = rng.integers(count, size=pairs)
    second = (first + rng.integers(1, count, size=pairs)) % count
    return float(np.linalg.norm(features[first] - features[second], axis=1).mean())
