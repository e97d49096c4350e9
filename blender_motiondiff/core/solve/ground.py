"""The height of the pelvis, fitted so that standing feet are on the ground.

The network gives the pelvis' height and the joints' rotations apart; on proportions of its own kind each they agree, on
others the feet hang in the air or sink. The rotations carry the pose, so the height gives way.
"""

import numpy as np

from ..motion import forward_kinematics
from ..reference import smooth
from ..skeleton import FEET

SMOOTHING = 0.2  # seconds
STEADY = 0.15  # weight of the clip's mean against a frame in contact
KEEP_SECONDS = 0.3  # the correction fades to nothing over this long beside a keyed place


def fit_height(motion, contacts, held=()):
    """The motion with its pelvis raised or lowered smoothly; `contacts [T, 4]` flags, `held` frames that stay."""
    places, _ = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    lift = places[:, list(FEET), 2] - motion.body.foot_heights
    stands = np.asarray(contacts, bool)
    if not stands.any():
        return motion
    lowest = np.where(stands, lift, np.inf).min(1)
    weight = stands.any(1).astype(float)
    lowest = np.where(weight > 0, lowest, 0.0)
    mean = lowest.sum() / weight.sum()
    sums = smooth(np.stack([lowest * weight, weight], -1), SMOOTHING, motion.fps)
    shift = (sums[:, 0] + STEADY * mean) / (sums[:, 1] + STEADY)
    if len(held):
        away = np.abs(np.arange(motion.frames)[:, None] - np.asarray(held)[None]).min(1) / (KEEP_SECONDS * motion.fps)
        away = np.clip(away, 0.0, 1.0)
        shift = shift * away * away * (3 - 2 * away)
    root = motion.root.copy()
    root[:, 2] -= shift
    return type(motion)(root, motion.rotations, motion.body, motion.fps)
