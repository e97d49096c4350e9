import bpy
import numpy as np
import pytest

from blender_motiondiff.ids import SCENE_PROPERTY
from blender_motiondiff.scene import nla, read, retarget, slots, write
from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.rig_maps import map_rig
from tests.scene.dump import dump
from tests.scene.made import dance, dancer, errors, perform, take
from tests.scene.test_write import richly_animated
from tools import rigs

FRAMES = np.arange(11, 52)


def body(armature):
    return retarget.body_of(armature, map_rig(armature))


def motion_of(scene, armature, frames=FRAMES):
    return retarget.read_motion(armature, map_rig(armature), scene, frames)


@pytest.fixture
def couple(scene, clip):
    """A leader with rich curves and settings of its own, and a follower that has an action and a user's NLA track."""
    leader, follower = dancer(scene), rigs.metarig("Bob", location=(2, 0, 0), turn=1.0)
    clip.character_a, clip.character_b = leader, follower
    richly_animated(leader)
    data = leader.animation_data
    data.action_blend_type, data.action_extrapolation, data.action_influence = "COMBINE", "HOLD_FORWARD", 0.875
    data.action_blend_type = "REPLACE"
    own = perform(scene, follower, dance(body(follower), 5, seed=8), np.arange(20, 25))
    data = follower.animation_data
    strip = data.nla_tracks.new().strips.new("mine", 100, own)
    strip.action_slot, strip.influence = data.action_slot, 0.5
    data.nla_tracks[0].name = "User's"
    follower.pose.bones["head" if "head" in follower.pose.bones else "spine.006"].scale = (1, 1.5, 1)
    scene.frame_set(30, subframe=0.5)
    return leader, follower


def generate(scene, clip, seed=20, count=1):
    """Takes as generating leaves them: actions in the clip's results."""
    pair = (clip.character_a, clip.character_b)
    for i in range(count):
        moves = take(dance(body(pair[0]), 60), dance(body(pair[1]), 60, seed=seed + i))
        item = clip.results.add()
        item.action = write.write_take(scene, clip, pair, moves, f"{clip.name} take {i + 1}")
        item.name = f"Take {i + 1}"
    clip.shown = 0


def wanted(clip, seed=20):
    follower = clip.character_b
    from blender_motiondiff.core.motion import resample

    return resample(dance(body(follower), 60, seed=seed), np.arange(41) / 24)


def test_shown_takes_play(scene, clip, couple):
    generate(scene, clip, count=2)
    leaders = motion_of(scene, couple[0])
    for i, seed in ((0, 20), (1, 21)):
        assert nla.show(clip, clip.results[i].action) == []
        assert errors(motion_of(scene, couple[1]), wanted(clip, seed))[0] < 1e-3
        assert errors(motion_of(scene, couple[0]), leaders)[0] < 1e-5
        for armature in couple:
            assert armature.animation_data.action == clip.results[i].action
            assert armature.animation_data.action_slot.name_display == armature.name
    assert len(clip.previous) == 2


@pytest.mark.parametrize("steps", ["show", "bake", "show bake", "bake show", "bake bake"])
def test_reject_gives_everything_back(scene, clip, couple, steps):
    before = dump()
    generate(scene, clip, count=2)
    for step in steps.split():
        if step == "show":
            nla.show(clip, clip.results[1].action)
        else:
            nla.bake(scene, clip)
        scene.frame_set(44)
    scene.frame_set(30, subframe=0.5)
    assert nla.reject(clip) == []
    assert dump() == before
    assert (len(clip.results), len(clip.previous), clip.shown, clip.baked) == (0, 0, -1, False)


