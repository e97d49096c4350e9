"""Two-bone IK for legs, all frames at once: the ankle goes to a target, the foot keeps its direction in the world.

The leg is first turned as a whole towards the target (shortest arc), then bent in the plane in which its knee already
points. That equals the law-of-cosines form of Holden's controller, and is exact for knees that lie off that plane.
"""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX, LEG_JOINTS

SOFT_FROM = 0.985  # of the leg's length: from here on it stretches ever more slowly, so that knees do not pop
SOFT_TO = 0.9995  # of the leg's length, never reached
KNEE_FORWARD = 1e-3  # of the leg's length: how much a straight leg is told where forward is


_LEG = LEG_JOINTS[:, :3].T  # hips, knees, ankles


def solve_leg(local, world, places, leg, target, weight=1.0):
    """Local rotations `[..., T, 22, 4]` with the leg's hip, knee and ankle changed so that the ankle meets its target.

    `local [..., T, 22, 4]`; `world [..., T, 22, 4]` and `places [..., T, 22, 3]` its world rotations and positions (the
    ankle's entry in `world` is the one that is kept); `leg`: names hip, knee, ankle, foot; `target [..., T, 3]`;
    `weight [..., T]` or a number, 0 leaves the leg alone. A target out of reach is approached as far as the leg goes.
    """
    hip, knee, ankle = (INDEX[name] for name in leg[:3])
    joints = [places[..., j, :] for j in (hip, knee, ankle)]
    goal = joints[2] + np.asarray(weight)[..., None] * (target - joints[2])
    new_hip, new_shin = bent_leg(*joints, world[..., hip, :], world[..., knee, :], goal)
    out = np.array(local, float)
    out[..., hip, :] = rot.multiply(rot.conjugate(world[..., 0, :]), new_hip)
    out[..., knee, :] = rot.multiply(rot.conjugate(new_hip), new_shin)
    out[..., ankle, :] = rot.multiply(rot.conjugate(new_shin), world[..., ankle, :])
    return out


def solve_legs(local, world, places, targets):
    """`solve_leg` of both legs at once, `targets [2, ..., T, 3]`, and the world rotations that follow."""
    joints = [_sides_first(places[..., j, :]) for j in _LEG]
    hip, shin, foot = (_sides_first(world[..., j, :]) for j in _LEG)
    new_hip, new_shin = bent_leg(*joints, hip, shin, targets)
    above = np.stack([np.broadcast_to(world[..., 0, :], new_hip.shape), new_hip, new_shin])
    turns = rot.multiply(rot.conjugate(above), np.stack([new_hip, new_shin, foot]))
    out, turned = np.array(local, float), world.copy()
    for own, j in zip(turns, _LEG, strict=True):
        out[..., j[0], :], out[..., j[1], :] = own
    for own, j in zip((new_hip, new_shin), _LEG[:2], strict=True):
        turned[..., j[0], :], turned[..., j[1], :] = own
    return out, turned


def _sides_first(both):
    return np.stack([both[..., 0, :], both[..., 1, :]])


def bent_leg(a, b, c, hip_turn, shin_turn, target):
    """World turns `[..., 4]` of thighs and shins whose ankles meet their targets, as far as legs reach.

    `a`, `b`, `c [..., 3]`: hips, knees and ankles before; `hip_turn`, `shin_turn [..., 4]`: the world turns then;
    `target [..., 3]`.
    """
    ab, bc, ac = b - a, c - b, c - a
    thigh, shin = rot.length(ab)[..., None], rot.length(bc)[..., None]
    goal = within_reach(target - a, rot.length(ac)[..., None], thigh, shin)
    swing = rot.shortest_arc(ac, goal)
    pole = rot.rotate(swing, bend_direction(ab, ac, thigh + shin, hip_turn))
    reach = np.maximum(rot.length(goal)[..., None], 1e-9)
    along = (thigh**2 - shin**2 + reach**2) / (2 * reach)
    high = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    new_knee = goal / reach * along + pole * high
    thigh_turn = rot.multiply(rot.shortest_arc(rot.rotate(swing, ab), new_knee), swing)
    shin_swing = rot.multiply(rot.shortest_arc(rot.rotate(thigh_turn, bc), goal - new_knee), thigh_turn)
    return rot.multiply(thigh_turn, hip_turn), rot.multiply(shin_swing, shin_turn)


def within_reach(reach, before, thigh, shin):
    """Hip-to-target vectors `[..., 3]` shortened to what the leg can span.

    Up to SOFT_FROM of the leg's length, or to how far it stretched already (`before [..., 1]`), they stay as they are.
    """
    wanted, leg = np.maximum(rot.length(reach)[..., None], 1e-9), thigh + shin
    last = SOFT_TO * leg
    first = np.clip(before, SOFT_FROM * leg, last - 1e-3 * leg)
    room = last - first
    soft = last - room * np.exp(-np.maximum(wanted - first, 0.0) / room)
    got = np.where(wanted > first, soft, wanted)
    return reach / wanted * np.maximum(got, np.abs(thigh - shin) + 0.01 * leg)


def bend_direction(thigh, reach, leg, hip_rotation):
    """Unit vectors `[..., 3]` square to the hip-ankle line in which the knee points; never behind the leg.

    `thigh`, `reach [..., 3]`: from the hip to the knee and to the ankle; `leg [..., 1]`: the leg's length. A straight
    leg points nowhere, so the knee's own hinge (the thigh's side axis) has a small say throughout.
    """
    line = rot.normalize(reach)
    forward = rot.normalize(rot.cross(line, rot.rotate(hip_rotation, np.array([1.0, 0.0, 0.0]))))
    out = thigh - rot.dot(thigh, line)[..., None] * line
    bend = rot.dot(out, forward)[..., None]
    return rot.normalize(out - bend * forward + (np.maximum(bend, 0.0) + KNEE_FORWARD * leg) * forward)
