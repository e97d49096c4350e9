"""Measures of motion, each a plain function over arrays in metres, seconds and radians, Z up, ground at z = 0."""

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup import balance
from blender_motiondiff.core.cleanup.arms_beside import way_out
from blender_motiondiff.core.cleanup.foot_lock import toe_slip
from blender_motiondiff.core.constraints.bodies import penetration
from blender_motiondiff.core.constraints.rows import Poses
from blender_motiondiff.core.segments import closest
from blender_motiondiff.core.skeleton import FEET, INDEX, JOINTS, PARENTS

SIDES = ("left", "right")
HANDS = [INDEX["left_wrist"], INDEX["right_wrist"]]
LIVELY = 8.0  # Hz: how quick movements of the body are at most; recordings have more than this, of markers that tremble

# --- feet -------------------------------------------------------------------------------------------------------------


def contact_slip(positions, contacts_before, fps):
    """Mean horizontal toe speed in m/s over the frames that were in contact before cleanup, `[T, 22, 3]`, `[T, 4]`."""
    return toe_slip(positions, contacts_before, fps)


def contact_share(contacts):
    """Share of frames in which a toe stands: mean over both feet. `[T, 4]`."""
    return float(np.asarray(contacts, bool)[:, [1, 3]].mean())


def standing_slip(positions, contacts, fps):
    """(sum of horizontal toe speeds in m/s, number of steps) over the steps between frames in which a toe stands.

    `positions [T, 22, 3]` metres, `contacts [T, 4]` flags in the order of skeleton.FEET. Their quotient is
    `contact_slip`; kept apart they add up over clips.
    """
    toes, on = positions[:, [FEET[1], FEET[3]], :2], np.asarray(contacts, bool)[:, [1, 3]]
    speed, standing = np.linalg.norm(np.diff(toes, axis=0), axis=-1) * fps, on[1:] & on[:-1]
    return float(speed[standing].sum()), int(standing.sum())


def forced_slip(positions, contacts, keys, fps):
    """(sum of speeds in m/s, steps) that `standing_slip` can't fall below where poses at frames `keys` are exact.

    A toe that stands all the way from one key to the next has to get from where it is in the one to where it is in the
    other. `positions [T, 22, 3]` need to be right at the keys alone.
    """
    toes, on = positions[:, [FEET[1], FEET[3]], :2], np.asarray(contacts, bool)[:, [1, 3]]
    keys = np.asarray(keys)
    stays = np.stack([on[a : b + 1].all(0) for a, b in zip(keys[:-1], keys[1:], strict=True)])
    far = np.linalg.norm(np.diff(toes[keys], axis=0), axis=-1) * fps
    return float(far[stays].sum()), standing_slip(positions, contacts, fps)[1]


def feet_ahead(positions, rotations):
    """Metres `[T]` by which the middle of both ankles is ahead of the pelvis, the way it faces; less than 0 behind it.

    `positions [T, 22, 3]`, `rotations [T, 22, 4]` local: who stands upright has the ankles some centimetres behind.
    """
    facing = rot.heading(rotations[:, 0])
    middle = (positions[:, FEET[0], :2] + positions[:, FEET[2], :2]) / 2 - positions[:, 0, :2]
    return middle[:, 0] * np.sin(facing) - middle[:, 1] * np.cos(facing)


def tipping(positions, contacts, body):
    """Frames `[T]` in which who stands upright on both feet tips over them: the weight is far beyond the line between.

    `positions [T, 22, 3]` metres, `contacts [T, 4]` flags. Under 1 % of recorded people's frames.
    """
    both = np.asarray(contacts, bool).reshape(-1, 2, 2).any(2).all(1)
    left, right = (positions[:, FEET[k : k + 2], :2].mean(1) for k in (0, 2))
    beyond = balance.beyond_support(positions, left, right)
    return balance.tips(beyond[None], positions[None], both[None], np.array([body.size]))[0]


THROUGH = 0.06  # metres, for a leg of 0.85 m: legs, as lines, that are nearer than recorded ones in all but 0.1 %


