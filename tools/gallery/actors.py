"""Characters of the core in Blender: an armature of the canonical joints with a body on it, posed from a Motion."""

import bpy
import numpy as np
from mathutils import Quaternion, Vector

from blender_motiondiff.core.skeleton import JOINTS, PARENTS
from tools.demo import bodies

BONE = 0.05  # metres: only directions and places of heads matter
SAME = {name: name for name in JOINTS}


def armature(name, body, collection):
    """An armature of a Body in its rest pose, pelvis at the origin.

    Every bone points along +Y without roll, so that its axes at rest are the world's and a local rotation of a Motion
    is the pose bone's own.
    """
    data = bpy.data.armatures.new(name)
    made = bpy.data.objects.new(name, data)
    collection.objects.link(made)
    bpy.context.view_layer.objects.active = made
    bpy.ops.object.mode_set(mode="EDIT")
    for j, (joint, place) in enumerate(zip(JOINTS, body.rest_positions, strict=True)):
        bone = data.edit_bones.new(joint)
        bone.head, bone.tail = place, Vector(place) + Vector((0, BONE, 0))
        if j:
            bone.parent = data.edit_bones[JOINTS[PARENTS[j]]]
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in made.pose.bones:
        bone.rotation_mode = "QUATERNION"
    made.hide_render = True
    return made


def pose(made, root, rotations):
    """Poses an armature: pelvis at `root [3]`, local `rotations [22, 4]`."""
    made.pose.bones["pelvis"].location = Vector(np.asarray(root, float))
    for joint, turn in zip(JOINTS, np.asarray(rotations, float), strict=True):
        made.pose.bones[joint].rotation_quaternion = Quaternion(turn)
    bpy.context.view_layer.update()


def actor(name, body, colour, collection):
    """(armature, its body as a mesh object) in a colour of bodies.SHIRTS."""
    made = armature(name, body, collection)
    return made, bodies.dress(made, SAME, colour, collection)
