"""Feet that stand where they touch the ground: anchors an interval, pelvis lowered where a leg is too short, leg IK.

Off-line form of the usual foot lock (the whole clip is known): Kovar et al. 2002 for the order (root first, then legs),
Kimodo's and Motion-Matching's rules for anchors. The pelvis keeps its place over the ground, since a path binds it.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import rotations as rot
from ..skeleton import FEET, INDEX, LEGS
from .kinematics import kinematics
from .plants import blend, bridge, catch_up_lift, drag_lift, frames_from, pinned_track, runs, steps
from .terrain import body_ground, sole_ground, swing_bump
from .two_bone_ik import SOFT_FROM, solve_leg

KEEP_FRAMES = 4  # corrections fade over these many frames to either side of a keyed one
LOWEST = 0.3  # of a foot joint's rest height: how low it may swing
SOFT_GROUND = 0.004  # metres over which a swinging foot is kept from the ground
HEEL_UP = 0.025  # metres over its rest height, for a leg of 0.85 m: a higher ankle does not stand, whatever its label
HEEL_FRAMES = 4  # a heel that has just left the ground, or is about to touch it, may not rise freely yet
FOOT_TURN = 0.05  # metres, for a leg of 0.85 m, that an ankle moves against its toe at most to keep the foot's way
TIPTOE = 0.35  # radians that a foot is turned about its toe at most so that the leg reaches
DEEPEST = 0.05  # metres, for a leg of 0.85 m, that the pelvis is lowered at most
SPREAD = 9  # frames to either side over which the pelvis goes down and up again

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Foot:
    """What is settled of one foot before its leg is solved.

    `toe [T, 3]`: where its toe is to be; `turn [T, 4]`: its turn against the motion; `heel_free [T]`: how far the heel
    may rise; `flat [T]`: how far the toes lie flat on ground of slope `rise [T]`; `deeper [T]`: metres by which its
    ground is lower than the body's.
    """

    leg: tuple[str, ...]
    toe: np.ndarray
    turn: np.ndarray
    heel_free: np.ndarray
    flat: np.ndarray
    rise: np.ndarray
    deeper: np.ndarray


def lock_feet(motion, contacts, keep=None, clearance=0.0, ground=None):
    """The motion with its feet standing where they are in contact, and a report.

    `contacts [T, 4]`: flags or probabilities of the foot joints (skeleton.FEET). `keep [T]`: 0 where the pose must stay
    as it is (keyed frames), 1 elsewhere. `clearance`: metres over its rest height, for a leg of 0.85 m, at which a
    swinging toe passes at least; 0 leaves swings as they are, as recorded motion wants. `ground`: points `[..., 2]` ->
    heights `[...]` of ground that is not flat; the motion has been raised onto it (solve.ground.onto_terrain, with the
    same contacts). The report holds slips in cm/s and lengths in cm.
    """
    before, world = kinematics(motion)
    contacts = np.asarray(contacts, float) > 0.5
    hold = keep_weights(keep, motion.frames)
    # All is settled over flat ground at 0, the ground's height under the body taken off.
    under = np.zeros(motion.frames) if ground is None else body_ground(before, contacts, ground, motion.fps)
    places = before - under[:, None, None] * UP
    terrain = None if ground is None else (ground, under)
    feet = [place_foot(motion, places, contacts[:, 2 * k : 2 * k + 2], hold, k, clearance, terrain) for k in range(2)]
    # How far the pelvis goes down depends on how far the heels may rise, and the other way round: first with the
    # pelvis as it is, then the heels once more with the pelvis where it ends up.
    deepest = DEEPEST * motion.body.size + np.maximum(feet[0].deeper, feet[1].deeper)
    drop = pelvis_drop(places, [ankle_target(places, 0.0, foot)[0] for foot in feet], deepest) * hold
    local, targets = motion.rotations, []
    lowered = places - drop[:, None, None] * UP
    for foot in feet:
        target, turn = ankle_target(places, drop, foot)
        targets.append(target + under[:, None] * UP)
        local = _bend(local, world, lowered, foot, target, turn)
    out = replace(motion, root=motion.root - drop[:, None] * UP, rotations=local)
    return out, _report(out, before, contacts, targets, drop)


def _bend(local, world, places, foot, target, turn):
    """Local rotations with one leg solved for its ankle and its foot turned; untouched where nothing moves."""
    ankle, toe = INDEX[foot.leg[2]], INDEX[foot.leg[3]]
    turned = world.copy()
    turned[:, ankle] = rot.multiply(turn, world[:, ankle])
    moved = (np.abs(target - places[:, ankle]).max(1) > 1e-9) | (np.abs(turn[:, 1:]).max(1) > 1e-9)
    solved = np.where(moved[:, None, None], solve_leg(local, turned, places, foot.leg, target), local)
    forward = rot.rotate(world[:, toe], np.broadcast_to([0.0, -1.0, 0.0], target.shape))
    along = forward * (1 - UP)
    along = along + (foot.rise * np.linalg.norm(along, axis=1))[:, None] * UP
    level = rot.to_rotvec(rot.shortest_arc(forward, along))
    toes = rot.multiply(rot.from_rotvec(level * foot.flat[:, None]), world[:, toe])
    solved[:, toe] = rot.multiply(rot.conjugate(turned[:, ankle]), toes)
    return solved


def keep_weights(keep, frames):
    """How far frames may be corrected `[T]`: 0 where `keep` is 0, rising over KEEP_FRAMES around it."""
    if keep is None:
        return np.ones(frames)
    keep = np.clip(np.asarray(keep, float), 0.0, 1.0)
    u = np.clip(frames_from(keep == 0) / (KEEP_FRAMES + 1), 0.0, 1.0)
    return np.minimum(keep, u * u * (3 - 2 * u))


def place_foot(motion, places, contacts, hold, side, clearance=0.0, terrain=None):
    """Foot of one side (0 left, 1 right) from its contacts `[T, 2]` (ankle, toe).

    `hold [T]`: see `keep_weights`. `terrain`: the ground and its height under the body `[T]`, None where it is flat.
    """
    leg, size, fps = LEGS[side], motion.body.size, motion.fps
    ankle, toe = (places[:, INDEX[name]] for name in leg[2:])
    rest = motion.body.foot_heights[2 * side : 2 * side + 2]
    ankle_on = bridge(contacts[:, 0] & (ankle[:, 2] < rest[0] + HEEL_UP * size), ankle, size)
    toe_on = bridge(contacts[:, 1], toe, size)
    step = steps(ankle_on | toe_on, toe, size, hold == 0, side)
    ankle_on, toe_on = ankle_on & (step == 0), toe_on & (step == 0)
    ankle_at = pinned_track(ankle, ankle_on, rest[0], size, fps, hold == 0)
    toe_at = pinned_track(toe, toe_on, rest[1], size, fps, hold == 0)
    shift, bend = foot_shift(ankle, toe, ankle_at, toe_at, ankle_on, toe_on, size, fps)
    step = np.maximum(step, catch_up_lift(shift, toe_on | ankle_on, size))
    if clearance:
        over = rest[1] + clearance * size
        step = np.maximum(step, drag_lift(toe + shift, toe_on | ankle_on, over, size, fps))
    low = LOWEST * rest
    lift = np.maximum(_lift(toe + shift, low[1], size), _lift(ankle + shift + bend, low[0], size))
    shift = shift + (step + np.where(toe_on, 0.0, lift))[:, None] * UP
    up, tilt, rise, deeper = np.zeros((4, len(toe)))
    if terrain is not None:
        up, tilt, rise, deeper = _onto(*terrain, ankle + shift + bend, toe + shift, ankle_on, toe_on, low, size)
    shift, bend = shift + up[:, None] * UP, bend + tilt[:, None] * UP
    turn = rot.shortest_arc(ankle - toe, ankle - toe + bend * hold[:, None])
    flat = np.clip(blend(toe_on[:, None].astype(float), toe_on, size, fps)[:, 0], 0.0, 1.0)
    return Foot(leg, toe + shift * hold[:, None], turn, hold * _far_from(ankle_on), flat * hold, rise, deeper)


def _onto(ground, under, ankle, toe, ankle_on, toe_on, low, size):
    """From a foot settled on flat ground to the ground it is on: `[T]` each.

    Metres by which the toe goes up, and the ankle beyond that; the ground's slope under the toes; metres by which it
    is lower than the ground under the body, `under [T]`.
    """
    sole = sole_ground(ankle, toe, ankle_on, toe_on, ground)
    if sole is None:
        return np.zeros((4, len(toe)))
    at_ankle, at_toe, rise = sole
    raised = [p + h[:, None] * UP for p, h in ((ankle, at_ankle), (toe, at_toe))]
    bump = swing_bump(*raised, ankle_on | toe_on, low, ground, at_toe, size)
    return at_toe - under + bump, at_ankle - at_toe, rise, np.maximum(under - np.minimum(at_ankle, at_toe), 0.0)


def foot_shift(ankle, toe, ankle_at, toe_at, ankle_on, toe_on, size, fps):
    """Corrections of one foot: of its toe and, beyond that, of its ankle. `[T, 3]` each, metres.

    `..._at [T, 3]`: where ankle and toe belong while they stand, `..._on [T]`. A standing toe is pinned, the ankle
    rides on it; a standing ankle alone (heel strike) is pinned itself; both pin the foot's direction as well.
    """
    both = ankle_on & toe_on
    bend = (ankle_at - ankle) - (toe_at - toe)
    far = np.linalg.norm(bend, axis=-1, keepdims=True)
    # Ankle and toe that are told to stand more than that from each other's places stand for different steps.
    bend = blend(bend * np.minimum(1.0, FOOT_TURN * size / np.maximum(far, 1e-9)), both, size, fps)
    pin = np.where(toe_on[:, None], toe_at - toe, ankle_at - ankle - bend)
    return blend(pin, toe_on | _joined(ankle_on, toe_on, both), size, fps), bend


def _joined(ankle_on, toe_on, both, room=4):
    """Frames in which the ankle alone stands, less those that touch a standing toe without ever standing with it."""
    alone = ankle_on & ~toe_on
    out = alone.copy()
    for start, end in runs(alone):
        if start > 0 and toe_on[start - 1] and not both[start - 1]:
            out[start : start + room] = False
        if end < len(alone) and toe_on[end] and not both[end]:
            out[max(start, end - room) : end] = False
    return out


def _lift(places, lowest, size):
    """How far `places [T, 3]` are raised to stay over `lowest`: nothing well over it, all of it well under it."""
    over = places[:, 2] - lowest
    return 0.5 * (np.sqrt(over**2 + (SOFT_GROUND * size) ** 2) - over)


def _far_from(flags):
    """0 where flagged, rising to 1 over HEEL_FRAMES to either side. bool `[T]` -> `[T]`."""
    u = np.clip(frames_from(flags) / HEEL_FRAMES, 0.0, 1.0)
    return u * u * (3 - 2 * u)


def ankle_target(places, drop, foot):
    """Where the ankle is to be `[T, 3]` and how the foot is turned for it `[T, 4]`.

    Where the leg is too short the heel rises. `places [T, 22, 3]` before any change; `drop [T]` metres by which the
    pelvis is lowered.
    """
    hip, _, ankle, toe = (places[:, INDEX[name]] for name in foot.leg)
    sole = rot.rotate(foot.turn, ankle - toe)
    to_hip = hip - np.reshape(drop, (-1, 1)) * UP - foot.toe
    length, distance = np.linalg.norm(sole, axis=1), np.maximum(np.linalg.norm(to_hip, axis=1), 1e-9)
    wanted = np.clip((distance**2 + length**2 - leg_reach(places, foot.leg) ** 2) / (2 * distance * length), -1.0, 1.0)
    has = np.clip((sole * to_hip).sum(1) / (distance * length), -1.0, 1.0)
    angle = envelope(np.clip(np.arccos(has) - np.arccos(wanted), 0.0, TIPTOE), 2) * foot.heel_free
    tilt = rot.from_rotvec(rot.normalize(rot.cross(sole, to_hip)) * angle[:, None])
    return foot.toe + rot.rotate(tilt, sole), rot.multiply(tilt, foot.turn)


def leg_reach(places, leg):
    """How far the ankle may be from the hip `[T]`, metres: what the leg spans easily, or spans already."""
    a, b, c = (places[:, INDEX[name]] for name in leg[:3])
    length = np.linalg.norm(b - a, axis=1) + np.linalg.norm(c - b, axis=1)
    return np.maximum(SOFT_FROM * length, np.linalg.norm(c - a, axis=1))


def pelvis_drop(places, targets, deepest):
    """Metres `[T]` by which the pelvis is lowered so that both legs reach their targets without over-stretching.

    `deepest [T]`: how far it is at most.
    """
    need = np.zeros(len(places))
    for leg, target in zip(LEGS, targets, strict=True):
        hip = places[:, INDEX[leg[0]]]
        flat = np.linalg.norm((target - hip)[:, :2], axis=1)
        height = np.sqrt(np.maximum(leg_reach(places, leg) ** 2 - flat**2, 0.0))
        need = np.maximum(need, (hip - target)[:, 2] - height)
    return envelope(np.clip(need, 0.0, deepest), SPREAD)


def envelope(values, reach):
    """A curve without corners that lies nowhere under `values [T]`: the largest nearby, then its average."""
    out = np.lib.stride_tricks.sliding_window_view(np.pad(values, reach), 2 * reach + 1).max(1)
    width = 2 * ((reach + 1) // 3) + 1
    for _ in range(3):
        out = np.convolve(np.pad(out, width // 2, mode="edge"), np.ones(width) / width, "valid")
    return out


def toe_slip(places, contacts, fps):
    """Mean horizontal speed of the toes, m/s, over the steps between frames in which they stand; 0 where none does.

    `places [T, 22, 3]` metres; `contacts [T, 4]` flags in the order of skeleton.FEET.
    """
    toes, on = [FEET[1], FEET[3]], np.asarray(contacts, bool)[:, [1, 3]]
    speed = np.linalg.norm(np.diff(places[:, toes, :2], axis=0), axis=-1) * fps
    standing = on[1:] & on[:-1]
    return float(speed[standing].mean()) if standing.any() else 0.0


def _report(motion, before, contacts, targets, drop):
    places, _ = kinematics(motion)
    ankles = np.stack([places[:, INDEX[leg[2]]] for leg in LEGS])
    moved = np.linalg.norm(places[:, list(FEET)] - before[:, list(FEET)], axis=-1)
    missed = np.linalg.norm(ankles - np.stack(targets), axis=-1)
    return {
        "slip_before_cm_s": round(100 * toe_slip(before, contacts, motion.fps), 3),
        "slip_after_cm_s": round(100 * toe_slip(places, contacts, motion.fps), 3),
        "largest_correction_cm": round(100 * float(moved.max()), 3),
        "mean_correction_cm": round(100 * float(moved.mean()), 3),
        "pelvis_lowered_cm": round(100 * float(drop.max()), 3),
        "missed_cm": round(100 * float(missed.max()), 3),
    }
