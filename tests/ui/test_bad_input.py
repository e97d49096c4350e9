"""Every bad input gives one message that names the thing and the remedy, and leaves everything as it was."""

import os
from dataclasses import replace

import bpy
import pytest

from blender_motiondiff import preferences
from blender_motiondiff.worker import boot, client
from tests.worker.test_boot import a_weights_folder, files
from tools import rigs

from .conftest import everything, new_clip, refused, straight_path

generate = bpy.ops.motiondiff.generate
generate_partner = bpy.ops.motiondiff.generate_partner


def test_no_clip(scene, worker):
    assert "There is no clip. Add one" in refused(generate)


def test_no_armature(solo, worker):
    solo.character_a = None
    assert "No armature is chosen as character A" in refused(generate)
    assert "No armature is chosen as character A" in refused(generate_partner)


def test_no_partner(solo, worker):
    assert "No armature is chosen as character B" in refused(generate_partner)


def test_the_same_armature_twice(duet, worker):
    duet.character_b = duet.character_a
    assert "Ann is both character A and character B" in refused(generate_partner)


def test_a_rig_without_a_bone_that_is_needed(solo, worker):
    bones = solo.character_a.data.bones
    bones["shin.L"].name = "leg piece"
    assert "shin.L" in refused(generate)


def test_a_rig_of_no_known_kind(solo, worker):
    data = bpy.data.armatures.new("Crane")
    crane = bpy.data.objects.new("Crane", data)
    bpy.context.collection.objects.link(crane)
    solo.character_a = crane
    bpy.context.view_layer.update()
    assert "Crane" in refused(generate)
    assert "Crane" in solo.rig_a


def test_no_path_and_no_keys(solo, worker):
    solo.path = None
    message = refused(generate)
    assert "Ann has no path and no keyed pose" in message and "Draw a path, or key a pose" in message


def test_a_path_of_no_length(solo, worker):
    solo.path = straight_path("Point", 0.0)
    assert "Point has no length" in refused(generate)


def test_a_path_of_no_points(solo, worker):
    solo.path = bpy.data.objects.new("Nothing", bpy.data.curves.new("Nothing", "CURVE"))
    bpy.context.collection.objects.link(solo.path)
    assert "Nothing has no length" in refused(generate)


@pytest.mark.parametrize("operator", [generate, generate_partner])
def test_a_clip_of_one_frame(duet, worker, operator):
    duet.frame_end = duet.frame_start
    assert "lasts one frame only" in refused(operator)


@pytest.mark.parametrize("operator", [generate, generate_partner])
def test_a_clip_that_ends_before_it_starts(duet, worker, operator):
    duet.frame_end = duet.frame_start - 5
    assert "before its start" in refused(operator)


def test_a_clip_that_is_too_long(solo, worker):
    solo.frame_end = 100000
    assert "Choose an end" in refused(generate)


def test_a_leader_without_animation(duet, worker):
    duet.character_a.animation_data_clear()
    assert "Ann has no animation that a partner could react to" in refused(generate_partner)


def test_bad_input_while_a_take_is_shown_keeps_it_shown(solo, worker):
    generate()
    solo.frame_end = solo.frame_start
    refused(generate)
    assert solo.shown == 0 and solo.character_a.animation_data.action == solo.results[0].action


def test_the_clips_of_a_newer_version(solo, worker):
    bpy.context.scene.motiondiff.schema += 1
    for operator in (generate, bpy.ops.motiondiff.clip_add, bpy.ops.motiondiff.clip_remove):
        assert "newer MotionDiff" in refused(operator)


# --- the worker -------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_settings(worker, monkeypatch):
    """A function that changes how the worker is started."""

    def change(**changes):
        settings = preferences.worker_settings()
        monkeypatch.setattr(preferences, "worker_settings", lambda: replace(settings, **changes))

    return change


@pytest.mark.parametrize("how", ["folder missing", "truncated", "altered", "missing"])
def test_weights_that_cant_be_used(solo, with_settings, tmp_path, how):
    folder = tmp_path / "weights"
    if how != "folder missing":
        a_weights_folder(folder)
        model = folder / files.MODEL
        content = model.read_bytes()
        model.unlink() if how == "missing" else model.write_bytes(content[:-9] if how == "truncated" else content[::-1])
    with_settings(boot=boot.__file__, weights=str(folder))
    message = refused(generate)
    assert str(folder) in message and ("missing" in message or "damaged" in message)
    assert "preferences" in message


def test_the_workers_python_is_missing(solo, with_settings, tmp_path):
    with_settings(python=str(tmp_path / "python"))
    message = refused(generate)
    assert str(tmp_path / "python") in message and "Preferences" in message


def test_the_worker_dies_midway_and_the_next_press_works(solo, worker, tmp_path):
    worker(dies_at=1)
    message = refused(generate)
    assert "ended unexpectedly (exit status 7)" in message and str(tmp_path / "worker.log") in message
    worker()
    assert generate() == {"FINISHED"}