def test_baked_strips(scene, clip, couple):
    generate(scene, clip)
    leader, follower = couple
    leaders = motion_of(scene, leader, np.arange(1, 80))
    assert nla.bake(scene, clip) == []
    for armature, span in ((leader, (5, 60)), (follower, (11, 51))):
        data = armature.animation_data
        assert data.action is None
        track = data.nla_tracks[-1]
        (strip,) = track.strips
        assert track.name == "MotionDiff: Duet" and not track.mute and not track.is_solo
        assert strip.action == clip.results[0].action and strip.action_slot.name_display == armature.name
        assert (strip.frame_start, strip.frame_end) == span
        assert (strip.action_frame_start, strip.action_frame_end, strip.scale, strip.repeat) == (*span, 1.0, 1.0)
        assert (strip.influence, strip.blend_type, strip.mute, strip.use_reverse) == (1.0, "REPLACE", False, False)
    assert errors(motion_of(scene, follower), wanted(clip))[0] < 1e-3
    got = motion_of(scene, leader, np.arange(1, 80))
    assert errors(got, leaders)[0] < 1e-4  # before, in and after the clip
    assert [t.name for t in follower.animation_data.nla_tracks] == ["User's", "MotionDiff: Duet"]


def test_what_lies_below_plays_outside_the_clip(scene, clip, couple):
    follower = couple[1]
    generate(scene, clip)
    follower.animation_data.action = None
    outside = motion_of(scene, follower, [102.0, 103.0])
    nla.bake(scene, clip)
    assert errors(motion_of(scene, follower, [102.0, 103.0]), outside)[0] < 1e-5


