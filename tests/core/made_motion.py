"""Motions made by script: a body that walks in circles, more or less."""

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.skeleton import COUNT, average_body


def swinging(frames=60, seed=0, speed=1.0, body=None):
    """A Motion along a curve whose joints swing smoothly; nothing about it is natural but its continuity."""
    rng = np.random.default_rng(seed)
    body = body or average_body()
    t = np.arange(frames) / 30.0
    waves = rng.normal(0, 0.25, (COUNT, 3))[None] * np.sin(t[:, None, None] * rng.uniform(2, 6, (COUNT, 3)) + 1.0)
    local = rot.from_rotvec(waves)
    heading = 0.4 * t + rng.uniform(-3, 3)
    local[:, 0] = rot.multiply(rot.about_z(heading), local[:, 0])
    ahead = np.stack([np.sin(heading), -np.cos(heading)], -1) * speed / 30.0
    place = rng.uniform(-2, 2, 2) + np.cumsum(ahead, 0)
    height = body.standing_height + 0.02 * np.sin(9 * t)
    return Motion(np.concatenate([place, height[:, None]], -1), local, body)
