"""Feet that stand where they touch the ground: anchors an interval, pelvis lowered where a leg is too short, leg IK.

Off-line form of the usual foot lock (the whole clip is known): Kovar et al. 2002 for the order (root first, then legs),
Kimodo's and Motion-Matching's rules for anchors. The pelvis keeps its place over the ground, since a path binds it.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import rotations as rot
from ..skeleton import FEET, INDEX, LEG_JOINTS, LEGS
from .balance import balancing
from .kinematics import kinematics_of_all, put_legs
from .legs_apart import across, stances_apart, swings_apart
from .limits import ANKLE_BENDS, TOES_BEND, as_joints_bend
from .plants import (
    all_runs,
    blend,
    bridge,
    catch_up_lift,
    drag_lift,
    ease,
    envelope,
    frames_from,
    led_back,
    pinned_track,
)
from .steps import hasty, pivoting, stepping_heels, steps, straightened
from .terrain import body_ground, sole_ground, swing_bump
from .two_bone_ik import SOFT_FROM, bent_leg

KEEP_FRAMES = 4  # corrections fade over these many frames to either side of a keyed one
LOWEST = 0.3  # of a foot joint's rest height: how low it may swing
SOFT_GROUND = 0.004  # metres over which a swinging foot is kept from the ground
HEEL_UP = 0.025  # metres over its rest height, for a leg of 0.85 m: a higher ankle does not stand, whatever its label
HEEL_FRAMES = 4  # a heel that has just left the ground, or is about to touch it, may not rise freely yet
FOOT_TURN = 0.05  # metres, for a leg of 0.85 m, that an ankle moves against its toe at most to keep the foot's way
TIPTOE = 0.35  # radians that a foot is turned about its toe at most so that the leg reaches
AHEAD = 0.2  # of the toes' length along the ground that they point ahead at least when they are laid flat
TOES_UP = 0.55  # of their length that toes point up from which on they are not laid flat: the heel alone is down
DEEPEST = 0.05  # metres, for a leg of 0.85 m, that the pelvis is lowered at most
SPREAD = 9  # frames to either side over which the pelvis goes down and up again

UP = np.array([0.0, 0.0, 1.0])
_SIDES = LEG_JOINTS.T  # hips, knees, ankles, toes


@dataclass(frozen=True)
class Foot:
    """What is settled of one foot, of one person or of several (leading axes), before its leg is solved.

    `toe [..., T, 3]`: where its toe is to be; `turn [..., T, 4]`: its turn against the motion; `heel_free [..., T]`:
    how far the heel may rise; `flat [..., T]`: how far the toes lie flat on ground of slope `rise [..., T]`;
    `deeper [..., T]`: metres by which its ground is lower than the body's. `leg`: names of its joints.
    """

    leg: tuple
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
    (out,), (report,), _ = lock_all_feet([motion], [contacts], [keep], clearance, ground)
    return out, report


def lock_all_feet(motions, contacts, keeps, clearance=0.0, ground=None, poses=None, level=None, pins=None):
    """`lock_feet` of N motions of as many frames at once, each with its contacts and its `keep`.

    Returns motions, reports, and the motions' places `[N, T, 22, 3]` and world rotations `[N, T, 22, 4]`. `poses`: the
    same of the motions before, where they are at hand. `level`: like `keeps`, of the pelvis' height alone. `pins [N, T,
    4, 3]`: where foot joints have to stand, over flat ground at 0; NaN elsewhere, None for nowhere.
    """
    frames, fps = motions[0].frames, motions[0].fps
    before, world = kinematics_of_all(motions) if poses is None else poses
    contacts = np.stack([np.asarray(c, float) > 0.5 for c in contacts])
    hold = np.stack([keep_weights(keep, frames) for keep in keeps])
    size = np.array([m.body.size for m in motions])
    # All is settled over flat ground at 0, the ground's height under the body taken off.
    under, places = None, before
    if ground is not None:
        under = np.stack([body_ground(p, c, ground, fps) for p, c in zip(before, contacts, strict=True)])
        places = before - under[..., None, None] * UP
    foot = place_feet(motions, places, contacts, hold, size, clearance, ground, under, pins)
    hip, knee, ankle, toe = (_both(places, side) for side in _SIDES)
    reach = _reach(hip, knee, ankle)
    # How far the pelvis goes down depends on how far the heels may rise, and the other way round: first with the
    # pelvis as it is, then the heels once more with the pelvis where it ends up.
    target, _ = _settled(hip, ankle, toe, reach, foot)
    deepest = DEEPEST * size[:, None] + foot.deeper.reshape(2, *hold.shape).max(0)
    drop = pelvis_drop(hip, reach, target, deepest) * hold
    if level is not None:
        drop *= np.stack([keep_weights(keep, frames) for keep in level])
    down = np.tile(drop, (2, 1))[..., None] * UP
    target, turn = _settled(hip - down, ankle, toe, reach, foot)
    hip, knee, ankle = (part - down for part in (hip, knee, ankle))
    local, turns = _bent(np.stack([m.rotations for m in motions]), world, (hip, knee, ankle), foot, target, turn)
    if under is not None:
        target = target + np.tile(under, (2, 1))[..., None] * UP
    out = [replace(m, root=m.root - d[:, None] * UP, rotations=r) for m, d, r in zip(motions, drop, local, strict=True)]
    after = before - drop[..., None, None] * UP
    put_legs(after, turns, np.stack([m.body.offsets for m in motions]))
    return out, _reports(before, after, contacts, target.reshape(2, *before.shape[:2], 3), drop, fps), (after, turns)


def _both(values, joints):
    """`values [N, T, 22, K]` at a left and a right joint, all left ones first: `[2 N, T, K]`."""
    return np.concatenate([values[:, :, j] for j in joints])


def _bent(local, world, joints, foot, target, turn):
    """Local and world rotations `[N, T, 22, 4]` with legs solved for their ankles and feet turned.

    Local ones are untouched where nothing moves.

    `joints`: hips, knees and ankles `[2 N, T, 3]` before.
    """
    hip, shin, sole, toe = (_both(world, side) for side in _SIDES)
    moved = (np.abs(target - joints[2]).max(-1) > 1e-9) | (np.abs(turn[..., 1:]).max(-1) > 1e-9)
    new_hip, new_shin = bent_leg(*joints, hip, shin, target)
    new_sole = as_joints_bend(rot.multiply(turn, sole), sole, new_shin, shin, ANKLE_BENDS)
    new_toe = rot.multiply(rot.from_rotvec(_levelling(toe, foot)), toe)
    new_toe = as_joints_bend(new_toe, toe, new_sole, sole, TOES_BEND)
    above = np.stack([_both(world, (0, 0)), new_hip, new_shin, new_sole])
    turns = rot.multiply(rot.conjugate(above), np.stack([new_hip, new_shin, new_sole, new_toe]))
    moved, out, shape = moved.reshape(2, *local.shape[:2], 1), local.copy(), (2, *local.shape[:2], 4)
    for part, (own, side) in enumerate(zip(turns.reshape(4, *shape), _SIDES, strict=True)):
        for k, joint in enumerate(side):
            out[:, :, joint] = own[k] if part == 3 else np.where(moved[k], own[k], local[:, :, joint])
    world = world.copy()
    for own, side in zip((new_hip, new_shin, new_sole, new_toe), _SIDES, strict=True):
        world[:, :, side[0]], world[:, :, side[1]] = own.reshape(shape)
    return out, world


def _levelling(toe, foot):
    """Turns `[..., 3]` of toes of world rotations `toe [..., 4]` that lie flat on the ground, as far as they are to."""
    forward, hinge = (rot.rotate(toe, np.array(axis)) for axis in ([0.0, -1.0, 0.0], [1.0, 0.0, 0.0]))
    heading = rot.normalize(np.stack([hinge[..., 1], -hinge[..., 0], 0.0 * hinge[..., 0]], -1))
    # A foot that is raised past the vertical has its toes bent forwards as well, not all at once the other way.
    along = forward + np.maximum(AHEAD - rot.dot(forward, heading), 0.0)[..., None] * heading
    along[..., 2] = foot.rise * rot.length(along[..., :2])
    flat = foot.flat * ease((TOES_UP + 0.3 - forward[..., 2]) / 0.3)
    return rot.to_rotvec(rot.shortest_arc(forward, along)) * flat[..., None]


def keep_weights(keep, frames):
    """How far frames may be corrected `[T]`: 0 where `keep` is 0, rising over KEEP_FRAMES around it."""
    if keep is None:
        return np.ones(frames)
    keep = np.clip(np.asarray(keep, float), 0.0, 1.0)
    return np.minimum(keep, ease(frames_from(keep == 0) / (KEEP_FRAMES + 1)))


def place_feet(motions, places, contacts, hold, size, clearance=0.0, ground=None, under=None, pins=None):
    """The feet of N motions of `size [N]`, all left ones, then all right ones, from their contacts `[N, T, 4]`: a Foot.

    `places [N, T, 22, 3]` over flat ground; `hold [N, T]`: see `keep_weights`. `ground` and its height under the bodies
    `under [N, T]`: None where it is flat. `pins`: see `lock_all_feet`.
    """
    count, fps, sides = len(motions), motions[0].fps, np.repeat([0, 1], len(motions))
    # All left feet, then all right ones.
    ankle, toe = (np.concatenate([places[:, :, FEET[k]], places[:, :, FEET[2 + k]]]) for k in range(2))
    on = [np.concatenate([contacts[:, :, k], contacts[:, :, 2 + k]]) for k in range(2)]
    heights = np.stack([m.body.foot_heights for m in motions])
    rest = [np.concatenate([heights[:, k], heights[:, 2 + k]]) for k in range(2)]
    size, hold = np.tile(size, 2), np.tile(hold, (2, 1))
    held = hold == 0
    ankle_on = bridge(on[0] & (ankle[..., 2] < (rest[0] + HEEL_UP * size)[:, None]), ankle, size)
    toe_on = bridge(on[1], toe, size)
    stand, given, at_pin = [ankle, toe], held, None
    if pins is not None:
        stand, pinned = _at_pins(ankle, toe, pins, rest, size)
        at_pin, ankle_on, toe_on = pinned.any(0), ankle_on | pinned[0], toe_on | pinned[1]
        given = held | at_pin
    step = steps(ankle_on | toe_on, stand[1], size, given, sides, _both(places, _SIDES[0]), at_pin)
    step += balancing((ankle_on | toe_on) & (step == 0), stand, places, size[:count], fps, given)
    on = ankle_on & (step == 0), toe_on & (step == 0)
    (ankle_on, toe_on), (ankle_at, toe_at), early = _anchored(*on, stand, rest, size, fps, given)
    either, aside = toe_on | ankle_on, across(places)
    spread = stances_apart((ankle_at, toe_at), either, given, aside, size)
    shift, bend = foot_shift(ankle, toe, ankle_at + spread, toe_at + spread, ankle_on, toe_on, size, fps)
    shift += straightened(toe + shift, ~either, (step > 0) | early)
    moved, knee = shift + bend, _both(places, _SIDES[1])
    shift += swings_apart((knee + 0.5 * moved, ankle + moved, toe + shift), either, aside, size)
    step = np.maximum(step, catch_up_lift(shift, either, size))
    if clearance:
        step = np.maximum(step, drag_lift(toe + shift, either, rest[1] + clearance * size, size, fps))
    low = [LOWEST * r for r in rest]
    lift = np.maximum(_lift((toe + shift)[..., 2], low[1], size), _lift((ankle + shift + bend)[..., 2], low[0], size))
    shift[..., 2] += step + np.where(toe_on, 0.0, lift)
    rise, deeper = np.zeros((2, *either.shape))
    for k in range(len(either)) if ground is not None else ():
        moved = (ankle + shift + bend)[k], (toe + shift)[k]
        lowest = low[0][k], low[1][k]
        up, tilt, rise[k], deeper[k] = _onto(ground, under[k % count], *moved, ankle_on[k], toe_on[k], lowest, size[k])
        shift[k, :, 2] += up
        bend[k, :, 2] += tilt
    shift, bend = led_back(shift, hold), led_back(bend, hold)
    turn = rot.shortest_arc(ankle - toe, ankle - toe + bend)
    flat = np.clip(blend(toe_on[..., None].astype(float), toe_on, size, fps)[..., 0], 0.0, 1.0) * hold
    return Foot(LEGS, toe + shift, turn, hold * _far_from(ankle_on), flat, rise, deeper)


def _anchored(ankle_on, toe_on, stand, rest, size, fps, given):
    """What stands of feet when, and where, once every step has the time it needs: flags and places of ankles and toes.

    Also the frames `[2 N, T]` given up for that. `stand`: ankles and toes `[2 N, T, 3]`; `rest`: their heights.
    """
    ankle_at = pinned_track(stand[0], ankle_on, rest[0], size, fps, given)
    toe_at = pinned_track(stand[1], toe_on, rest[1], size, fps, given)
    ankle_on = ankle_on & ~stepping_heels(ankle_on, toe_on, toe_at, size)
    early = hasty(ankle_on | toe_on, np.where(toe_on[..., None], toe_at, ankle_at), size, fps, given)
    ankle_on, toe_on = ankle_on & ~early, toe_on & ~early
    ankle_on &= ~pivoting(ankle_on, ankle_at, size, fps, given, toe_on)
    return (ankle_on, toe_on), (ankle_at, toe_at), early


def _at_pins(ankle, toe, pins, rest, size):
    """Ankles and toes `[2 N, T, 3]` moved to where either of them is pinned, and which stand there `[2, 2 N, T]`.

    Of a foot that is pinned at one joint alone the other stands where it is to it on average meanwhile, if the foot is
    flat: the toe of a heel that lies on the ground need not. `rest` heights of ankles and toes, `[2 N]` each.
    """
    at = np.concatenate([pins[:, :, :2], pins[:, :, 2:]])  # all left feet, then all right ones
    given = np.isfinite(at[..., 0])
    there, sole = given.any(-1), toe - ankle
    found = all_runs(there)
    sole[found.at] = found.each(np.add.reduceat(sole[found.at], found.first) / found.lengths[:, None])
    ankle, toe = ankle.copy(), toe.copy()
    for own, k, way in ((ankle, 0, -sole), (toe, 1, sole)):
        own[given[..., 1 - k]] = (at[..., 1 - k, :] + way)[given[..., 1 - k]]
        own[given[..., k]] = at[..., k, :][given[..., k]]
    flat = [p[..., 2] < (r + HEEL_UP * size)[:, None] for p, r in zip((ankle, toe), rest, strict=True)]
    return [ankle, toe], np.stack([given[..., k] | (there & flat[k]) for k in (0, 1)])


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
    """Corrections of N feet: of their toes and, beyond that, of their ankles. `[N, T, 3]` each, metres.

    `..._at [N, T, 3]`: where ankle and toe belong while they stand, `..._on [N, T]`; `size [N]`. A standing toe is
    pinned, the ankle rides on it; a standing ankle alone (heel strike) is pinned itself; both pin the foot's direction
    as well.
    """
    both = ankle_on & toe_on
    toe_off, ankle_off = toe_at - toe, ankle_at - ankle
    bend = ankle_off - toe_off
    # Ankle and toe that are told to stand more than that from each other's places stand for different steps.
    share = np.minimum(1.0, FOOT_TURN * size[:, None] / np.maximum(rot.length(bend), 1e-9))
    bend = blend(bend * share[..., None], both, size, fps)
    pin = np.where(toe_on[..., None], toe_off, ankle_off - bend)
    return blend(pin, toe_on | _joined(ankle_on, toe_on, both), size, fps), bend


def _joined(ankle_on, toe_on, both, room=4):
    """Frames `[N, T]` in which the ankle alone stands, less those that touch a standing toe without ever standing with
    it.
    """
    alone = ankle_on & ~toe_on
    out, found, last = alone.copy(), all_runs(alone), alone.shape[1] - 1
    before, after = (found.row, np.maximum(found.start - 1, 0)), (found.row, np.minimum(found.end, last))
    cut_start = (found.start > 0) & toe_on[before] & ~both[before]
    cut_end = (found.end <= last) & toe_on[after] & ~both[after]
    frame = found.at[1]
    cut = found.each(cut_start) & (frame < found.each(found.start) + room)
    out[found.at] = ~(cut | (found.each(cut_end) & (frame >= found.each(found.end) - room)))
    return out


def _lift(heights, lowest, size):
    """How far feet at `heights [N, T]` are raised to stay over `lowest [N]`: none well over, all well under it."""
    over = heights - lowest[:, None]
    return 0.5 * (np.sqrt(over**2 + (SOFT_GROUND * size[:, None]) ** 2) - over)


def _far_from(flags):
    """0 where flagged, rising to 1 over HEEL_FRAMES to either side. bool `[..., T]` -> `[..., T]`."""
    return ease(frames_from(flags) / HEEL_FRAMES)


def ankle_target(places, drop, foot):
    """Where the ankle is to be `[..., T, 3]` and how the foot is turned for it `[..., T, 4]`.

    Where the leg is too short the heel rises. `places [..., T, 22, 3]` before any change; `drop [..., T]` metres by
    which the pelvis is lowered, or a number.
    """
    hip, knee, ankle, toe = (places[..., INDEX[name], :] for name in foot.leg)
    lowered = hip - np.asarray(drop)[..., None] * UP
    return _settled(lowered, ankle, toe, _reach(hip, knee, ankle), foot)


def _settled(hip, ankle, toe, reach, foot):
    """The same from joints `[..., T, 3]` and what the leg spans `[..., T]`; `hip` lowered already."""
    sole, to_hip = rot.rotate(foot.turn, ankle - toe), hip - foot.toe
    length, distance = rot.length(sole), np.maximum(rot.length(to_hip), 1e-9)
    wanted = np.clip((distance**2 + length**2 - reach**2) / (2 * distance * length), -1.0, 1.0)
    has = np.clip(rot.dot(sole, to_hip) / (distance * length), -1.0, 1.0)
    angle = envelope(np.clip(np.arccos(has) - np.arccos(wanted), 0.0, TIPTOE), 2) * foot.heel_free
    if not angle.any():
        return foot.toe + sole, foot.turn
    tilt = rot.from_rotvec(rot.normalize(rot.cross(sole, to_hip)) * angle[..., None])
    return foot.toe + rot.rotate(tilt, sole), rot.multiply(tilt, foot.turn)


def leg_reach(places, leg):
    """How far the ankle may be from the hip `[..., T]`, metres: what the leg spans easily, or spans already."""
    return _reach(*(places[..., INDEX[name], :] for name in leg[:3]))


def _reach(hip, knee, ankle):
    return np.maximum(SOFT_FROM * (rot.length(knee - hip) + rot.length(ankle - knee)), rot.length(ankle - hip))


def pelvis_drop(hip, reach, target, deepest):
    """Metres `[N, T]` by which pelvises are lowered so that both legs reach their targets without over-stretching.

    `hip`, `target [2 N, T, 3]`, all left ones first; `reach [2 N, T]`; `deepest [N, T]`: how far it is at most.
    """
    way = hip - target
    height = np.sqrt(np.maximum(reach**2 - way[..., 0] ** 2 - way[..., 1] ** 2, 0.0))
    need = (way[..., 2] - height).reshape(2, *deepest.shape).max(0)
    return envelope(np.clip(need, 0.0, deepest), SPREAD)


def toe_slip(places, contacts, fps):
    """Mean horizontal speed of the toes, m/s, over the steps between frames in which they stand; 0 where none does.

    `places [T, 22, 3]` metres; `contacts [T, 4]` flags in the order of skeleton.FEET.
    """
    toes, on = [FEET[1], FEET[3]], np.asarray(contacts, bool)[:, [1, 3]]
    speed = rot.length(np.diff(places[:, toes, :2], axis=0)) * fps
    standing = on[1:] & on[:-1]
    return float(speed[standing].mean()) if standing.any() else 0.0


def _reports(before, after, contacts, targets, drop, fps):
    ankles = np.stack([after[:, :, j] for j in _SIDES[2]])
    moved = rot.length(after[:, :, list(FEET)] - before[:, :, list(FEET)])
    missed = rot.length(ankles - targets)
    return [
        {
            "slip_before_cm_s": round(100 * toe_slip(before[k], contacts[k], fps), 3),
            "slip_after_cm_s": round(100 * toe_slip(after[k], contacts[k], fps), 3),
            "largest_correction_cm": round(100 * float(moved[k].max()), 3),
            "mean_correction_cm": round(100 * float(moved[k].mean()), 3),
            "pelvis_lowered_cm": round(100 * float(drop[k].max()), 3),
            "missed_cm": round(100 * float(missed[:, k].max()), 3),
        }
        for k in range(len(before))
    ]
