"""The report's figures of a clip, from what was measured on the rigs. Keys end in their units."""

import bpy
import numpy as np

from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.motion import positions
from evaluation import metrics
from tools.demo import measure, paths


def feet(armature, before, after):
    """Sliding of a rig's feet before and after cleanup (Tracks of the same clip)."""
    body = measure.body(armature)
    toe = float(body.foot_heights[1])
    contacts = label_contacts(before.places, body, before.fps)
    return {
        "foot_skating_ratio": gmd_foot_skating_ratio(after.places, after.fps, toe),
        "foot_skating_ratio_before_cleanup": gmd_foot_skating_ratio(before.places, before.fps, toe),
        "contact_slip_cm_s": 100 * metrics.contact_slip(after.places, contacts, after.fps),
        "contact_slip_before_cleanup_cm_s": 100 * metrics.contact_slip(before.places, contacts, before.fps),
        "contact_share": metrics.contact_share(contacts),
    }


def joints(scene, case, after):
    """What must not break on any body: lengths of bones, limits of joints, knees."""
    local = measure.motion(scene, case.moved, case.range).rotations
    share, worst = metrics.joint_limit_violations(local)
    return {
        "bone_length_change_mm": 1000 * bone_length_change(after.places),
        "joint_limit_share": share,
        "joint_limit_worst_deg": max(worst.values(), default=0.0),
        "knee_backwards_deg": float(np.degrees(metrics.knee_hyperextension(local))),
    }


def bone_length_change(places):
    """By how much the distance of two joined joints varies over a clip at most, metres. `places [T, 22, 3]`."""
    child = np.arange(1, len(metrics.PARENTS))
    lengths = np.linalg.norm(places[:, child] - places[:, metrics.PARENTS[child]], axis=-1)
    return float(np.ptp(lengths, axis=0).max())


def path(scene, case, before, after):
    """Figures of a clip along a path and through keyed poses."""
    line = paths.polyline(bpy.data.objects[case.curve])[:, :2]
    target = paths.at_shares(line, np.linspace(0, 1, len(after.places)))
    raw = after.places[:, 0, :2]
    error = metrics.path_error(smooth_pelvis(raw, after.fps), raw, target)
    misses = [key_miss(key, after, case.frames[0]) for key in case.keys]
    return {
        "mean_cm": 100 * error["mean"],
        "worst_cm": 100 * error["worst"],
        "raw_mean_cm": 100 * error["raw_mean"],
        "key_error_cm": max((100 * miss["mean_m"] for miss in misses), default=None),
        "key_error_deg": max((miss["mean_deg"] for miss in misses), default=None),
        "key_error_worst_joint_cm": max((100 * miss["worst_m"] for miss in misses), default=None),
        "key_errors_cm": [100 * miss["mean_m"] for miss in misses],
        **feet(case.moved, before, after),
        **joints(scene, case, after),
    }


def key_miss(key, track, first):
    """How far the rig is from a keyed pose at its frame: joints' distances (m) and turns (degrees).

    A pose keyed without the hips' location is compared from the pelvis on: its place was left to the path.
    """
    t = key.frame - first
    off = track.places[t] - key.places
    if not key.has_place:
        off = off - off[0]
    distance = np.linalg.norm(off, axis=-1)
    cosine = (np.einsum("jab,jab->j", track.turns[t], key.turns) - 1) / 2
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return {"mean_m": distance.mean(), "worst_m": distance.max(), "mean_deg": angle.mean()}


def reaction(scene, case, leader, leader_after, before, after):
    """Figures of a partner that reacts. `leader`: A as it was before; `leader_after`: with everything baked."""
    walker, a, b = bpy.data.objects[case.walker], leader.places, after.places
    own = feet(walker, leader, leader)
    nearest, farthest = metrics.root_distance(a[:, 0], b[:, 0])
    return {
        "joint_error_m": joint_error(scene, case),
        **feet(case.moved, before, after),
        "leader_foot_skating_ratio": own["foot_skating_ratio"],
        "leader_contact_share": own["contact_share"],
        "root_distance_min_m": nearest,
        "root_distance_max_m": farthest,
        "facing_share": metrics.facing_share(measure.heading(b), b[:, 0], a[:, 0]),
        "body_distance_min_m": metrics.body_distance_min(a, b),
        "leader_moved_mm": 1000 * float(np.abs(leader_after.places - a).max()),
        **joints(scene, case, after),
    }


def joint_error(scene, case):
    """Mean distance of the take's canonical joints from the recorded partner's, metres; None where none is known."""
    if not case.truth:
        return None
    takes = (measure.motion(scene, armature, case.range) for armature in (case.moved, bpy.data.objects[case.truth]))
    return metrics.joint_error(*(positions(take) for take in takes))
