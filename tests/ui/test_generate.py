"""Generate and Generate Partner: what they leave on the characters."""

import json

import bpy
import pytest

from .conftest import everything, keyed


def own_slot(ob):
    return ob.animation_data.action_slot.name_display


def test_generate_shows_the_first_of_its_takes(solo, worker):
    solo.takes = 3
    assert bpy.ops.motiondiff.generate() == {"FINISHED"}
    ann = solo.character_a
    assert [item.name for item in solo.results] == ["Take 1", "Take 2", "Take 3"]
    assert [item.action.name for item in solo.results] == ["Clip take 1", "Clip take 2", "Clip take 3"]
    assert solo.shown == 0 and not solo.accepted and not solo.baked
    assert ann.animation_data.action == solo.results[0].action and own_slot(ann) == "Ann"
    report = json.loads(solo.results[1].report)
    assert report["number"] == 1 and report["worker_peak_mb"] > 10
    assert {"read", "load", "worker", "made up"} == set(report["seconds"])


def test_the_frame_the_rate_and_the_selection_stay(solo, worker):
    scene = bpy.context.scene
    scene.frame_set(7, subframe=0.25)
    scene.render.fps = 24
    before = everything()["scenes"]
    bpy.ops.motiondiff.generate()
    assert everything()["scenes"] == before


def test_a_path_that_bends_for_a_key_is_spoken_of(solo, worker, capfd):
    worker(bent_cm=[0.0, -12.3])
    bpy.ops.motiondiff.generate()
    assert "The path of Ann bends by up to 12 cm" in capfd.readouterr().out
    worker(bent_cm=[0.2])
    bpy.ops.motiondiff.generate()
    assert "bends" not in capfd.readouterr().out


def test_generating_again_replaces_the_takes_and_leaves_no_orphan(solo, worker):
    ann = solo.character_a
    mine = keyed(ann, "spine.001", (5, 15))
    for seed in (1, 2, 3):
        solo.seed = seed
        bpy.ops.motiondiff.generate()
    assert [a.name for a in bpy.data.actions] == [mine.name, "Clip take 1"]
    assert solo.previous[0].action == mine
    bpy.ops.motiondiff.reject()
    assert [a.name for a in bpy.data.actions] == [mine.name]
    assert ann.animation_data.action == mine


def test_reject_gives_everything_back(duet, worker):
    duet.takes = 2
    before = everything()
    bpy.ops.motiondiff.generate_partner()
    assert everything() != before
    bpy.ops.motiondiff.reject()
    assert everything() == before


def test_bake_and_restore_give_everything_but_the_takes_back(duet, worker):
    before = everything()
    bpy.ops.motiondiff.generate_partner()
    bpy.ops.motiondiff.bake()
    assert duet.baked
    for ob in (duet.character_a, duet.character_b):
        assert ob.animation_data.action is None
        assert [s.action for t in ob.animation_data.nla_tracks for s in t.strips] == [duet.results[0].action]
    bpy.ops.motiondiff.restore()
    after = everything()
    assert after["objects"] == before["objects"]
    assert len(duet.results) == 1 and duet.shown == -1


def test_bake_and_restore_outlive_the_file(duet, worker, tmp_path):
    before = everything()
    bpy.ops.motiondiff.generate_partner()
    bpy.ops.motiondiff.accept()
    bpy.ops.motiondiff.bake()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "duet.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "duet.blend"))
    assert "AnnAction" in bpy.data.actions
    assert bpy.ops.motiondiff.restore() == {"FINISHED"}
    assert everything()["objects"] == before["objects"]


