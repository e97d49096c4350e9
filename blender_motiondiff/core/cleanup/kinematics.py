"""Forward kinematics of long clips a block of frames at a time: what a block needs stays in the processor's caches."""

import numpy as np

from ..motion import forward_kinematics

BLOCK = 1024  # frames


def kinematics(motion):
    """Joint positions `[T, 22, 3]`, metres, and world rotations `[T, 22, 4]` of a Motion."""
    parts = [
        forward_kinematics(motion.root[k : k + BLOCK], motion.rotations[k : k + BLOCK], motion.body.offsets)
        for k in range(0, motion.frames, BLOCK)
    ]
    places, world = zip(*parts, strict=True)
    return np.concatenate(places), np.concatenate(world)
