import bpy
import numpy as np
import pytest

from blender_motiondiff.core.request import Words, from_json, to_json, validate
from blender_motiondiff.core.skeleton import INDEX, JOINTS
from blender_motiondiff.scene import nla, read, retarget, write
from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.rig_maps import map_rig
from tests.scene.dump import dump
from tests.scene.made import dance, dancer, errors, perform, take
from tests.scene.test_path_curve import curve
from tools import rigs


@pytest.fixture
def path_clip(scene, clip):
    """A rig that stands off the origin with a path at 24 frames a second, not from frame 1."""
    scene.render.fps = 24
    clip.frame_start, clip.frame_end = 101, 149
    clip.character_a = rigs.mixamo("Ann", location=(7.0, 3.0, 0.0), turn=0.5)
    clip.path = curve("BEZIER", [(0, 0, 0), (1, 2, 0), (3, 3, 0)])
    scene.frame_set(13, subframe=0.25)
    return clip


def key(armature, frame, *bones, location=False):
    for name in bones:
        bone = armature.pose.bones[name]
        bone.rotation_quaternion = (0.9, 0.2, 0.1, 0.3)
        bone.keyframe_insert("rotation_quaternion", frame=frame)
        if location:
            bone.location = (5.0, 10.0, 15.0)
            bone.keyframe_insert("location", frame=frame)


def test_path_alone(scene, path_clip):
    before = dump()
    request = validate(read.read_generate(scene, path_clip))
    assert dump() == before
    assert request.duration == pytest.approx(2.0) and request.frames == 61
    assert (request.seed, request.takes, request.steps, request.cleanup) == (5, 2, 1, True)
    assert request.words == () and request.text_guidance == 2.0
    (who,) = request.characters
    assert who.name == "Ann" and who.keys == () and who.motion is None
    assert np.allclose(who.path.points[[0, -1]], [[0, 0], [3, 3]], atol=1e-5)
    assert who.body.leg == pytest.approx(0.844, abs=0.01)  # metres, not centimetres
    assert from_json(to_json(request)).duration == request.duration


def test_words(scene, path_clip):
    path_clip.words, path_clip.text_guidance = "  walk slowly ", 2.5
    request = validate(read.read_generate(scene, path_clip))
    assert request.words == (Words("walk slowly"),) and request.text_guidance == 2.5
    path_clip.words = "   "
    assert validate(read.read_generate(scene, path_clip)).words == ()


def test_keyed_poses(scene, path_clip):
    armature, rig_map = path_clip.character_a, map_rig(path_clip.character_a)
    key(armature, 107, "mixamorig:LeftArm", "mixamorig:LeftForeArm")
    key(armature, 119.5, *rig_map.bones.values())
    key(armature, 131, "mixamorig:Hips", location=True)
    key(armature, 90, "mixamorig:Hips")  # before the clip
    armature.pose.bones["mixamorig:RightArm"].location = (1, 2, 3)
    armature.pose.bones["mixamorig:RightArm"].keyframe_insert("location", frame=140)  # no joint's
    scene.frame_set(13, subframe=0.25)
    before = dump()
    request = validate(read.read_generate(scene, path_clip))
    assert dump() == before
    first, second, third = request.characters[0].keys
    assert [k.time for k in (first, second, third)] == pytest.approx([6 / 24, 18.5 / 24, 30 / 24])
    assert set(first.joints) == {"left_shoulder", "left_elbow"} and first.root is None
    assert second.joints == JOINTS and second.root is None
    assert third.joints == ("pelvis",) and third.root is not None
    seen = retarget.read_motion(armature, rig_map, scene, [107.0, 119.5, 131.0])
    for i, own in enumerate((first, second, third)):
        assert np.allclose(np.abs((own.rotations * seen.rotations[i]).sum(-1)), 1.0, atol=1e-6)
    assert np.allclose(third.root, seen.root[2])


def test_without_a_path_keys_bind_where_the_character_stands(scene, path_clip):
    armature = path_clip.character_a
    path_clip.path = None
    key(armature, 107, "mixamorig:Hips", "mixamorig:LeftArm")
    (only,) = validate(read.read_generate(scene, path_clip)).characters[0].keys
    seen = retarget.read_motion(armature, map_rig(armature), scene, [107.0])
    assert np.allclose(only.root, seen.root[0])