def test_takes_are_shown_in_turn_and_accept_keeps_the_shown_one(solo, worker):
    solo.takes = 3
    bpy.ops.motiondiff.generate()
    actions = [item.action for item in solo.results]
    bpy.ops.motiondiff.take_show(step=-1)
    assert solo.shown == 2 and solo.character_a.animation_data.action == actions[2]
    bpy.ops.motiondiff.take_show(step=1)
    bpy.ops.motiondiff.take_show(step=1)
    assert solo.shown == 1 and solo.character_a.animation_data.action == actions[1]
    bpy.ops.motiondiff.accept()
    assert [item.name for item in solo.results] == ["Take 2"] and solo.accepted and solo.shown == 0
    assert len(bpy.data.actions) == 1
    with pytest.raises(RuntimeError, match="accepted already"):
        bpy.ops.motiondiff.accept()


def test_a_take_that_the_user_holds_on_to_is_not_removed(solo, worker):
    solo.takes = 2
    bpy.ops.motiondiff.generate()
    solo.results[1].action.use_fake_user = True
    kept = solo.results[1].action.name
    bpy.ops.motiondiff.reject()
    assert kept in bpy.data.actions


def test_keys_made_on_a_shown_take_survive_accepting_it(solo, worker):
    bpy.ops.motiondiff.generate()
    ann = solo.character_a
    ann.pose.bones["face"].keyframe_insert("location", frame=9)
    bpy.ops.motiondiff.accept()
    bpy.ops.motiondiff.bake()
    action = solo.results[0].action
    bag = action.layers[0].strips[0].channelbag(action.slots[0])
    assert bag.fcurves.find('pose.bones["face"].location', index=0) is not None


def test_the_partner_reacts_to_a_take_of_a_and_rejecting_it_leaves_that_take(solo, worker):
    solo.character_b = bpy.data.objects["Ann"].copy()
    bpy.context.collection.objects.link(solo.character_b)
    solo.takes = 2
    bpy.ops.motiondiff.generate()
    bpy.ops.motiondiff.take_show(step=1)
    take = solo.results[1].action
    for seed in (1, 2):
        solo.seed = seed
        assert bpy.ops.motiondiff.generate_partner() == {"FINISHED"}
        assert solo.leader == take
        assert solo.character_b.animation_data.action == solo.results[0].action
        assert solo.character_a.animation_data.action == solo.results[0].action
    bpy.ops.motiondiff.reject()
    assert [item.action for item in solo.results] == [take]
    assert solo.character_a.animation_data.action == take and solo.accepted and solo.leader is None
    assert solo.character_b.animation_data is None
    bpy.ops.motiondiff.reject()
    assert len(bpy.data.actions) == 0 and solo.character_a.animation_data is None


def test_generating_a_again_lets_go_of_the_partner(solo, worker):
    solo.character_b = bpy.data.objects["Ann"].copy()
    bpy.context.collection.objects.link(solo.character_b)
    bpy.ops.motiondiff.generate()
    bpy.ops.motiondiff.generate_partner()
    bpy.ops.motiondiff.generate()
    assert solo.character_b.animation_data is None and solo.leader is None
    assert len(bpy.data.actions) == 1


def test_generating_for_a_baked_clip_shows_the_new_take_instead(duet, worker):
    bpy.ops.motiondiff.generate_partner()
    bpy.ops.motiondiff.bake()
    duet.seed = 9
    assert bpy.ops.motiondiff.generate_partner() == {"FINISHED"}
    assert not duet.baked
    for ob in (duet.character_a, duet.character_b):
        assert len(ob.animation_data.nla_tracks) == 0
        assert ob.animation_data.action == duet.results[0].action
    assert sorted(a.name for a in bpy.data.actions) == ["AnnAction", "Clip take 1"]


def test_two_clips_do_not_touch_each_other(solo, worker):
    from tools import rigs

    from .conftest import new_clip, straight_path

    first = solo.character_a
    bpy.ops.motiondiff.generate()
    second = new_clip(character_a=rigs.metarig("Cleo"), path=straight_path())
    second.name = "Other"
    bpy.ops.motiondiff.generate()
    assert first.animation_data.action.name == "Clip take 1"
    assert bpy.data.objects["Cleo"].animation_data.action.name == "Other take 1"
