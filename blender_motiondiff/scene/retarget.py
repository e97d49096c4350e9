"""Poses of a rig <-> canonical Motion, for any rest pose, proportions, scale and orientation of the object.

D, the turn of a bone from its rest, carries over between skeletons: a joint's rotation against the world is D times S,
where S aligns the canonical rest direction with the rig's (see `rest`). Object transforms are read, never written.
"""

import numpy as np
from mathutils import Matrix

from ..core import rotations as rot
from ..core.motion import FPS, Motion, global_rotations, local_rotations
from ..core.skeleton import COUNT, INDEX, PARENTS
from . import rotation_modes
from .errors import SceneError
from .rest import rest_of
from .sampling import pose_matrices, time_kept

PELVIS = INDEX["pelvis"]


def body_of(armature, rig_map):
    """The core's Body of a rig, in metres of the world."""
    return rest_of(armature, rig_map).body


# --- reading ----------------------------------------------------------------------------------------------------------


def read_motion(armature, rig_map, scene, frames, ground=0.0):
    """The Motion of a rig at real-valued scene frames `[T]`, as Blender evaluates it.

    `ground`: height of the floor in the world, metres. `fps` is that of the frames if they are evenly spaced.
    """
    rest = rest_of(armature, rig_map)
    frames = np.asarray(frames, float)
    with time_kept(scene, [armature]):
        poses, worlds = pose_matrices(scene, armature, frames)
    order = {bone.name: i for i, bone in enumerate(armature.pose.bones)}
    objects = rot.from_matrix(_turn(worlds))
    turned = np.empty((len(frames), COUNT, 4))
    for j, name in enumerate(rest.bones):
        if name is None:
            turned[:, j] = turned[:, PARENTS[j]]
            continue
        delta = rot.multiply(rot.from_matrix(_turn(poses[:, order[name]])), rot.conjugate(rest.turns[j]))
        world = rot.multiply(rot.multiply(objects, delta), rest.axes)
        turned[:, j] = rot.multiply(world, rest.aligned[j])
    root = _pelvis(armature, rest, poses[:, order[rest.bones[PELVIS]]], worlds)
    root[:, 2] -= ground
    rate = scene.render.fps / scene.render.fps_base
    steps = np.diff(frames)
    fps = rate / steps.mean() if len(steps) and steps.mean() > 0 else FPS
    local = local_rotations(turned)
    return Motion(root, rot.align_signs(rot.normalize(local)), rest.body, float(fps))


def _pelvis(armature, rest, hips, worlds):
    """World places `[T, 3]` of the pelvis joint, carried by the hips bone's matrices `[T, 4, 4]` in armature space."""
    still = np.linalg.inv(np.array(armature.data.bones[rest.bones[PELVIS]].matrix_local))
    point = still @ np.append(rest.pelvis, 1.0)
    return (worlds @ (hips @ point)[..., None])[:, :3, 0]


def _turn(matrices):
    """Rotation parts of matrices `[..., 4, 4]`, scale taken off."""
    m = np.asarray(matrices, float)[..., :3, :3]
    return m / np.maximum(np.linalg.norm(m, axis=-2, keepdims=True), 1e-12)


# --- writing ----------------------------------------------------------------------------------------------------------