def test_the_worker_dies_while_a_take_is_shown(duet, worker):
    generate_partner()
    worker(dies_at=1)
    refused(generate_partner)
    assert duet.character_b.animation_data.action == duet.results[0].action


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_the_workers_log(solo, with_settings):
    with_settings(log="/dev/full")
    assert generate() == {"FINISHED"}


def test_a_refusal_of_the_core(solo, worker):
    worker(refuses=True)
    assert "Ask for less" in refused(generate)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_failure_while_writing_leaves_no_action(solo, worker, monkeypatch):
    from blender_motiondiff.operators import landing
    from blender_motiondiff.scene.errors import SceneError

    solo.takes = 3
    generate()
    written = []

    def fails_at_the_second(*values):
        if written:
            raise SceneError("The second take can't be written.")
        written.append(own(*values))
        return written[0]

    own = landing.write_take
    monkeypatch.setattr(landing, "write_take", fails_at_the_second)
    assert "can't be written" in refused(generate)


@pytest.mark.parametrize("baked", [False, True])
def test_a_failure_while_showing_goes_all_the_way_back(duet, worker, monkeypatch, baked):
    from blender_motiondiff.operators import landing
    from blender_motiondiff.scene.errors import SceneError

    generate_partner()
    if baked:
        bpy.ops.motiondiff.bake()
    shown = []

    def fails_once(clip, action):
        own(clip, action)
        if not shown:
            shown.append(action)
            raise SceneError("It can't be shown.")

    own = landing.nla.show
    monkeypatch.setattr(landing.nla, "show", fails_once)
    assert "It can't be shown" in refused(generate_partner)


# --- a scene that changes while the worker is busy --------------------------------------------------------------------


def half_way(clip, change):
    """Reads, lets the worker generate, changes the scene, and lands. Returns the error of landing."""
    from blender_motiondiff.operators import landing
    from blender_motiondiff.scene import read
    from blender_motiondiff.worker import job

    scene = bpy.context.scene
    target = landing.target_of(scene, clip)
    work = job.begin(client.warm(preferences.worker_settings()), read.read_generate(scene, clip))
    work.wait()
    change()
    before = everything()
    with pytest.raises(landing.SceneError) as caught:
        landing.find(bpy.data.scenes, target)
    assert everything() == before
    return str(caught.value)


def test_another_file_meanwhile(solo, worker):
    assert "is gone" in half_way(solo, lambda: bpy.ops.wm.read_homefile(use_empty=True))


def test_the_scene_deleted_meanwhile(solo, worker):
    def delete():
        scene = bpy.context.scene
        bpy.context.window.scene = bpy.data.scenes.new("Other")
        bpy.data.scenes.remove(scene)

    assert "is gone" in half_way(solo, delete)


def test_the_clip_removed_meanwhile(solo, worker):
    assert "is gone" in half_way(solo, bpy.context.scene.motiondiff.clips.clear)


@pytest.mark.parametrize("name, value", [("frame_end", 77), ("character_a", None), ("ground", 0.5)])
def test_the_clip_changed_meanwhile(solo, worker, name, value):
    assert "was changed" in half_way(solo, lambda: setattr(solo, name, value))


def test_a_character_deleted_meanwhile(solo, worker):
    assert "was changed" in half_way(solo, lambda: bpy.data.objects.remove(solo.character_a))


def test_a_clip_that_moved_in_the_list_is_found_again(solo, worker):
    from blender_motiondiff.operators import landing

    scene = bpy.context.scene
    target = landing.target_of(scene, solo)
    new_clip().name = "Second"
    scene.motiondiff.clips.move(0, 1)
    assert landing.find(bpy.data.scenes, target)[1].name == "Clip"


def test_a_clip_renamed_meanwhile_is_found_by_its_place(solo, worker):
    from blender_motiondiff.operators import landing

    scene = bpy.context.scene
    target = landing.target_of(scene, solo)
    solo.name = "Waltz"
    assert landing.find(bpy.data.scenes, target)[1].name == "Waltz"


def test_a_failure_after_the_shown_action_was_deleted(solo, worker, monkeypatch):
    """Going back has nothing to show then, and must not stumble over it."""
    from blender_motiondiff.operators import landing
    from blender_motiondiff.scene.errors import SceneError

    generate()
    bpy.data.actions.remove(solo.results[0].action)

    def fails(*_):
        raise SceneError("It can't be shown.")

    monkeypatch.setattr(landing.nla, "show", fails)
    with pytest.raises(RuntimeError, match="It can't be shown"):
        generate()
    assert len(bpy.data.actions) == 0 and len(solo.results) == 1


def test_a_mixamo_rig_is_recognised_when_chosen(scene):
    clip = new_clip(character_a=rigs.mixamo("Max"))
    assert clip.rig_a.startswith("Mixamo")
