"""The list of clips."""

import bpy
import pytest

from tools import rigs

from .conftest import new_clip, straight_path


def select(*objects):
    for ob in bpy.context.view_layer.objects:
        ob.select_set(ob in objects)
    bpy.context.view_layer.objects.active = objects[0]


def test_a_new_clip_takes_what_is_selected(scene):
    bob, ann, path = rigs.metarig("Bob"), rigs.mixamo("Ann"), straight_path()
    select(ann, bob, path)
    scene.frame_start, scene.frame_end = 101, 150
    bpy.ops.motiondiff.clip_add()
    clip = scene.motiondiff.clips[0]
    assert (clip.character_a, clip.character_b, clip.path) == (ann, bob, path)
    assert (clip.frame_start, clip.frame_end) == (101, 150)
    assert clip.rig_a.startswith("Mixamo") and clip.rig_b.startswith("Rigify")
    assert scene.motiondiff.schema == 1


def test_a_new_clip_is_not_longer_than_can_be_generated(scene):
    scene.frame_end, scene.render.fps = 100000, 24
    bpy.ops.motiondiff.clip_add()
    assert scene.motiondiff.clips[0].frame_end == 241


def test_clips_get_names_of_their_own_and_the_new_one_is_active(scene):
    for _ in range(3):
        bpy.ops.motiondiff.clip_add()
    assert [c.name for c in scene.motiondiff.clips] == ["Clip", "Clip 2", "Clip 3"]
    assert scene.motiondiff.active_clip == 2
    scene.motiondiff.active_clip = 1
    bpy.ops.motiondiff.clip_remove()
    assert [c.name for c in scene.motiondiff.clips] == ["Clip", "Clip 3"]
    bpy.ops.motiondiff.clip_add()
    assert scene.motiondiff.clips[-1].name == "Clip 2"


def test_removing_the_last_clip_leaves_the_list_empty(scene):
    bpy.ops.motiondiff.clip_add()
    bpy.ops.motiondiff.clip_remove()
    assert not len(scene.motiondiff.clips) and scene.motiondiff.active_clip == 0
    with pytest.raises(RuntimeError, match="There is no clip"):
        bpy.ops.motiondiff.clip_remove()


def test_a_clip_that_holds_the_animation_from_before_is_not_removed(solo, worker):
    bpy.ops.motiondiff.generate()
    with pytest.raises(RuntimeError, match="Press Reject or Restore first"):
        bpy.ops.motiondiff.clip_remove()
    bpy.ops.motiondiff.reject()
    assert bpy.ops.motiondiff.clip_remove() == {"FINISHED"}


def test_pointers_take_only_what_fits(scene):
    polls = [new_clip().bl_rna.properties[name] for name in ("character_a", "character_b", "path")]
    assert all(p.fixed_type.identifier == "Object" for p in polls)


def test_the_rigs_line_is_cleared_with_the_pointer(solo):
    assert solo.rig_a
    solo.character_a = None
    assert solo.rig_a == ""


def test_clips_are_saved_with_the_file(solo, tmp_path):
    solo.seed, solo.ground = 77, 0.25
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "clips.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not len(bpy.context.scene.motiondiff.clips)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "clips.blend"))
    clip = bpy.context.scene.motiondiff.clips[0]
    assert (clip.name, clip.seed, clip.ground, clip.character_a.name) == ("Clip", 77, 0.25, "Ann")
    assert bpy.context.scene.motiondiff.schema == 1


def test_nothing_of_a_running_job_is_saved(scene):
    names = [p.identifier for p in new_clip().bl_rna.properties]
    assert not [n for n in names if any(word in n for word in ("progress", "running", "generating", "job"))]
