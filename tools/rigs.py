"""Rigs made by script, for tests and for the demo: armatures as other programs' files bring them into Blender."""

import addon_utils
import bpy
import numpy as np

# Joint heads of MPFB's Mixamo rig on MakeHuman's base figure (CC0), metres: left, up, forward.
MIDDLE = {
    "Hips": (0, 0.962, 0.017), "Spine": (0, 1.067, 0.023), "Spine1": (0, 1.174, 0.009), "Spine2": (0, 1.298, -0.019),
    "Neck": (0, 1.478, 0.005), "Head": (0, 1.530, 0.022), "HeadTop_End": (0, 1.733, 0.020),
}  # fmt: skip
LEFT = {
    "Shoulder": (0.057, 1.439, 0.015), "Arm": (0.175, 1.403, 0.003), "ForeArm": (0.423, 1.396, -0.029),
    "Hand": (0.658, 1.393, -0.015), "HandMiddle1": (0.745, 1.39, -0.01), "UpLeg": (0.105, 0.910, 0.005),
    "Leg": (0.103, 0.488, 0.037), "Foot": (0.086, 0.068, 0.018), "ToeBase": (0.082, 0.022, 0.157),
    "Toe_End": (0.080, 0.018, 0.220),
}  # fmt: skip
CHAINS = (
    ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End"),
    *(("Spine2", *(s + n for n in ("Shoulder", "Arm", "ForeArm", "Hand", "HandMiddle1"))) for s in ("Left", "Right")),
    *(("Hips", *(s + n for n in ("UpLeg", "Leg", "Foot", "ToeBase", "Toe_End"))) for s in ("Left", "Right")),
)  # fmt: skip


def mixamo(name="Mixamo", location=(0.0, 0.0, 0.0), turn=0.0, size=1.0, prefix="mixamorig:"):
    """A rig as Mixamo's FBX imports: centimetres, Y up, bones along their local Y, object scale 0.01, turned by 90
    degrees about X.

    `turn`: further turn about the world's vertical axis, radians. `size`: 1 is 1.73 m tall.
    """
    armature = _new_armature(name)
    _edit(armature, lambda bones: _mixamo_bones(bones, prefix, size))
    armature.rotation_mode = "XYZ"
    armature.rotation_euler = (np.pi / 2, 0.0, turn)  # X first, then Z
    armature.scale = (0.01, 0.01, 0.01)
    armature.location = location
    bpy.context.view_layer.update()
    return armature


def _mixamo_bones(bones, prefix, size):
    places = dict(MIDDLE)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        places.update({side + n: (sign * x, y, z) for n, (x, y, z) in LEFT.items()})
    for chain in CHAINS:
        for above, bone, below in zip((None, *chain), chain, chain[1:]):
            if prefix + bone in bones:
                continue
            new = bones.new(prefix + bone)
            new.head = np.array(places[bone]) * 100.0 * size
            new.tail = np.array(places[below]) * 100.0 * size
            new.parent = bones[prefix + above] if above else None
            new.align_roll((0.0, 0.0, 1.0))


def metarig(name="Metarig", location=(0.0, 0.0, 0.0), turn=0.0, size=1.0):
    """Rigify's human metarig, at rest, as an object. `size`: 1 is the metarig's own 1.98 m."""
    addon_utils.enable("rigify", default_set=True)
    armature = _new_armature(name)
    from rigify.metarigs.human import create

    bpy.context.view_layer.objects.active = armature
    create(armature)
    if bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    armature.location, armature.rotation_euler, armature.scale = location, (0.0, 0.0, turn), (size, size, size)
    bpy.context.view_layer.update()
    return armature


def import_bvh(path, scale, name=None, frame_start=1):
    """An armature imported from a BVH file with Blender's own importer. `scale`: metres a unit of the file."""
    bpy.ops.import_anim.bvh(
        filepath=str(path), axis_forward="-Z", axis_up="Y", global_scale=scale, frame_start=frame_start,
        update_scene_fps=False, update_scene_duration=False,
    )  # fmt: skip
    armature = bpy.context.object
    if name:
        armature.name = name
    bpy.context.view_layer.update()
    return armature


def _new_armature(name):
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    for other in bpy.context.selected_objects:
        other.select_set(False)
    armature.select_set(True)
    bpy.context.view_layer.objects.active = armature
    return armature


def _edit(armature, make):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    make(armature.data.edit_bones)
    bpy.ops.object.mode_set(mode="OBJECT")