def test_restore_after_save_and_reopen(scene, clip, couple, tmp_path):
    before = dump()
    generate(scene, clip)
    nla.show(clip, clip.results[0].action)
    nla.bake(scene, clip)
    own = [state.action.name for state in clip.previous]
    for round in ("once", "twice"):
        path = str(tmp_path / f"{round}.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path)
        bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    clip = getattr(scene, SCENE_PROPERTY).clips[0]
    assert all(name in bpy.data.actions for name in own)  # nothing but our record used them
    assert errors(motion_of(scene, bpy.data.objects["Bob"]), wanted(clip))[0] < 1e-3
    assert nla.reject(clip) == []
    assert dump() == before


def test_an_unbound_slot_stays_unbound(scene, clip, couple):
    couple[1].animation_data.action_slot = None
    bpy.context.view_layer.update()
    before = dump()
    generate(scene, clip)
    nla.bake(scene, clip)
    nla.reject(clip)
    assert dump() == before


def test_armatures_without_animation_data(scene, clip):
    clip.character_a = rigs.mixamo("Ann")
    before = dump()
    item = clip.results.add()
    item.action = write.write_take(scene, clip, (clip.character_a,), take(dance(body(clip.character_a))), "Take")
    clip.shown = 0
    nla.show(clip, item.action)
    nla.bake(scene, clip)
    assert clip.character_a.animation_data.nla_tracks[0].strips[0].extrapolation == "HOLD"
    nla.reject(clip)
    assert dump() == before and clip.character_a.animation_data is None


def test_muted_and_soloed_tracks_stay_and_solo_is_reported(scene, clip, couple):
    track = couple[1].animation_data.nla_tracks[0]
    track.mute = True
    generate(scene, clip)
    before = dump(without_users=True)["objects"]["Bob"]["animation"]["tracks"][0]
    assert nla.bake(scene, clip) == []
    assert errors(motion_of(scene, couple[1]), wanted(clip))[0] < 1e-3
    nla.restore(clip)
    track = couple[1].animation_data.nla_tracks[0]
    track.is_solo = True
    (warning,) = nla.bake(scene, clip)
    assert "User's of Bob is soloed" in warning
    track = couple[1].animation_data.nla_tracks[0]
    assert track.is_solo and track.mute
    track.is_solo = False
    assert dump(without_users=True)["objects"]["Bob"]["animation"]["tracks"][0] == before


def test_an_nla_that_is_switched_off_is_reported(scene, clip, couple):
    couple[1].animation_data.use_nla = False
    generate(scene, clip)
    (warning,) = nla.bake(scene, clip)
    assert "NLA of Bob is switched off" in warning


def test_tweak_mode_is_refused_before_anything_changes(scene, clip, couple):
    generate(scene, clip)
    data = couple[1].animation_data
    data.action = None
    data.nla_tracks[0].strips[0].select = True
    data.nla_tracks.active = data.nla_tracks[0]
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    before = dump()
    with pytest.raises(SceneError, match="strip of Bob is being tweaked"):
        nla.bake(scene, clip)
    assert dump() == before


def test_restore_waits_until_tweak_mode_is_left(scene, clip, couple):
    before = dump()
    generate(scene, clip)
    nla.bake(scene, clip)
    data = couple[1].animation_data
    data.nla_tracks.active = data.nla_tracks[-1]
    data.nla_tracks[-1].strips[0].select = True
    data.use_tweak_mode = True
    assert data.use_tweak_mode
    with pytest.raises(SceneError, match="strip of Bob is being tweaked"):
        nla.restore(clip)
    assert len(data.nla_tracks) == 2 and len(clip.previous) == 2
    data.use_tweak_mode = False
    nla.reject(clip)
    assert dump() == before


def test_a_deleted_armature_or_action_is_no_obstacle(scene, clip, couple):
    generate(scene, clip)
    nla.bake(scene, clip)
    bpy.data.objects.remove(couple[0])
    bpy.data.actions.remove(bpy.data.actions["Bob own"])
    assert nla.reject(clip) == []
    data = bpy.data.objects["Bob"].animation_data
    assert data.action is None and [t.name for t in data.nla_tracks] == ["User's"]
    assert not [a for a in bpy.data.actions if a.name.startswith("Duet")]


def test_an_action_assigned_since_is_kept(scene, clip, couple):
    generate(scene, clip)
    nla.bake(scene, clip)
    newer = bpy.data.actions.new("Newer")
    couple[1].animation_data.action = newer
    (warning,) = nla.restore(clip)
    assert "Bob keeps Newer" in warning
    assert couple[1].animation_data.action == newer and bpy.data.actions["Bob own"].use_fake_user


def test_strips_and_tracks_that_the_user_renamed_or_filled(scene, clip, couple):
    generate(scene, clip)
    nla.bake(scene, clip)
    track = couple[1].animation_data.nla_tracks[-1]
    track.name, track.strips[0].name = "Mine now", "Renamed"
    track.strips.new("extra", 300, bpy.data.actions["Leader own"])
    nla.restore(clip)
    tracks = couple[1].animation_data.nla_tracks
    assert [(t.name, [s.name for s in t.strips]) for t in tracks] == [("User's", ["mine"]), ("Mine now", ["extra"])]


def test_without_takes_there_is_nothing_to_bake(scene, clip, couple):
    before = dump()
    with pytest.raises(SceneError, match="Duet has no takes"):
        nla.bake(scene, clip)
    generate(scene, clip)
    bpy.data.actions.remove(clip.results[0].action)
    with pytest.raises(SceneError, match="was deleted"):
        nla.bake(scene, clip)
    clip.results.clear()
    clip.shown = -1
    assert dump() == before


def test_a_partner_can_follow_a_baked_take(scene, clip):
    """A is generated, baked, and then leads: its slot is a copy of the take that moves it."""
    clip.character_a, clip.character_b = rigs.mixamo("Ann"), rigs.metarig("Bob")
    item = clip.results.add()
    item.action = write.write_take(scene, clip, (clip.character_a,), take(dance(body(clip.character_a), 60)), "Solo")
    nla.show(clip, item.action)
    nla.bake(scene, clip)
    request = read.read_partner(scene, clip)
    assert errors(request.characters[0].motion, motion_of(scene, clip.character_a, 11 + np.arange(51) * 0.8))[0] < 1e-6
    pair = (clip.character_a, clip.character_b)
    both = take(request.characters[0].motion, dance(body(clip.character_b), 51))
    action = write.write_take(scene, clip, pair, both, "Duet")
    assert [s.name_display for s in action.slots] == ["Ann", "Bob"]
    assert slots.is_copied(action, slots.slot_of(action, "a"))


def test_two_clips_on_one_character_one_after_the_other(scene, clip, couple):
    before = dump()
    generate(scene, clip)
    nla.bake(scene, clip)
    second = getattr(scene, SCENE_PROPERTY).clips.add()
    clip = getattr(scene, SCENE_PROPERTY).clips[0]  # adding moves the others
    second.name, second.frame_start, second.frame_end = "Second", 60, 100
    second.character_a, second.character_b = couple
    generate(scene, second, seed=40)
    nla.bake(scene, second)
    assert errors(motion_of(scene, couple[1]), wanted(clip))[0] < 1e-3
    assert errors(motion_of(scene, couple[1], FRAMES + 49), wanted(second, 40))[0] < 1e-3
    nla.reject(second)
    assert errors(motion_of(scene, couple[1]), wanted(clip))[0] < 1e-3
    nla.reject(clip)
    assert dump() == before


def linked_file(tmp_path, scene):
    armature = rigs.metarig("Bob")
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {armature})
    bpy.data.objects.remove(armature)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    with bpy.data.libraries.load(path, link=True) as (_, into):
        into.objects = ["Bob"]
    linked = into.objects[0]
    scene.collection.objects.link(linked)
    bpy.context.view_layer.update()
    return linked