def test_keys_of_a_rig_with_fewer_bones_bind_the_joints_between(scene, clip, tmp_path):
    armature = rigs.metarig("Bob")
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for name in ("toe.L", "toe.R", "shoulder.L"):
        for child in bones[name].children:
            child.parent = bones[name].parent
        bones.remove(bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")
    clip.character_a = armature
    key(armature, 20, "foot.L", "spine.003")
    (only,) = read.read_generate(scene, clip).characters[0].keys
    assert set(only.joints) == {"left_ankle", "left_foot", "spine3", "left_collar"}


def test_keys_are_the_users_own_while_a_take_is_shown_or_baked(scene, path_clip):
    armature = path_clip.character_a
    key(armature, 119, "mixamorig:LeftArm")
    request = read.read_generate(scene, path_clip)
    action = write.write_take(scene, path_clip, (armature,), take(dance(request.characters[0].body, 61)), "Take")
    path_clip.results.add().action = action
    nla.show(path_clip, action)
    for step in (lambda: None, lambda: nla.bake(scene, path_clip)):
        step()
        before = dump()
        again = read.read_generate(scene, path_clip)
        assert dump() == before
        (old,), (new,) = request.characters[0].keys, again.characters[0].keys
        assert old.time == new.time and old.joints == new.joints
        assert np.allclose(old.rotations[INDEX["left_shoulder"]], new.rotations[INDEX["left_shoulder"]], atol=1e-6)


def test_partner(scene, clip):
    scene.render.fps, scene.render.fps_base = 24, 1.001
    clip.character_a = dancer(scene, location=(2.0, 1.0, 0.0))
    clip.character_b = rigs.metarig("Bob", size=0.7)
    clip.ground = 0.1
    scene.frame_set(77)
    before = dump()
    request = validate(read.read_partner(scene, clip))
    assert dump() == before
    a, b = request.characters
    assert (a.name, b.name) == ("Leader", "Bob") and b.motion is None and a.path is None and a.keys == ()
    assert request.duration == pytest.approx(40 * 1.001 / 24)
    times = np.arange(request.frames) / 30.0
    seen = retarget.read_motion(clip.character_a, map_rig(clip.character_a), scene, 11 + times * 24 / 1.001, 0.1)
    assert errors(a.motion, seen)[0] < 1e-5 and a.motion.fps == pytest.approx(30.0)
    assert b.body.leg < a.body.leg * 0.9


def test_partners_own_keys(scene, clip):
    clip.character_a, clip.character_b = dancer(scene), rigs.metarig("Bob")
    key(clip.character_b, 31, "thigh.L")
    (only,) = read.read_partner(scene, clip).characters[1].keys
    assert only.joints == ("left_hip",) and only.time == pytest.approx(20 / 24)


def test_a_leader_that_follows_constraints_is_read_as_it_moves(scene, clip):
    clip.character_a, clip.character_b = rigs.mixamo("Ann"), rigs.metarig("Bob")
    target = bpy.data.objects.new("Target", None)
    scene.collection.objects.link(target)
    for frame, z in ((11, 1.0), (51, 2.0)):
        target.location = (0.3, 0, z)
        target.keyframe_insert("location", frame=frame)
    follow = clip.character_a.pose.bones["mixamorig:Hips"].constraints.new("COPY_LOCATION")
    follow.target = target
    motion = read.read_partner(scene, clip).characters[0].motion
    assert motion.root[-1, 2] - motion.root[0, 2] == pytest.approx(1.0, abs=1e-3)


def test_a_hidden_leader_in_a_scene_that_is_not_on_screen(scene, clip):
    clip.character_a, clip.character_b = dancer(scene), rigs.metarig("Bob")
    seen = read.read_partner(scene, clip).characters[0].motion
    clip.character_a.hide_set(True)
    assert errors(read.read_partner(scene, clip).characters[0].motion, seen)[0] < 1e-6
    other = bpy.data.scenes.new("Other")
    bpy.context.window.scene = other
    before = dump()
    assert errors(read.read_partner(scene, clip).characters[0].motion, seen)[0] < 1e-6
    assert dump() == before


# --- bad input: one message, and nothing changed ----------------------------------------------------------------------


def edit_mode(scene, clip):
    bpy.context.view_layer.objects.active = clip.character_a
    bpy.ops.object.mode_set(mode="EDIT")


def remove_bone(scene, clip):
    bpy.context.view_layer.objects.active = clip.character_a
    bpy.ops.object.mode_set(mode="EDIT")
    bones = clip.character_a.data.edit_bones
    bones.remove(bones["mixamorig:LeftLeg"])
    bpy.ops.object.mode_set(mode="OBJECT")


def excluded(scene, clip):
    apart = bpy.data.collections.new("Apart")
    scene.collection.children.link(apart)
    apart.objects.link(clip.character_a)
    scene.collection.objects.unlink(clip.character_a)
    bpy.context.view_layer.layer_collection.children["Apart"].exclude = True


def setting(**values):
    def change(scene, clip):
        for name, value in values.items():
            setattr(clip, name, value)

    return change


def on_leader(name, value, data=False):
    def change(scene, clip):
        setattr(clip.character_a.data if data else clip.character_a, name, value)
        bpy.context.view_layer.update()

    return change


GENERATE = {
    "no armature": (setting(character_a=None), "No armature is chosen as character A"),
    "missing bone": (remove_bone, "Ann looks like a Mixamo rig, but has no bone named LeftLeg"),
    "no path, no keys": (setting(path=None), "Ann has no path and no keyed pose between frames 101 and 149"),
    "one frame": (setting(frame_end=101), "Duet lasts one frame only"),
    "end before start": (setting(frame_end=50), "Duet ends at frame 50, before its start at 101"),
    "scale of zero": (on_leader("scale", (0, 0, 0)), "Ann has a scale of zero"),
    "edit mode": (edit_mode, "Ann is in Edit Mode"),
    "rest position": (on_leader("pose_position", "REST", data=True), "Ann is shown in its Rest Position"),
    "disabled": (on_leader("hide_viewport", True), "Ann is disabled in this view layer"),
    "excluded": (excluded, "Ann is disabled in this view layer"),
}


@pytest.mark.parametrize("case", GENERATE)
def test_bad_input_of_generate(scene, path_clip, case):
    change, message = GENERATE[case]
    change(scene, path_clip)
    before = dump()
    with pytest.raises(SceneError, match=message):
        read.read_generate(scene, path_clip)
    assert dump() == before


def test_a_path_of_no_length(scene, path_clip):
    path_clip.path = curve("POLY", [(1, 1, 0), (1, 1, 0)], "Dot")
    before = dump()
    with pytest.raises(SceneError, match="The path Dot has no length"):
        read.read_generate(scene, path_clip)
    assert dump() == before


def unbound(scene, clip):
    clip.character_a.animation_data.action_slot = None


def same_twice(scene, clip):
    clip.character_b = clip.character_a


PARTNER = {
    "no A": (setting(character_a=None), "No armature is chosen as character A"),
    "no B": (setting(character_b=None), "No armature is chosen as character B"),
    "the same twice": (same_twice, "Leader is both character A and character B"),
    "A without animation": (lambda s, c: c.character_a.animation_data_clear(), "Leader has no animation"),
    "unbound slot": (unbound, "Leader stands still: no slot of Leader own is chosen"),
    "one frame": (setting(frame_end=11), "Duet lasts one frame only"),
}


@pytest.mark.parametrize("case", PARTNER)
def test_bad_input_of_generate_partner(scene, clip, case):
    clip.character_a, clip.character_b = dancer(scene), rigs.metarig("Bob")
    change, message = PARTNER[case]
    change(scene, clip)
    scene.frame_set(33)
    before = dump()
    with pytest.raises(SceneError, match=message):
        read.read_partner(scene, clip)
    assert dump() == before


def test_a_pose_that_is_not_keyed_survives_reading(scene, path_clip):
    armature = path_clip.character_a
    key(armature, 110, "mixamorig:LeftArm")
    key(armature, 120, "mixamorig:LeftArm")
    armature.pose.bones["mixamorig:LeftArm"].rotation_quaternion = (0.5, 0.5, 0.5, 0.5)  # posed over its own keys
    armature.pose.bones["mixamorig:Head"].rotation_quaternion = (0.5, 0.5, 0.5, -0.5)
    bpy.context.view_layer.update()
    before = dump()
    read.read_generate(scene, path_clip)
    assert dump() == before


def test_other_peoples_scene_rate_and_range_stay(scene, path_clip):
    scene.render.fps, scene.render.fps_base, scene.frame_start, scene.frame_end = 60, 1.001, 3, 900
    request = read.read_generate(scene, path_clip)
    assert request.duration == pytest.approx(48 * 1.001 / 60)
    perform(scene, path_clip.character_a, dance(request.characters[0].body), np.arange(41))
    assert (scene.render.fps, scene.render.fps_base) == (60, pytest.approx(1.001))
    assert (scene.frame_start, scene.frame_end) == (3, 900)
