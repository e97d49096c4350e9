"""What the evaluated rigs do, sampled in Blender frame by frame: places come from the bones, not from the core."""

from dataclasses import dataclass

import bpy
import numpy as np

from blender_motiondiff.core.skeleton import HIP_DROP, JOINTS, PARENTS, REFERENCE_LEG
from tools.demo.bodies import body_axes, leg_length, rest_points
from tools.demo.installed import map_rig, part

TOE_SHARE = 2 / 3  # of the way to the foot bone's tail, where a rig has no toe bone


@dataclass(frozen=True)
class Track:
    """One rig over the frames of a clip, in the world, metres.

    `places [T, 22, 3]` of the joints, `turns [T, 22, 3, 3]`: rotations from rest. Joints without a bone take those of
    the one above. `fps` of the scene.
    """

    places: np.ndarray
    turns: np.ndarray
    fps: float


def track(scene, armature, frames):
    """The Track of a rig over scene frames `[T]`."""
    now, matrices, worlds = scene.frame_current, [], []
    for frame in frames:
        scene.frame_set(int(frame))
        pose, world = matrices_now(armature)
        matrices.append(pose)
        worlds.append(world)
    scene.frame_set(now)
    places, turns = joints_of(armature, np.stack(matrices), np.stack(worlds))
    return Track(places, turns, scene.render.fps / scene.render.fps_base)


def snapshot(armature):
    """Places `[22, 3]` and turns `[22, 3, 3]` of the joints as the rig is evaluated now."""
    pose, world = matrices_now(armature)
    places, turns = joints_of(armature, pose[None], world[None])
    return places[0], turns[0]


def matrices_now(armature):
    """What Blender evaluates: bones `[B, 4, 4]` in armature space, in the pose's order, and the object `[4, 4]`."""
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    flat = np.empty(len(evaluated.pose.bones) * 16, np.float32)
    evaluated.pose.bones.foreach_get("matrix", flat)
    return flat.reshape(-1, 4, 4).transpose(0, 2, 1).astype(float), np.array(evaluated.matrix_world)


def joints_of(armature, matrices, worlds):
    """Places `[T, 22, 3]` and turns `[T, 22, 3, 3]` in the world, from matrices `[T, B, 4, 4]` and `[T, 4, 4]`."""
    bones, data = map_rig(armature).bones, armature.data.bones
    order = {bone.name: i for i, bone in enumerate(armature.pose.bones)}
    shape = (len(matrices), len(JOINTS))
    places, turns = np.empty((*shape, 3)), np.empty((*shape, 3, 3))
    for j, joint in enumerate(JOINTS):
        if joint not in bones:
            places[:, j], turns[:, j] = places[:, PARENTS[j]], turns[:, PARENTS[j]]
            if joint.endswith("_foot"):
                ankle = data[bones[joint.replace("foot", "ankle")]]
                toe = ankle.head_local + TOE_SHARE * (ankle.tail_local - ankle.head_local)
                places[:, j] = carried(ankle, toe, matrices[:, order[ankle.name]], worlds)
            continue
        bone = data[bones[joint]]
        point = pelvis_at_rest(armature, bones) if joint == "pelvis" else bone.head_local
        pose = matrices[:, order[bone.name]]
        places[:, j] = carried(bone, point, pose, worlds)
        rest = np.array(bone.matrix_local)[:3, :3]
        turns[:, j] = unit(worlds[:, :3, :3]) @ unit(pose[:, :3, :3]) @ rest.T @ unit(worlds[:1, :3, :3])[0].T
    return places, turns


def carried(bone, point, pose, worlds):
    """World places `[T, 3]` of a point `[3]` of armature space that moves with a bone. `pose`, `worlds [T, 4, 4]`."""
    still = np.linalg.inv(np.array(bone.matrix_local)) @ np.append(np.asarray(point, float), 1.0)
    return (worlds @ pose @ still)[:, :3]


def pelvis_at_rest(armature, bones):
    """The pelvis joint in armature space at rest: over the middle of the hip joints."""
    p = rest_points(armature, bones)
    middle = 0.5 * (p["left_hip"] + p["right_hip"])
    return middle + body_axes(p)[1] * HIP_DROP * leg_length(p) / REFERENCE_LEG


def unit(matrices):
    """Rotations `[..., 3, 3]` without their scale."""
    return matrices / np.linalg.norm(matrices, axis=-2, keepdims=True)


def motion(scene, armature, frames):
    """The rig's canonical Motion as the extension reads it, for what is defined on the canonical skeleton."""
    was_hidden = armature.hide_get()
    armature.hide_set(False)
    found = part("scene.retarget").read_motion(armature, map_rig(armature), scene, frames)
    armature.hide_set(was_hidden)
    return found


def body(armature):
    """The extension's measures of a rig."""
    return part("scene.retarget").body_of(armature, map_rig(armature))


def heading(places):
    """Which way hips face `[T]`, radians about the vertical, 0 faces -Y. `places [T, 22, 3]`."""
    across = places[:, JOINTS.index("left_hip")] - places[:, JOINTS.index("right_hip")]
    return np.arctan2(across[:, 1], across[:, 0])
