import bpy
import pytest

from blender_motiondiff.core.skeleton import JOINTS
from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.rig_maps import cmu_bvh, map_rig
from tools import rigs


def named(table, name="Rig"):
    """An armature that has bones of these names and no sensible shape."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for i, bone in enumerate(table):
        new = armature.data.edit_bones.new(bone)
        new.head, new.tail = (i, 0, 0), (i, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def test_metarig_has_all_joints():
    found = map_rig(rigs.metarig())
    assert found.convention == "Rigify metarig"
    assert tuple(found.bones) == JOINTS
    assert found.bones["neck"] == "spine.004" and found.bones["left_hip"] == "thigh.L"


@pytest.mark.parametrize("prefix", ["mixamorig:", "mixamorig1:", ""])
def test_mixamo_with_any_prefix(prefix):
    found = map_rig(rigs.mixamo(prefix=prefix))
    assert found.convention == "Mixamo"
    assert tuple(found.bones) == JOINTS
    assert found.bones["right_knee"] == prefix + "RightLeg" and found.bones["spine3"] == prefix + "Spine2"


@pytest.mark.parametrize(
    "table", [cmu_bvh.MOTIONBUILDER, cmu_bvh.DAZ, cmu_bvh.ASF], ids=["motionbuilder", "daz", "asf"]
)
def test_cmu_names(table):
    found = map_rig(named(table.values()))
    assert found.convention == "CMU BVH"
    assert found.bones == table
    assert map_rig(named([b for b in table.values() if b not in ("lToe", "rToe")])).bones.get("left_foot") in (
        None,
        table["left_foot"],
    )


def test_missing_bones_are_named():
    armature = rigs.mixamo("Ann")
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in ("mixamorig:LeftLeg", "mixamorig:RightHand"):
        armature.data.edit_bones.remove(armature.data.edit_bones[bone])
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(SceneError, match="Ann looks like a Mixamo rig, but has no bone named LeftLeg, RightHand"):
        map_rig(armature)


def test_unknown_names_are_refused():
    with pytest.raises(SceneError, match="The bones of Rig follow none"):
        map_rig(named(["Bone", "Bone.001", "Head"]))


def test_no_armature():
    with pytest.raises(SceneError, match="No armature"):
        map_rig(None)
    with pytest.raises(SceneError, match="Empty is no armature"):
        map_rig(bpy.data.objects.new("Empty", None))
