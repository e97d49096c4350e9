"""One take of one task in numbers: metric -> (sum, weight), whose quotient is the figure.

Sums and weights add up over takes and clips, so that a mean over standing frames, or over frames that touch, weighs
every such frame alike. A weight of 0 says that the figure is not defined for this take.
"""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.skeleton import FEET, INDEX

from . import metrics, tasks

FAR = 0.10  # metres off its path


@dataclass(frozen=True)
class Recorded:
    """What the measures need of a window's recording, worked out once."""

    window: object
    places: np.ndarray  # [T, 22, 3]
    leader: np.ndarray | None  # [T, 22, 3]
    smoothed: np.ndarray  # [T, 2]
    jerk: float
    jerk_below: float  # of places without what is quicker than metrics.LIVELY


def recorded(window):
    """The Recorded of a Window."""
    places = positions(window.motion)
    leader = None if window.leader is None else positions(window.leader)
    return Recorded(window, places, leader, tasks.smoothed(window.motion), *_jerks(places))


def _jerks(places):
    """Jerk of all movement, and of what a body can do of it."""
    return metrics.jerk(places, FPS), metrics.jerk(metrics.lowpassed(places, FPS), FPS)


def of_one(task, known, motion, before=None):
    """Figures of a take. `known`: Recorded; `before`: the motion before cleanup, None where there is no such."""
    places = positions(motion)
    out = feet(motion, places, None if before is None else positions(before))
    jerk, below = _jerks(places)
    out["jerk_ratio"], out["jerk_below_8hz_ratio"] = (jerk, known.jerk), (below, known.jerk_below)
    out["turn_jolt_deg"] = (metrics.turn_jolt(motion.rotations), 1)
    beyond = metrics.beyond_limits(motion.rotations)
    out["beyond_limits_share"] = (float(beyond.sum()), len(beyond))
    if task in ("path", "path_sparse"):
        out |= path(task, known, motion)
    if task in ("keys", "partial"):
        out |= keyed(task, known, motion, places)
    if task == "keys" and before is not None:
        out |= _forced(known, before)
    if task in ("path", "path_sparse"):
        out["joint_error_m"] = (metrics.joint_error(places, known.places), 1)
    if task == "reaction":
        out |= together(known, motion, places)
    return out


def feet(motion, places, before):
    """Skating, slip, height and share of contacts, balance; `before [T, 22, 3]`: the places before cleanup, or None."""
    toe = motion.body.foot_heights[1]
    stands = label_contacts(places, motion.body, FPS)
    stood = stands if before is None else label_contacts(before, motion.body, FPS)
    slip, steps = metrics.standing_slip(places, stood, FPS)
    own_slip, own_steps = metrics.standing_slip(places, stands, FPS)
    height, count = metrics.foot_height_error(places, stands, motion.body)
    tips = metrics.tipping(places, stands, motion.body)
    through = metrics.legs_through(places, motion.body)
    inside = metrics.hands_inside(places, motion.body)
    return {
        "foot_skating_ratio": (gmd_foot_skating_ratio(places, FPS, toe), 1),
        "contact_slip_cm_s": (100 * slip, steps),
        "contact_slip_own_cm_s": (100 * own_slip, own_steps),
        "contact_share": (metrics.contact_share(stands), 1),
        "contact_share_before": (metrics.contact_share(stood), 1),
        "foot_height_error_cm": (100 * height, count),
        "tipping_share": (float(tips.sum()), len(tips)),
        "legs_through_share": (float(through.sum()), len(through)),
        "hands_inside_share": (float(inside.sum()), len(inside)),
        "feet_ahead_cm": (100 * float(metrics.feet_ahead(places, motion.rotations).mean()), 1),
        "foot_lowest_cm": (100 * float((places[:, list(FEET), 2].min(1) - toe).mean()), 1),
    }


def path(task, known, motion):
    """Distances over the ground of the smoothed pelvis to the path at the same frames."""
    off = np.linalg.norm(tasks.smoothed(motion) - known.smoothed, axis=-1)
    bound = off if task == "path" else off[tasks.waypoint_frames(known.window.motion)]
    out = {
        "path_error_cm": (100 * float(bound.sum()), len(bound)),
        "path_over_10cm_share": (float((bound > FAR).sum()), len(bound)),
    }
    if task == "path_sparse":
        out["way_error_cm"] = (100 * float(off.sum()), len(off))
    return out