def test_a_linked_partner_is_refused_by_name_and_an_overridden_one_works(scene, clip, tmp_path):
    clip.character_a = dancer(scene)
    clip.character_b = linked_file(tmp_path, scene)
    before = dump()
    with pytest.raises(SceneError, match=r"Bob is linked from another file\. Make a library override"):
        read.read_partner(scene, clip)
    assert dump() == before
    clip.character_b = clip.character_b.override_create(remap_local_usages=True)
    scene.view_layers[0].update()
    assert clip.character_b.library is None and clip.character_b.override_library is not None
    before = dump()
    read.read_partner(scene, clip)
    generate(scene, clip)
    nla.show(clip, clip.results[0].action)
    assert errors(motion_of(scene, clip.character_b), wanted(clip))[0] < 1e-3
    nla.bake(scene, clip)
    assert errors(motion_of(scene, clip.character_b), wanted(clip))[0] < 1e-3
    nla.reject(clip)
    assert dump() == before


def test_a_linked_leader_keeps_its_own_animation(scene, clip, tmp_path):
    leader = dancer(scene, "Bob")
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {leader})
    bpy.data.objects.remove(leader)
    bpy.ops.outliner.orphans_purge(do_recursive=True)
    with bpy.data.libraries.load(path, link=True) as (_, into):
        into.objects = ["Bob"]
    scene.collection.objects.link(into.objects[0])
    clip.character_a, clip.character_b = into.objects[0], rigs.metarig("Partner")
    bpy.context.view_layer.update()
    read.read_partner(scene, clip)
    before = motion_of(scene, clip.character_a)
    generate(scene, clip)
    nla.bake(scene, clip)
    assert errors(motion_of(scene, clip.character_a), before)[0] < 1e-6
    assert clip.character_a.animation_data.action is not None
    assert errors(motion_of(scene, clip.character_b), wanted(clip))[0] < 1e-3


def test_undo_of_bake(scene, clip, couple):
    generate(scene, clip)
    nla.show(clip, clip.results[0].action)
    bpy.ops.ed.undo_push(message="shown")
    before = dump()
    nla.bake(scene, clip)
    bpy.ops.ed.undo_push(message="baked")
    if bpy.ops.ed.undo.poll():
        bpy.ops.ed.undo()
    assert dump() == before
    clip = getattr(bpy.context.scene, SCENE_PROPERTY).clips[0]
    nla.bake(bpy.context.scene, clip)
    assert clip.character_b.animation_data.nla_tracks[-1].strips[0].action_slot is not None
