"""Poses keyed by hand, as an animator would key them: turns of single bones about the body's own axes, in degrees.

Axes: x to the character's left, y backwards, z upwards, all at rest; a turn carries everything below it. Positive x
bends forwards and swings a hanging leg backwards; positive y lowers a left arm and raises a right one.
"""

import numpy as np
from mathutils import Matrix, Quaternion, Vector

from tools.demo.bodies import body_axes, rest_points

# Mid-stride with both hands high over the head, the back bent backwards a little and to the side.
HANDS_UP = {
    "spine1": [("x", -6), ("z", 10)], "spine2": [("x", -6), ("y", 5)], "spine3": [("x", -4)],
    "neck": [("x", -8)], "head": [("x", -6)],
    "left_collar": [("y", -18)], "left_shoulder": [("y", -60), ("x", -8)], "left_elbow": [("z", 18)],
    "right_collar": [("y", 18)], "right_shoulder": [("y", 55), ("x", -8)], "right_elbow": [("z", -22)],
    "left_hip": [("x", -24)], "left_knee": [("x", 6)], "left_ankle": [("x", 4)],
    "right_hip": [("x", 12)], "right_knee": [("x", 20)], "right_ankle": [("x", 4)], "right_foot": [("x", -22)],
}  # fmt: skip
# The other foot in front: the trunk forward and turned, one hand reaching down ahead, the other arm swung up behind.
REACH_DOWN = {
    "pelvis": [("x", 8)],
    "spine1": [("x", 16), ("z", 10)], "spine2": [("x", 14), ("z", 10)], "spine3": [("x", 8), ("z", 8)],
    "neck": [("x", -14)], "head": [("x", -10)],
    "left_shoulder": [("y", 50), ("x", 62)], "left_elbow": [("z", 22)],
    "right_shoulder": [("y", -58), ("x", -72)], "right_elbow": [("z", -16)],
    "right_hip": [("x", -42)], "right_knee": [("x", 20)], "right_ankle": [("x", 8)],
    "left_hip": [("x", 2)], "left_knee": [("x", 28)], "left_ankle": [("x", 6)], "left_foot": [("x", -24)],
}  # fmt: skip
FOOT_HEIGHT = {"ankle": 1.0, "foot": 1.0}  # both joints of a foot keep at least their height at rest


def quaternion(turns, axes):
    """Turns in order, about the body's axes (columns of `axes [3, 3]`: x, y, z in armature space)."""
    whole = Quaternion()
    for axis, degrees in turns:
        whole = Quaternion(Vector(axes[:, "xyz".index(axis)]), np.radians(degrees)) @ whole
    return whole


def set_pose(armature, bones, pose, heading=0.0):
    """Puts the armature's bones into a pose; the whole is turned by `heading` (radians, world vertical; 0 faces -Y)."""
    side, up, front = body_axes(rest_points(armature, bones))
    axes = np.array([side, -front, up]).T
    for joint, bone_name in bones.items():
        bone = armature.pose.bones[bone_name]
        own = quaternion(pose.get(joint, ()), axes)
        if joint == "pelvis":
            own = world_turn(armature, axes, heading) @ own
        rest = bone.bone.matrix_local.to_quaternion()
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = rest.inverted() @ own @ rest


def world_turn(armature, axes, heading):
    """The turn in armature space that makes a character at rest face `heading` in the world."""
    to_world = armature.matrix_world.to_quaternion()
    stands = Matrix(axes.tolist()).to_quaternion()  # canonical axes -> armature space
    wanted = Quaternion((0, 0, 1), heading)  # canonical axes are the world's for heading 0
    return to_world.inverted() @ wanted @ stands.inverted()


def place_hips(armature, bones, view_layer, point):
    """Moves the hips over `point [2]` in the world, so low that the lower foot stands on the ground at z = 0."""
    hips = armature.pose.bones[bones["pelvis"]]
    hips.location = (0, 0, 0)
    view_layer.update()
    matrix = armature.matrix_world
    heights = []
    for side in ("left", "right"):
        for joint in ("ankle", "foot"):
            bone = armature.pose.bones[bones[f"{side}_{joint}"]]
            heights.append((matrix @ bone.head).z - (matrix @ bone.bone.head_local).z)
    now = matrix @ hips.head
    wanted = Vector((point[0], point[1], now.z - min(heights)))
    pose = hips.matrix.copy()
    pose.translation = matrix.inverted() @ wanted
    hips.matrix = pose
    view_layer.update()


def key_pose(armature, bones, frame, with_location):
    """Keys the mapped bones' rotations at a frame, and the hips' location if asked."""
    for bone_name in bones.values():
        armature.pose.bones[bone_name].keyframe_insert("rotation_quaternion", frame=frame)
    if with_location:
        armature.pose.bones[bones["pelvis"]].keyframe_insert("location", frame=frame)