def legs_through(positions, body):
    """Frames `[T]` in which shins or feet of somebody pass through each other. `positions [T, 22, 3]` metres."""
    sides = [[positions[:, INDEX[f"{side}_{joint}"]].T for joint in ("knee", "ankle", "foot")] for side in SIDES]
    near = np.zeros(len(positions), bool)
    for a, b in np.ndindex(2, 2):
        way = closest(np.stack(sides[0][a : a + 2]), np.stack(sides[1][b : b + 2]))[2]
        near |= np.linalg.norm(way, axis=0) < THROUGH * body.size
    return near


INSIDE = np.array([0.10, 0.10, 0.07, 0.07])  # metres, for a leg of 0.85 m, of a wrist from trunk (twice) and thighs


def hands_inside(positions, body):
    """Frames `[T]` in which a wrist is in the own trunk or thighs: as near as in 0.1 % of recorded frames.

    `positions [T, 22, 3]` metres.
    """
    ways = [way_out(positions[:, wrist], positions, INSIDE * body.size, 0.0) for wrist in HANDS]
    return np.any(ways, axis=(0, 2))


def foot_height_error(positions, contacts, body):
    """(sum of distances in metres, their number): how far standing foot joints are off their rest height over ground.

    A foot joint under its rest height counts as standing, whatever its flag: sinking in is an error too.
    `positions [T, 22, 3]`, `contacts [T, 4]` flags.
    """
    lift = positions[:, list(FEET), 2] - body.foot_heights
    counted = np.asarray(contacts, bool) | (lift < 0)
    return float(np.abs(lift[counted]).sum()), int(counted.sum())


# --- constraints ------------------------------------------------------------------------------------------------------


def path_error(smoothed, raw, target):
    """Distances over the ground at the same frames, metres: of the smoothed pelvis, which a path binds, and of the raw.

    All `[T, 2]`; `target` is where the path is at those frames.
    """
    bound, free = (np.linalg.norm(np.asarray(p) - target, axis=-1) for p in (smoothed, raw))
    return {"mean": float(bound.mean()), "worst": float(bound.max()), "raw_mean": float(free.mean())}


def joint_error(positions, reference):
    """Mean distance of joints, metres. `[..., J, 3]`, both."""
    return float(np.linalg.norm(positions - reference, axis=-1).mean())


def rotation_error(local, reference):
    """Angles in radians between rotations `[..., 4]`."""
    return np.linalg.norm(rot.to_rotvec(rot.multiply(rot.conjugate(reference), local)), axis=-1)


def take_spread(takes):
    """Mean joint distance between all pairs of takes `[K, T, 22, 3]`, metres; 0 for one take."""
    first, second = np.triu_indices(len(takes), 1)
    if not len(first):
        return 0.0
    return float(np.mean([joint_error(takes[i], takes[j]) for i, j in zip(first, second)]))


# --- two people -------------------------------------------------------------------------------------------------------


def root_distance(root_a, root_b):
    """Least and greatest horizontal distance of two pelvises `[T, 3]`, metres."""
    distance = np.linalg.norm((root_a - root_b)[:, :2], axis=1)
    return float(distance.min()), float(distance.max())


def facing_share(heading_b, root_b, root_a):
    """Share of frames in which B's forward lies within 90 degrees of the direction to A.

    `heading_b [T]` radians as `rotations.heading` gives it; roots `[T, 3]`.
    """
    forward = np.stack([np.sin(heading_b), -np.cos(heading_b)], -1)
    return float(((forward * (root_a - root_b)[:, :2]).sum(-1) > 0).mean())


HELD = 0.20  # metres from wrist to wrist under which two people hold hands


def hands_held(positions_a, positions_b):
    """Frames `[T]` in which a wrist of one is near a wrist of the other. `[T, 22, 3]`, both."""
    apart = positions_a[:, HANDS, None] - positions_b[:, None, HANDS]
    return np.linalg.norm(apart, axis=-1).min((1, 2)) < HELD


def overlap(motions, positions):
    """How deep two people's bodies, as tapered capsules about their bones, are in each other: metres `[T]`.

    `motions`: both; `positions [2, T, 22, 3]`. The capsules are those that the core keeps apart
    (core.constraints.bodies).
    """
    sizes = np.array([m.body.size for m in motions])
    no_turns = np.empty((*positions.shape[:2], 0))
    return penetration(Poses(np.arange(positions.shape[1]) / motions[0].fps, positions, no_turns, sizes))


