"""What the evaluated rigs do, sampled in Blender frame by frame: the numbers come from the bones, not from the core."""

from dataclasses import dataclass

import bpy
import numpy as np

from tools.demo.bodies import body_axes, leg_length, rest_points
from tools.demo.installed import part

TOE_SHARE = 2 / 3  # of the way to the foot bone's tail, where a rig has no toe bone
HIP_DROP, LEG = 0.09, 0.85  # metres of the hip joints under the pelvis, for that leg


@dataclass(frozen=True)
class Track:
    """One rig over the frames of a clip, in the world, metres.

    `places [T, 22, 3]` of the joints, `turns [T, 22, 3, 3]`: rotations from rest. Joints without a bone take those of
    the one above. `rest_heights [22]` over the lowest foot joint when the rig stands at rest. `fps` of the scene.
    """

    places: np.ndarray
    turns: np.ndarray
    rest_heights: np.ndarray
    fps: float


def joint_names():
    """The canonical joints in order, and their parents."""
    skeleton = part("core.skeleton")
    return skeleton.JOINTS, skeleton.PARENTS


def snapshot(armature, bones):
    """Places `[22, 3]` and turns `[22, 3, 3]` of the joints as the rig is evaluated now."""
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    world = np.array(evaluated.matrix_world)
    names, parents = joint_names()
    places, turns = np.empty((len(names), 3)), np.empty((len(names), 3, 3))
    for j, joint in enumerate(names):
        if joint not in bones:
            places[j], turns[j] = places[parents[j]], turns[parents[j]]
            if joint.endswith("_foot"):
                ankle = evaluated.pose.bones[bones[joint.replace("foot", "ankle")]]
                places[j] = _point(world, (1 - TOE_SHARE) * ankle.head + TOE_SHARE * ankle.tail)
            continue
        bone = evaluated.pose.bones[bones[joint]]
        places[j] = _point(world, pelvis_of(armature, bones, bone) if joint == "pelvis" else bone.head)
        turns[j] = _unit(world[:3, :3] @ np.array(bone.matrix)[:3, :3]) @ _unit(_rest(armature, bone)).T
    return places, turns


def track(scene, armature, bones, frames):
    """The Track of a rig over scene frames `[T]`."""
    now = scene.frame_current
    rows = []
    for frame in frames:
        scene.frame_set(int(frame))
        rows.append(snapshot(armature, bones))
    scene.frame_set(now)
    places, turns = (np.stack(column) for column in zip(*rows, strict=True))
    rate = scene.render.fps / scene.render.fps_base
    return Track(places, turns, rest_heights(armature, bones), rate)


def pelvis_of(armature, bones, hips):
    """The pelvis joint in armature space: over the middle of the hip joints at rest, carried by the hips bone."""
    p = rest_points(armature, bones)
    up = body_axes(p)[1]
    rest = 0.5 * (p["left_hip"] + p["right_hip"]) + up * HIP_DROP * leg_length(p) / LEG
    carried = np.array(hips.matrix) @ np.linalg.inv(np.array(hips.bone.matrix_local)) @ np.append(rest, 1.0)
    return carried[:3]


def rest_heights(armature, bones):
    """Heights `[22]` of the joints over the lowest foot joint at rest, metres; NaN for joints without a bone."""
    p = rest_points(armature, bones)
    up, size = body_axes(p)[1], np.cbrt(np.linalg.det(np.array(armature.matrix_world)[:3, :3]))
    heights = np.array([p[joint] @ up if joint in p else np.nan for joint in joint_names()[0]]) * size
    return heights - np.nanmin(heights)


def canonical(scene, armature, frames):
    """Canonical joint positions `[T, 22, 3]` of a rig as the extension reads it, metres."""
    motion = part("scene.retarget").read_motion(armature, part("scene.rig_maps").map_rig(armature), scene, frames)
    return part("core.motion").positions(motion)


def _rest(armature, bone):
    return np.array(armature.matrix_world)[:3, :3] @ np.array(bone.bone.matrix_local)[:3, :3]


def _unit(matrix):
    return matrix / np.linalg.norm(matrix, axis=0, keepdims=True)


def _point(world, point):
    return (world @ np.append(np.asarray(point, float), 1.0))[:3]