def pose_curves(armature, rig_map, motion, ground=0.0, worlds=None):
    """Channels that make the rig perform a Motion: `{(data path, array index): values [T]}`.

    Rotations of the mapped bones, each in the bone's own rotation mode, and the location of the hips bone. Bones
    between mapped ones keep the pose they have. `worlds [T, 4, 4]`: the object's matrices if it moves by itself.
    """
    check_writable(armature, rig_map)
    rest = rest_of(armature, rig_map)
    world = np.array(armature.matrix_world) if worlds is None else np.asarray(worlds, float)
    world = np.broadcast_to(world, (motion.frames, 4, 4))
    wanted = _wanted_turns(rest, motion, world)
    curves = {}
    for name, q in _basis_turns(armature, rest, wanted).items():
        bone = armature.pose.bones[name]
        values = rotation_modes.channels(bone.rotation_mode, q)
        path = f"{bone.path_from_id()}.{rotation_modes.data_path(bone.rotation_mode)}"
        curves.update({(path, i): values[:, i] for i in range(values.shape[1])})
    hips = armature.pose.bones[rest.bones[PELVIS]]
    places = _hips_locations(hips, rest, wanted[hips.name], world, motion.root + np.array([0.0, 0.0, ground]))
    curves.update({(f"{hips.path_from_id()}.location", i): places[:, i] for i in range(3)})
    return curves


def check_writable(armature, rig_map):
    """Raises SceneError if the rig can't take a motion."""
    hips = armature.data.bones[rig_map.bones["pelvis"]]
    if hips.parent is not None and hips.use_connect:
        raise SceneError(
            f"{hips.name} of {armature.name} is connected to {hips.parent.name} and so can't move. "
            "Switch off Connected in its bone settings."
        )


def _wanted_turns(rest, motion, world):
    """Armature-space rotations `{bone name: [T, 4]}` that the motion asks for."""
    objects = rot.conjugate(rot.from_matrix(_turn(world)))
    turned = global_rotations(motion.rotations)
    out = {}
    for j, name in enumerate(rest.bones):
        if name is not None:
            delta = rot.multiply(turned[:, j], rot.conjugate(rest.aligned[j]))
            delta = rot.multiply(rot.multiply(objects, delta), rot.conjugate(rest.axes))
            out[name] = rot.multiply(delta, rest.turns[j])
    return out


def _basis_turns(armature, rest, wanted):
    """The bones' own rotations `{bone name: [T, 4]}` against their parents', for the wanted armature-space ones."""
    bones = armature.data.bones
    turns = dict(wanted)

    def turn(bone):
        if bone.name not in turns:
            basis = rot.from_matrix(_turn(armature.pose.bones[bone.name].matrix_basis))
            turns[bone.name] = rot.multiply(carried(bone), basis)
        return turns[bone.name]

    def carried(bone):
        """Where the bone would point without a rotation of its own."""
        own = rot.from_matrix(_turn(bone.matrix_local))
        if bone.parent is None or not bone.use_inherit_rotation:
            return own
        still = rot.from_matrix(_turn(bone.parent.matrix_local))
        return rot.multiply(turn(bone.parent), rot.multiply(rot.conjugate(still), own))

    return {name: rot.multiply(rot.conjugate(carried(bones[name])), q) for name, q in wanted.items()}


def _hips_locations(hips, rest, turns, world, pelvis):
    """Locations `[T, 3]` of the hips bone's own channel that bring the pelvis joint to world places `[T, 3]`."""
    matrix = np.array(hips.bone.matrix_local)
    arm = rot.rotate(rot.conjugate(rest.turns[PELVIS]), rest.pelvis - matrix[:3, 3])  # pelvis joint, seen by the bone
    inside = np.linalg.solve(world, np.concatenate([pelvis, np.ones((len(pelvis), 1))], 1)[..., None])[:, :3, 0]
    poses = np.tile(np.eye(4), (len(pelvis), 1, 1))
    poses[:, :3, :3] = rot.to_matrix(turns)
    poses[:, :3, 3] = inside - rot.rotate(turns, arm)
    return np.array([_to_basis(hips, pose)[:3, 3] for pose in poses])


def _to_basis(bone, pose):
    """A pose matrix in armature space as the bone's own channels would hold it, its inheritance settings honoured."""
    options = {"invert": True}
    if bone.parent is not None:
        options.update(parent_matrix=bone.parent.matrix, parent_matrix_local=bone.parent.bone.matrix_local)
    return np.array(bone.bone.convert_local_to_pose(Matrix(pose.tolist()), bone.bone.matrix_local, **options))