def body_distance_min(positions_a, positions_b, block=64):
    """Least distance between the bones of two bodies as line segments, metres. `[T, 22, 3]`, both."""
    child = np.arange(1, len(PARENTS))
    best = np.inf
    for start in range(0, len(positions_a), block):
        a, b = positions_a[start : start + block], positions_b[start : start + block]
        p, q = a[:, PARENTS[child], None], b[:, None, PARENTS[child]]
        distance = segment_distance(p, a[:, child, None] - p, q, b[:, None, child] - q)
        best = min(best, float(distance.min()))
    return best


def segment_distance(p, u, q, v):
    """Distance between segments p + s u and q + t v, s and t in 0..1. `[..., 3]`, broadcasting -> `[...]`.

    The nearest pair either lies inside both segments or has an end of one of them: the least of five candidates.
    """
    w = p - q
    uu, vv, uv = ((x * y).sum(-1) for x, y in ((u, u), (v, v), (u, v)))
    uw, vw = (u * w).sum(-1), (v * w).sum(-1)
    flat = np.maximum(uu * vv - uv**2, 1e-12)

    def at(s, t):
        return np.linalg.norm(w + s[..., None] * u - t[..., None] * v, axis=-1)

    def on_v(s):
        return np.clip((vw + s * uv) / np.maximum(vv, 1e-12), 0, 1)

    def on_u(t):
        return np.clip((t * uv - uw) / np.maximum(uu, 1e-12), 0, 1)

    inside = np.clip((uv * vw - vv * uw) / flat, 0, 1)
    zero, one = np.zeros_like(inside), np.ones_like(inside)
    candidates = [at(s, on_v(s)) for s in (inside, zero, one)] + [at(on_u(t), t) for t in (zero, one)]
    return np.minimum.reduce(candidates)


# --- bodies -----------------------------------------------------------------------------------------------------------


def jerk(positions, fps):
    """Mean length of the third difference over time, metres a second cubed. `[T, ..., 3]`."""
    if len(positions) < 4:
        return 0.0
    return float(np.linalg.norm(np.diff(positions, n=3, axis=0), axis=-1).mean() * fps**3)


def lowpassed(positions, fps, cut=LIVELY):
    """Places `[T, ...]` without what is quicker than `cut` Hz, in phase; what is as quick as that is halved.

    A Butterworth filter of fourth order passed forwards and back, as is usual before recordings are differentiated
    (Winter 2009, Biomechanics and Motor Control of Human Movement, section 3.4.4). Ends go on mirrored in their value.
    """
    count = len(positions)
    ahead, after = 2 * positions[0] - positions[:0:-1], 2 * positions[-1] - positions[-2::-1]
    padded = np.concatenate([ahead, positions, after])
    gain = 1.0 / (1.0 + (np.fft.rfftfreq(len(padded), 1.0 / fps) / cut) ** 8)
    spectrum = np.fft.rfft(padded, axis=0) * gain.reshape(-1, *[1] * (padded.ndim - 1))
    return np.fft.irfft(spectrum, len(padded), axis=0)[count - 1 : 2 * count - 1]


def jolt(positions, fps):
    """The largest acceleration of any joint `[T, 22, 3]` on any frame, m/s^2: what the eye takes for a jump."""
    return float(np.linalg.norm(np.diff(positions, n=2, axis=0), axis=-1).max() * fps**2)


def bone_length_drift(positions, body):
    """Greatest difference of a bone's length from the body's own, metres. `positions [T, 22, 3]`."""
    child = np.arange(1, len(PARENTS))
    lengths = np.linalg.norm(positions[:, child] - positions[:, PARENTS[child]], axis=-1)
    return float(np.abs(lengths - np.linalg.norm(body.offsets[child], axis=-1)).max())


def knee_flexion(local):
    """How far both knees are bent `[T, 2]`, radians; negative where they bend backwards. `local [T, 22, 4]`."""
    shins = rot.rotate(local[:, [INDEX["left_knee"], INDEX["right_knee"]]], np.array([0.0, 0.0, -1.0]))
    return np.arctan2(shins[..., 1], -shins[..., 2])


