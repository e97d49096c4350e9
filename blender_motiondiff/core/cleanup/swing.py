"""Arms that swing as far as recorded ones do.

Where nobody says how far arms swing, an estimate of least error swings them about two thirds as far: it is the mean of
walks with calm arms and with lively ones. What they do is right, and only too little of it.
"""

from dataclasses import replace

from .. import rotations as rot
from ..reference import smooth
from ..skeleton import ARMS, INDEX
from .plants import ease, frames_from

# Times as far, of slow swings: on recorded walks hands then go to and fro by 9 cm (recorded 9, before 6), deviations.
SWING = 1.7
CALM = 0.5  # seconds: standard deviation of the average about which arms swing
QUICK = 0.1  # seconds: what is quicker than that is no swing
FARTHEST = 0.25  # radians that are added at most
FADE = 0.4  # seconds beside what must stay
JOINTS = [INDEX[name] for arm in ARMS for name in arm]


def livelier_arms(motion, bound):
    """The motion with its arms swinging farther; `bound [T]` bool: frames on which they are to stay as they are."""
    turns = rot.align_signs(motion.rotations[:, JOINTS])
    middle = rot.normalize(smooth(turns.reshape(motion.frames, -1), CALM, motion.fps).reshape(turns.shape))
    off = rot.to_rotvec(rot.multiply(rot.conjugate(middle), turns)).reshape(motion.frames, -1)
    more = (SWING - 1.0) * smooth(off, QUICK, motion.fps).reshape(*turns.shape[:-1], 3)
    more *= ((1.0 + (rot.length(more) / FARTHEST) ** 4) ** -0.25)[..., None]  # a bound without a kink
    more *= ease(frames_from(bound) / (FADE * motion.fps))[:, None, None]
    rotations = motion.rotations.copy()
    rotations[:, JOINTS] = rot.multiply(motion.rotations[:, JOINTS], rot.from_rotvec(more))
    return replace(motion, rotations=rotations)
