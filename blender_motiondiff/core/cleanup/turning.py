"""Whole bodies take their time to turn round.

Asked to face the other way a second later the network may hesitate and then turn about from one frame to the next.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from .plants import ease, runs

# A second: recorded dancers turn by 540 degrees at most, but where feet stand meanwhile a turn as slow lets them slip.
QUICKEST = np.radians(900.0)
STEEPEST = 1.5  # slope of `ease` in its middle
UPRIGHT = 0.5  # length along the ground of the way that the pelvis faces: who lies has no heading


def unhurried(motion, bound):
    """The motion with turns of the upright body that are quicker than QUICKEST begun earlier and ended later.

    `bound [T]` bool: frames on which the body's turn is to stay as it is.
    """
    ahead = rot.rotate(motion.rotations[:, 0], np.array([0.0, -1.0, 0.0]))
    heading = rot.unwrap(np.arctan2(ahead[:, 0], -ahead[:, 1]))
    upright = np.hypot(ahead[:, 0], ahead[:, 1]) > UPRIGHT
    most, out = QUICKEST / motion.fps, heading.copy()
    stops = np.concatenate([[0], np.flatnonzero(bound), [motion.frames - 1]])
    for first, last in runs(np.abs(np.diff(heading)) > most):
        earliest, latest = stops[stops <= first].max(), stops[stops >= last].min()
        while (first > earliest or last < latest) and STEEPEST * abs(out[last] - out[first]) > most * (last - first):
            first, last = max(first - 1, earliest), min(last + 1, latest)
        span = slice(first, last + 1)
        if upright[span].all():
            out[span] = out[first] + (out[last] - out[first]) * ease(np.linspace(0.0, 1.0, last - first + 1))
    if (out == heading).all():
        return motion
    rotations = motion.rotations.copy()
    rotations[:, 0] = rot.multiply(rot.about_z(out - heading), rotations[:, 0])
    return replace(motion, rotations=rotations)
