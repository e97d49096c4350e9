"""The height of the pelvis, fitted so that standing feet are on the ground.

The network gives the pelvis' height and the joints' rotations apart; on proportions of its own kind each they agree, on
others the feet hang in the air or sink. The rotations carry the pose, so the height gives way.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..cleanup.contacts import label_contacts
from ..cleanup.kinematics import kinematics
from ..cleanup.plants import around, ease, frames_from, largest_near
from ..cleanup.terrain import body_ground
from ..reference import smooth
from ..skeleton import ARMS, FEET, INDEX, LEGS

STANCE = 0.01  # metres over its rest height, for a leg of 0.85 m, that a standing toe of the recordings is on average
SMOOTHING = 0.2  # seconds
STEADY = 0.15  # weight of the clip's mean against a frame in contact
STRAIGHTEST = np.radians(12.0)  # of a knee in a standing leg: recorded walks reach 0 to 12 degrees
STRIDE = 0.6  # seconds to either side in which the straightest moment of a stride is looked for
HIGHER = 0.035  # metres, for a leg of 0.85 m, that the pelvis goes up at most for it
LYING, SUNK = 0.08, 0.03  # metres, for a leg of 0.85 m, over the ground of the lowest joint of somebody who lies
NEARBY, SETTLING = 4, 0.08  # frames to either side that count as well, and seconds over which is averaged
LIMBS = [*FEET, *(INDEX[name] for arm in ARMS for name in arm[1:])]  # what can give way by itself
KEEP_SECONDS = 0.5  # the correction fades to nothing over this long beside a keyed place ...
TRUSTED_SECONDS = 2.0  # ... or this long where it would lower between two: there the height is known better than legs


def fit_height(motion, contacts, held=(), ground=None):
    """The motion with its pelvis raised or lowered smoothly; `contacts [T, 4]` flags, `held` frames that stay.

    `ground`: points `[..., 2]` -> heights `[...]` of ground that is not flat.
    """
    shift = too_high(kinematics(motion)[0], motion.body, motion.fps, contacts, held, ground)
    if not shift.any():
        return motion
    root = motion.root.copy()
    root[:, 2] -= shift
    return replace(motion, root=root)


def too_high(places, body, fps, contacts, held=(), ground=None):
    """Metres `[T]` by which a body at `places [T, 22, 3]` is to be lowered, smoothly; the rest as in `fit_height`."""
    feet = places[:, list(FEET)]
    lift = feet[..., 2] - body.foot_heights - STANCE * body.size
    if ground is not None:
        lift = lift - ground(feet[..., :2])
    stands = np.array(contacts, bool)
    stands[:, [0, 2]] &= ~stands[:, [1, 3]]  # a standing toe has the say, a heel only until it comes down
    weight = stands.sum(1).astype(float)
    if not weight.any():
        return np.zeros(len(places))
    total = (lift * stands).sum(1)
    mean = total.sum() / weight.sum()
    sums = smooth(np.stack([total, weight], -1), SMOOTHING, fps)
    shift = (sums[:, 0] + STEADY * mean) / (sums[:, 1] + STEADY)
    highest, room = _rooms(places, body, ground)
    if (room < shift).any() or (shift < -highest).any():
        shift = smooth(np.clip(shift, -highest, room)[:, None], SETTLING, fps)[:, 0]
    if len(held):
        bound = np.zeros(len(places), bool)
        bound[held] = True
        before, after = around(bound)
        trusted = (shift > 0) & (before >= 0) & (after < len(bound))
        shift = shift * ease(frames_from(bound) / (fps * np.where(trusted, TRUSTED_SECONDS, KEEP_SECONDS)))
    return shift


def _rooms(places, body, ground):
    """Metres `[T]` by which a body may be raised without hovering, and lowered until it lies, whatever its feet say.

    To be lowered by less than none is to be raised out of the ground. Arms see to themselves (cleanup.low_hands).
    """
    rest = np.delete(places, LIMBS, axis=1)
    over = (rest[..., 2] - (0.0 if ground is None else ground(rest[..., :2]))).min(1) / body.size
    up = np.where(over > LYING, over - LYING, np.maximum(SUNK - over, 0.0))
    down = np.where(over > LYING, over - LYING, np.minimum(over - SUNK, 0.0))
    down = down.max() - largest_near(down.max() - down, NEARBY)
    return body.size * np.maximum(up.max() - largest_near(up.max() - up, NEARBY), -down), body.size * down


def straighter(places, body, fps, contacts):
    """How much higher `[T]` (metres) the pelvis may go until a standing leg is as straight as legs come to be in walks.

    An answer is an average of strides, and bends its knees more than any of them. `places [T, 22, 3]`; `contacts
    [T, 4]` flags. 0 for somebody who never stands.
    """
    stands = np.asarray(contacts, bool).reshape(-1, 2, 2).any(2)
    least = np.full(len(places), np.inf)
    for k, leg in enumerate(LEGS):
        hip, knee, ankle = (places[:, INDEX[name]] for name in leg[:3])
        thigh, shin = (float(rot.length(a - b).mean()) for a, b in ((hip, knee), (knee, ankle)))
        longest = thigh**2 + shin**2 + 2 * thigh * shin * np.cos(STRAIGHTEST)
        way = hip - ankle
        reach = np.sqrt(np.maximum(longest - way[:, 0] ** 2 - way[:, 1] ** 2, 0.0))
        least = np.where(stands[:, k], np.minimum(least, reach - way[:, 2]), least)
    if not np.isfinite(least).any():
        return np.zeros(len(places))
    near, highest = int(STRIDE * fps), HIGHER * body.size
    down = highest - np.clip(least, 0.0, highest)
    lowest = highest - largest_near(down, near)
    return smooth(lowest[:, None], STRIDE / 2, fps)[:, 0]


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
