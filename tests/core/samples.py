"""Motions made by formula, Hypothesis strategies, and the way to recorded data where there is any."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.skeleton import COUNT, INDEX, Measures, average_body

unit = st.floats(-1, 1, allow_nan=False, width=32)
vectors = hnp.arrays(float, (3,), elements=unit)
seeds = st.integers(0, 2**32 - 1)
bodies = st.builds(
    Measures, hip_width=st.floats(0.05, 0.15), thigh=st.floats(0.3, 0.6), shin=st.floats(0.3, 0.6),
    foot_length=st.floats(0.08, 0.2), ankle_height=st.floats(0.02, 0.1), spine=st.floats(0.3, 0.7),
    neck=st.floats(0.05, 0.2), shoulder_width=st.floats(0.1, 0.3), shoulder_drop=st.floats(0.0, 0.1),
    upper_arm=st.floats(0.2, 0.4), forearm=st.floats(0.15, 0.35),
)  # fmt: skip


def quaternions(seed, *shape):
    """Random rotations `[*shape, 4]`, evenly spread."""
    return rot.normalize(np.random.default_rng(seed).normal(size=(*shape, 4)))


def random_motion(seed, frames=7, body=None, fps=30.0):
    """Any pose whatever, smooth in nothing."""
    root = np.random.default_rng(seed).normal(size=(frames, 3))
    return Motion(root, quaternions(seed + 1, frames, COUNT), body or average_body(), fps)


def standing(frames=60, body=None):
    """A character at rest on the ground."""
    body = body or average_body()
    root = np.tile([0.0, 0.0, body.standing_height], (frames, 1))
    return Motion(root, np.tile(rot.IDENTITY, (frames, COUNT, 1)), body)


def stepping(frames=150, speed=0.5, body=None):
    """A crude walk along -Y: legs swing as sines, so that standing feet slide a little, as generated ones do."""
    body = body or average_body()
    motion, t = standing(frames, body), np.arange(frames) / 30
    rotations = motion.rotations.copy()
    for side, phase in (("left", 0.0), ("right", np.pi)):
        swing = 0.28 * np.sin(2 * np.pi * t / 1.2 + phase)
        lift = 0.9 * np.maximum(np.cos(2 * np.pi * t / 1.2 + phase), 0) ** 2
        for joint, angle in (("hip", -swing - 0.5 * lift), ("knee", 0.12 + lift), ("ankle", swing - 0.12 - 0.5 * lift)):
            rotations[:, INDEX[f"{side}_{joint}"]] = rot.from_rotvec(np.stack([angle, 0 * angle, 0 * angle], -1))
    root = motion.root + np.stack([0 * t, -speed * t, -0.035 + 0.01 * np.cos(4 * np.pi * t / 1.2)], -1)
    return Motion(root, rotations, body)


def wobble(motion, metres, seed=0, frames=4.0):
    """The motion with smooth noise on root and rotations (radians as many as metres), as a network's answers have."""
    rng, t = np.random.default_rng(seed), np.arange(-16, 17)
    kernel = np.exp(-0.5 * (t / frames) ** 2)
    kernel /= np.sqrt((kernel**2).sum())

    def noise(*shape):
        return np.apply_along_axis(lambda v: np.convolve(v, kernel, "same"), 0, rng.normal(size=shape)) * metres

    turns = rot.from_rotvec(noise(motion.frames, COUNT, 3))
    return Motion(motion.root + noise(motion.frames, 3), rot.multiply(motion.rotations, turns), motion.body, motion.fps)


def data_folder():
    """The folder of recorded motion; skips the test where there is none."""
    folder = os.environ.get("MOTIONDIFF_DATA", "")
    if not folder or not (Path(folder) / "shards" / "index.csv").exists():
        pytest.skip("no recorded motion: MOTIONDIFF_DATA names no folder with shards/index.csv")
    return Path(folder)
