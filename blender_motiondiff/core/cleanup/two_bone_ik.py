"""Two-bone IK for legs, all frames at once: the ankle goes to a target, the foot keeps its direction in the world.

The leg is first turned as a whole towards the target (shortest arc), then bent in the plane in which its knee already
points. That equals the law-of-cosines form of Holden's controller, and is exact for knees that lie off that plane.
"""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX

SOFT_FROM = 0.985  # of the leg's length: from here on it stretches ever more slowly, so that knees do not pop
SOFT_TO = 0.9995  # of the leg's length, never reached
KNEE_FORWARD = 1e-3  # of the leg's length: how much a straight leg is told where forward is


def solve_leg(local, world, places, leg, target, weight=1.0):
    """Local rotations `[T, 22, 4]` with the leg's hip, knee and ankle changed so that the ankle meets its target.

    `local [T, 22, 4]`; `world [T, 22, 4]` and `places [T, 22, 3]` its world rotations and positions (the ankle's entry
    in `world` is the one that is kept); `leg`: names hip, knee, ankle, foot; `target [T, 3]`; `weight [T]` or a number,
    0 leaves the leg alone. A target out of reach is approached as far as the leg goes.
    """
    hip, knee, ankle = (INDEX[name] for name in leg[:3])
    a, b, c = places[:, hip], places[:, knee], places[:, ankle]
    thigh, shin = _length(b - a), _length(c - b)
    goal = c + np.reshape(weight, (-1, 1)) * (target - c)
    goal = a + within_reach(goal - a, _length(c - a), thigh, shin)
    swing = rot.shortest_arc(c - a, goal - a)
    pole = rot.rotate(swing, bend_direction(a, b, c, world[:, hip]))
    reach = np.maximum(_length(goal - a), 1e-9)
    along = (thigh**2 - shin**2 + reach**2) / (2 * reach)
    high = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    new_knee = a + (goal - a) / reach * along + pole * high
    thigh_turn = rot.multiply(rot.shortest_arc(rot.rotate(swing, b - a), new_knee - a), swing)
    shin_turn = rot.multiply(rot.shortest_arc(rot.rotate(thigh_turn, c - b), goal - new_knee), thigh_turn)
    new_hip = rot.multiply(thigh_turn, world[:, hip])
    new_shin = rot.multiply(shin_turn, world[:, knee])
    out = np.array(local, float)
    out[:, hip] = rot.multiply(rot.conjugate(world[:, 0]), new_hip)
    out[:, knee] = rot.multiply(rot.conjugate(new_hip), new_shin)
    out[:, ankle] = rot.multiply(rot.conjugate(new_shin), world[:, ankle])
    return out


def _length(v):
    return np.linalg.norm(v, axis=-1, keepdims=True)


def within_reach(reach, before, thigh, shin):
    """Hip-to-target vectors `[T, 3]` shortened to what the leg can span.

    Up to SOFT_FROM of the leg's length, or to how far it stretched already (`before [T, 1]`), they stay as they are.
    """
    wanted, leg = np.maximum(_length(reach), 1e-9), thigh + shin
    last = SOFT_TO * leg
    first = np.clip(before, SOFT_FROM * leg, last - 1e-3 * leg)
    room = last - first
    soft = last - room * np.exp(-np.maximum(wanted - first, 0.0) / room)
    got = np.where(wanted > first, soft, wanted)
    return reach / wanted * np.maximum(got, np.abs(thigh - shin) + 0.01 * leg)


def bend_direction(a, b, c, hip_rotation):
    """Unit vectors `[T, 3]` square to the hip-ankle line in which the knee points; never behind the leg.

    A straight leg points nowhere, so the knee's own hinge (the thigh's side axis) has a small say throughout.
    """
    line = rot.normalize(c - a)
    side_axis = rot.rotate(hip_rotation, np.broadcast_to([1.0, 0.0, 0.0], line.shape))
    forward = rot.normalize(rot.cross(line, side_axis))
    out = (b - a) - ((b - a) * line).sum(-1, keepdims=True) * line
    bend = (out * forward).sum(-1, keepdims=True)
    leg = _length(b - a) + _length(c - b)
    return rot.normalize(out - bend * forward + (np.maximum(bend, 0.0) + KNEE_FORWARD * leg) * forward)
