"""The height of the pelvis, fitted so that standing feet are on the ground.

The network gives the pelvis' height and the joints' rotations apart; on proportions of its own kind each they agree, on
others the feet hang in the air or sink. The rotations carry the pose, so the height gives way.
"""

from dataclasses import replace

import numpy as np

from ..cleanup.contacts import label_contacts
from ..cleanup.kinematics import kinematics
from ..cleanup.plants import frames_from
from ..cleanup.terrain import body_ground
from ..reference import smooth
from ..skeleton import FEET

STANCE = 0.01  # metres over its rest height, for a leg of 0.85 m, that a standing toe of the recordings is on average
SMOOTHING = 0.2  # seconds
STEADY = 0.15  # weight of the clip's mean against a frame in contact
KEEP_SECONDS = 0.3  # the correction fades to nothing over this long beside a keyed place


def fit_height(motion, contacts, held=(), ground=None):
    """The motion with its pelvis raised or lowered smoothly; `contacts [T, 4]` flags, `held` frames that stay.

    `ground`: points `[..., 2]` -> heights `[...]` of ground that is not flat.
    """
    places, _ = kinematics(motion)
    lift = places[:, list(FEET), 2] - motion.body.foot_heights - STANCE * motion.body.size
    if ground is not None:
        lift = lift - ground(places[:, list(FEET), :2])
    stands = np.array(contacts, bool)
    stands[:, [0, 2]] &= ~stands[:, [1, 3]]  # a standing toe has the say, a heel only until it comes down
    weight = stands.sum(1).astype(float)
    if not weight.any():
        return motion
    total = (lift * stands).sum(1)
    mean = total.sum() / weight.sum()
    sums = smooth(np.stack([total, weight], -1), SMOOTHING, motion.fps)
    shift = (sums[:, 0] + STEADY * mean) / (sums[:, 1] + STEADY)
    if len(held):
        away = frames_from(np.isin(np.arange(motion.frames), held)) / (KEEP_SECONDS * motion.fps)
        away = np.clip(away, 0.0, 1.0)
        shift = shift * away * away * (3 - 2 * away)
    root = motion.root.copy()
    root[:, 2] -= shift
    return replace(motion, root=root)


def onto_terrain(motion, heights, contacts=None):
    """A motion made for flat ground raised by the height of the ground under it, smoothed over a step.

    `heights`: points `[..., 2]` -> heights `[...]`, metres. `contacts [T, 4]`, labelled where None.
    What each foot's own ground differs from that is left to the legs (cleanup.foot_lock, with the same contacts).
    """
    places, _ = kinematics(motion)
    stands = label_contacts(places, motion.body, motion.fps) if contacts is None else contacts
    root = motion.root.copy()
    root[:, 2] += body_ground(places, stands, heights, motion.fps)
    return replace(motion, root=root)