def keyed(task, known, motion, places):
    """What is missed at keys and pins, and the joint error to the recording between them."""
    real, at = known.window.motion, tasks.key_frames(known.window.motion)
    between = np.setdiff1d(np.arange(len(places)), at)
    joints = np.arange(places.shape[1]) if task == "keys" else [INDEX[j] for j in tasks.partial_keys(real)[0].joints]
    turned = np.degrees(metrics.rotation_error(motion.rotations[at][:, joints], real.rotations[at][:, joints]))
    placed = np.linalg.norm(places[at] - known.places[at], axis=-1)
    placed = placed if task == "keys" else placed[:, :1]
    out = {
        "joint_error_m": (metrics.joint_error(places[between], known.places[between]), 1),
        "key_error_cm": (100 * float(placed.sum()), placed.size),
        "key_error_deg": (float(turned.sum()), turned.size),
    }
    if task == "partial":
        off = [np.linalg.norm(places[_frames(p), INDEX[p.joint]] - p.place, axis=-1) for p in tasks.pins(real)]
        out["pin_error_cm"] = (100 * float(sum(o.sum() for o in off)), sum(map(len, off)))
    return out


def _forced(known, before):
    """The slip that exact keys leave to the feet that stand in the motion before cleanup."""
    stood = label_contacts(positions(before), before.body, FPS)
    slip, steps = metrics.forced_slip(known.places, stood, tasks.key_frames(known.window.motion), FPS)
    return {"contact_slip_forced_cm_s": (100 * slip, steps)}


def _frames(pin):
    return slice(round(pin.start * FPS), round(pin.end * FPS) + 1)


def together(known, motion, places):
    """One who answers another: against the recorded answer, and against the leader."""
    real = known.window.motion
    turn = rot.heading(motion.rotations[:, 0]) - rot.heading(real.rotations[:, 0])
    turn = np.degrees(np.abs((turn + np.pi) % (2 * np.pi) - np.pi))
    apart = np.linalg.norm((motion.root - known.window.leader.root)[:, :2], axis=1)
    held = metrics.hands_held(known.leader, places)
    deep = metrics.overlap((known.window.leader, motion), np.stack([known.leader, places]))
    touch = deep > 0
    return {
        "joint_error_m": (metrics.joint_error(places, known.places), 1),
        "root_error_m": (float(np.linalg.norm(motion.root - real.root, axis=1).mean()), 1),
        "facing_error_deg": (float(turn.mean()), 1),
        "distance_m": (float(apart.mean()), 1),
        "hands_held_share": (float(held.sum()), len(held)),
        "penetration_mean_cm": (100 * float(deep.sum()), int(touch.sum())),
        "penetration_deepest_cm": (100 * float(deep.max()), 1),
        "touching_share": (float(touch.sum()), len(touch)),
    }


FIRST = ("joint_error_m", "root_error_m", "facing_error_deg")  # of reactions, told of the first take alone


def of_all(task, known, motions, befores=None):
    """Figures of all takes of a window as arrays: metric -> (sums `[K]`, weights `[K]`).

    In reactions FIRST are the first take's, `joint_error_best8_m` is the nearest take's, `take_spread_m` how far the
    takes are from each other.
    """
    befores = befores or [None] * len(motions)
    rows = [of_one(task, known, m, b) for m, b in zip(motions, befores, strict=True)]
    out = {name: tuple(np.array([row[name][i] for row in rows], float) for i in (0, 1)) for name in rows[0]}
    if task != "reaction":
        return out
    if len(motions) > 1:
        spread = metrics.take_spread([positions(m) for m in motions])
        out["joint_error_takes_m"] = out["joint_error_m"]
        out["joint_error_best8_m"] = (out["joint_error_m"][0][:8].min(keepdims=True), np.ones(1))
        out["take_spread_m"] = (np.array([spread]), np.ones(1))
    else:
        out["joint_error_best8_m"] = out["joint_error_m"]
    for name in FIRST:
        out[name] = tuple(part[:1] for part in out[name])
    return out


LEFT_OUT_OF_REAL = (
    "joint_error", "root_error", "facing_error", "path_error", "path_over", "way_error", "key_error", "pin_error",
    "take_spread",
)  # fmt: skip


def of_real(task, known):
    """Figures of the recording itself: those that compare with the recording are left out."""
    rows = of_all(task, known, [known.window.motion])
    return {n: v for n, v in rows.items() if not n.startswith(LEFT_OUT_OF_REAL)}