def knee_hyperextension(local):
    """By how much a knee bends backwards at most, radians; 0 where none does. `local [T, 22, 4]`."""
    folded = knee_flexion(local)
    # Beyond a right angle a knee that is bent as far as it goes and a little to the side may read as negative.
    return float(np.maximum(np.where(folded > -np.pi / 2, -folded, 0.0), 0.0).max())


# Twist axis of each joint, then the range of its turn about X, Y and Z of the T pose in degrees, left side; normal
# ranges of adults (American Academy of Orthopaedic Surgeons 1965, Joint Motion: knee 0 to 135, elbow 0 to 150, hip
# -30 to 120, ankle -50 to 20 degrees, ...), widened to what the recorded clips hold. Where a
# skeleton lacks spine joints the lowest bends most.
LIMITS = {
    "hip": (2, (-150, 60), (-100, 45), (-60, 90)), "knee": (2, (-10, 165), (-20, 20), (-40, 40)),
    "ankle": (1, (-75, 65), (-60, 60), (-60, 60)), "foot": (1, (-85, 75), (-35, 35), (-35, 35)),
    "spine1": (2, (-45, 110), (-45, 45), (-50, 50)), "spine2": (2, (-40, 60), (-40, 40), (-45, 45)),
    "spine3": (2, (-40, 60), (-40, 40), (-45, 45)), "neck": (2, (-65, 65), (-65, 65), (-65, 65)),
    "head": (2, (-75, 85), (-65, 65), (-75, 75)), "collar": (0, (-45, 45), (-45, 45), (-45, 45)),
    "shoulder": (0, (-165, 165), (-110, 115), (-130, 85)), "elbow": (0, (-90, 100), (-120, 90), (-150, 25)),
    "wrist": (0, (-181, 181), (-95, 95), (-65, 65)),
}  # fmt: skip


def swing_twist(q, axis):
    """Turns about X, Y and Z `[..., 3]` radians: the twist about `axis` (0, 1 or 2), then the swing off it."""
    twist = np.zeros_like(q)
    twist[..., 0], twist[..., 1 + axis] = q[..., 0], q[..., 1 + axis]
    still = np.linalg.norm(twist, axis=-1, keepdims=True) < 1e-9
    twist = rot.normalize(np.where(still, rot.IDENTITY, twist))
    swing = rot.multiply(q, rot.conjugate(twist))
    return rot.to_rotvec(swing) + rot.to_rotvec(twist)


def limit_excess(local):
    """Degrees by which each joint but the pelvis, which is free, is beyond its limits `[T, 21]`. `local [T, 22, 4]`."""
    out = np.empty((len(local), len(JOINTS) - 1))
    for j, name in enumerate(JOINTS[1:], 1):
        axis, *ranges = LIMITS[name.split("_")[-1]]
        turns = np.degrees(swing_twist(local[:, j], axis))
        if name.startswith("right"):
            turns = turns * np.array([1, -1, -1])
        low, high = np.array(ranges).T
        out[:, j - 1] = np.maximum(np.maximum(low - turns, turns - high), 0).max(1)
    return out


def joint_limit_violations(local):
    """Joints beyond their limits: (share of all joints and frames, joint -> greatest excess in degrees).

    `local [T, 22, 4]`; the pelvis is free.
    """
    excess = limit_excess(local)
    worst = {name: float(e) for name, e in zip(JOINTS[1:], excess.max(0), strict=True) if e > 0}
    return float((excess > 0).mean()), worst


def turn_jolt(local):
    """Greatest change of any joint's turn from one frame to the next, degrees a frame: how hard a joint pops.

    `local [T, 22, 4]`, 0 for fewer than three frames.
    """
    turned = np.degrees(rotation_error(local[1:], local[:-1]))
    return float(np.abs(np.diff(turned, axis=0)).max(initial=0.0))


def beyond_limits(local):
    """Frames `[T]` in which any joint is beyond human limits (LIMITS). `local [T, 22, 4]`."""
    return (limit_excess(local) > 0).any(1)
