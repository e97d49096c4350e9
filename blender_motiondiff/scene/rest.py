"""A rig's rest pose seen from the canonical skeleton: which way it faces, how large it is, where its joints lie.

Spaces: *armature space* is that of `bone.matrix_local`; *canonical axes* are the core's (Z up, facing -Y, left +X).
`axes` leads from the second to the first. Sizes are metres of the world, the object's scale included.
"""

from dataclasses import dataclass

import numpy as np

from ..core import rotations as rot
from ..core.skeleton import COUNT, HIP_DROP, INDEX, REFERENCE_LEG, Body, Measures, make_body
from .errors import SceneError

SNAP = np.cos(np.radians(30.0))  # an up direction this near to an axis of the armature is meant to be that axis
TOE_SHARE = 2.0 / 3.0  # of the way from the ankle to the foot bone's tail, where a rig has no toe bone
UNEVEN = 0.02  # how far a scale may differ between axes and still count as one


@dataclass(frozen=True)
class Rest:
    """`bones [22]`: bone names, None where a joint has none. `turns [22, 4]`: rest rotations in armature space.

    `axes [4]`: from canonical axes to armature space. `aligned [22, 4]`: S, which takes a canonical rest direction to
    the rig's. `pelvis [3]`: the pelvis joint in armature space, carried by the hips bone. `scale`: metres a unit.
    """

    bones: tuple
    turns: np.ndarray
    axes: np.ndarray
    aligned: np.ndarray
    pelvis: np.ndarray
    scale: float
    body: Body


def rest_of(armature, rig_map):
    """The Rest of an armature object. Raises SceneError if its shape or scale can't be used."""
    scale = world_scale(armature)
    bones = armature.data.bones
    at = {joint: np.array(bones[name].head_local) for joint, name in rig_map.bones.items()}
    axes = _axes(armature.name, at)
    for side in ("left", "right"):
        if f"{side}_foot" not in at:
            foot = bones[rig_map.bones[f"{side}_ankle"]]
            at[f"{side}_foot"] = at[f"{side}_ankle"] + TOE_SHARE * (np.array(foot.tail_local) - at[f"{side}_ankle"])
    canonical = {joint: rot.rotate(rot.conjugate(axes), p) * scale for joint, p in at.items()}
    body = make_body(_measures(armature.name, canonical))
    middle = 0.5 * (at["left_hip"] + at["right_hip"])
    lift = rot.rotate(axes, np.array([0.0, 0.0, HIP_DROP * body.size / scale]))
    names = [None] * COUNT
    turns = np.tile(rot.IDENTITY, (COUNT, 1))
    for joint, name in rig_map.bones.items():
        names[INDEX[joint]] = name
        turns[INDEX[joint]] = rot.from_matrix(np.array(bones[name].matrix_local)[:3, :3])
    return Rest(tuple(names), turns, axes, _alignment(canonical), middle + lift, scale, body)


def world_scale(armature):
    """Metres of the world for a unit of armature space. Raises SceneError for scales that have no such number."""
    matrix = np.array(armature.matrix_world)[:3, :3]
    volume = np.linalg.det(matrix)
    name = armature.name
    if not np.isfinite(matrix).all() or abs(volume) < 1e-18:
        raise SceneError(f"{name} has a scale of zero. Give the object a scale in the Item tab.")
    if volume < 0:
        raise SceneError(f"{name} is mirrored by a negative scale. Apply its scale (Ctrl A), or make it positive.")
    scale = float(np.cbrt(volume))
    if np.abs(matrix.T @ matrix / scale**2 - np.eye(3)).max() > 2 * UNEVEN:
        raise SceneError(f"{name} is scaled by different amounts along its axes. Apply its scale (Ctrl A).")
    return scale


def _axes(name, at):
    """Rotation `[4]` from canonical axes to armature space: up along the body, left from hip to hip."""
    up = rot.normalize(at["head"] - 0.5 * (at["left_hip"] + at["right_hip"]))
    largest = np.abs(up).argmax()
    if np.abs(up[largest]) > SNAP:
        up = np.sign(up[largest]) * np.eye(3)[largest]
    across = at["left_hip"] - at["right_hip"]
    across = across - (across @ up) * up
    if np.linalg.norm(across) < 1e-3 * np.linalg.norm(at["head"] - at["left_hip"]):
        raise SceneError(f"Both thighs of {name} start at the same place. Move them apart in Edit Mode.")
    left = rot.normalize(across)
    return rot.from_matrix(np.stack([left, np.cross(up, left), up], -1))


def _measures(name, at):
    """Measures of rest positions in canonical axes, metres; left and right averaged."""
    middle, shoulders, ankles, toes = (_middle(at, joint) for joint in ("hip", "shoulder", "ankle", "foot"))
    thigh, shin = _length(at, "hip", "knee"), _length(at, "knee", "ankle")
    if min(thigh, shin) < 1e-6:
        raise SceneError(f"The legs of {name} have no length. Check the bones mapped to hips, knees and ankles.")
    size = (thigh + shin) / REFERENCE_LEG
    neck = at.get("neck", shoulders + np.array([0.0, 0.0, 0.06 * size]))
    forward = [np.linalg.norm((at[f"{s}_foot"] - at[f"{s}_ankle"])[:2]) for s in ("left", "right")]
    return Measures(
        hip_width=0.5 * float(np.linalg.norm(at["left_hip"] - at["right_hip"])), thigh=thigh, shin=shin,
        foot_length=float(np.mean(forward)), ankle_height=float(ankles[2] - toes[2]),
        spine=float(neck[2] - middle[2]), neck=float(np.linalg.norm(at["head"] - neck)),
        shoulder_width=0.5 * float(np.linalg.norm((at["left_shoulder"] - at["right_shoulder"])[:2])),
        shoulder_drop=float(neck[2] - shoulders[2]), upper_arm=_length(at, "shoulder", "elbow"),
        forearm=_length(at, "elbow", "wrist"),
    )  # fmt: skip


def _middle(at, joint):
    return 0.5 * (at[f"left_{joint}"] + at[f"right_{joint}"])


def _length(at, joint, child):
    return 0.5 * sum(float(np.linalg.norm(at[f"{s}_{child}"] - at[f"{s}_{joint}"])) for s in ("left", "right"))


def _alignment(at):
    """S `[22, 4]` from rest positions in canonical axes.

    Limbs by the shortest arc, wrists as their elbows, feet by a turn about the vertical axis so that soles stay flat;
    the torso keeps the canonical axes.
    """
    out = np.tile(rot.IDENTITY, (COUNT, 1))
    for side, outward in (("left", 1.0), ("right", -1.0)):
        arms = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")]
        legs = [f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot")]
        for chain, direction in ((arms, [outward, 0.0, 0.0]), (legs[:3], [0.0, 0.0, -1.0])):
            for joint, child in zip(chain, chain[1:]):
                out[INDEX[joint]] = rot.shortest_arc(np.array(direction), at[child] - at[joint])
        out[INDEX[arms[2]]] = out[INDEX[arms[1]]]
        ahead = at[legs[3]] - at[legs[2]]
        if np.linalg.norm(ahead[:2]) > 1e-6:
            yaw = rot.about_z(np.arctan2(ahead[0], -ahead[1]))
            out[INDEX[legs[2]]] = out[INDEX[legs[3]]] = yaw
    return out
