import time

import bpy
import numpy as np
import pytest

from blender_motiondiff.core.motion import FPS, resample
from blender_motiondiff.core.request import Take
from blender_motiondiff.scene import retarget, slots, write
from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.rig_maps import map_rig
from tests.scene.dump import bag_dump, dump
from tests.scene.made import dance, dancer, errors, take
from tools import rigs


def body(armature):
    return retarget.body_of(armature, map_rig(armature))


def richly_animated(armature):
    """Curves that no retargeting would give back: handles, easing, modifiers, custom properties, another slot."""
    action, slot = armature.animation_data.action, armature.animation_data.action_slot
    bag = slots.channelbag(action, slot)
    armature["switch"] = 0.5
    for path, index in (('["switch"]', 0), ('pose.bones["mixamorig:LeftHand"].scale', 1), ("location", 2)):
        curve = bag.fcurves.new(path, index=index)
        for frame in (5, 20.25, 60):
            point = curve.keyframe_points.insert(frame, frame / 7)
            point.interpolation, point.easing, point.back = "BACK", "EASE_IN_OUT", 2.5
            point.handle_left_type, point.handle_right_type = "FREE", "ALIGNED"
            point.handle_left = (frame - 3, 1.5)
            point.type = "BREAKDOWN"
        curve.extrapolation = "LINEAR"
        noise = curve.modifiers.new("NOISE")
        noise.strength, noise.scale, noise.blend_in = 0.1, 7.0, 3.0
        curve.modifiers.new("LIMITS").use_max_y = True
        curve.lock = index == 1
        curve.mute = index == 2
        curve.group = bag.groups.get("Extra") or bag.groups.new("Extra")
    other = action.slots.new(id_type="OBJECT", name="Somebody else")
    action.layers[0].strips[0].channelbag(other, ensure=True).fcurves.new("location", index=0)
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 500


@pytest.fixture
def couple(scene, clip):
    clip.character_a, clip.character_b = dancer(scene), rigs.metarig("Bob", location=(2, 0, 0), turn=1.0)
    return clip.character_a, clip.character_b


def test_one_action_with_a_slot_each(scene, clip, couple):
    leader, follower = couple
    own = dance(body(follower), 60, seed=9)
    before = dump(without_users=True)
    action = write.write_take(scene, clip, couple, take(dance(body(leader), 60), own), "Duet take 1")
    after = dump(without_users=True)
    assert after["actions"].pop(action.name) and after["counts"].pop("actions") == before["counts"].pop("actions") + 1
    assert after == before
    assert action.name == "Duet take 1" and len(action.layers) == 1 and len(action.layers[0].strips) == 1
    assert [s.identifier for s in action.slots] == ["OBLeader", "OBBob"]
    assert [slots.slot_of(action, role).name_display for role in ("a", "b")] == ["Leader", "Bob"]
    bag = slots.channelbag(action, action.slots[1])
    for curve in bag.fcurves:
        assert [p.co[0] for p in curve.keyframe_points] == list(range(11, 52))
        assert curve.group.name == curve.data_path.split('"')[1]


def test_the_motion_is_what_the_take_says(scene, clip, couple):
    scene.render.fps = 25
    clip.ground = -0.3
    follower = couple[1]
    own = dance(body(follower), 49, seed=9)
    uneven = np.sort(np.concatenate([[0, 1.6], np.random.default_rng(0).uniform(0, 1.6, 47)]))
    action = write.write_take(scene, clip, couple, Take((own, own), uneven, np.zeros((2, 49, 4))), "Take")
    data = follower.animation_data_create()
    data.action, data.action_slot = action, slots.slot_of(action, "b")
    got = retarget.read_motion(follower, map_rig(follower), scene, np.arange(11, 52), -0.3)
    far, angle = errors(got, resample(own, np.arange(41) / 25, own_times=uneven))
    assert far < 1e-4 and angle < 0.02


def test_a_leaders_slot_is_a_verbatim_copy(scene, clip, couple):
    leader = couple[0]
    richly_animated(leader)
    data = leader.animation_data
    before = bag_dump(data.action, data.action_slot)
    own = dump()["actions"][data.action.name]
    action = write.write_take(scene, clip, couple, take(dance(body(leader)), dance(body(couple[1]))), "Take")
    assert bag_dump(action, slots.slot_of(action, "a")) == before
    assert dump()["actions"][data.action.name] == own
    assert [s.name_display for s in action.slots] == ["Leader", "Bob"]
    assert not action.use_frame_range and not action.use_fake_user


def test_a_leader_without_an_action_gets_no_slot(scene, clip, couple):
    leader = couple[0]
    data = leader.animation_data
    action, slot = data.action, data.action_slot
    data.action = None
    strip = data.nla_tracks.new().strips.new("own", 11, action)
    strip.action_slot, strip.influence = slot, 1.0
    new = write.write_take(scene, clip, couple, take(dance(body(leader)), dance(body(couple[1]))), "Take")
    assert [s.name_display for s in new.slots] == ["Bob"]
    assert slots.slot_of(new, "a") is None and slots.slot_of(new, "b") is not None


def test_what_a_take_does_not_move_goes_on_as_the_users_action_says(scene, clip, couple):
    """Fingers and properties of the partner: the same curves to the last handle; nothing of mapped bones."""
    follower = couple[1]
    follower["smile"] = 0.0
    follower.keyframe_insert('["smile"]', frame=12)
    for path, frame in (("rotation_quaternion", 15.5), ("scale", 30)):
        follower.pose.bones["f_index.01.L"].keyframe_insert(path, frame=frame)
    for name in ("thigh.L", "spine.005", "spine"):  # mapped, between mapped ones, hips
        follower.pose.bones[name].keyframe_insert("rotation_quaternion", frame=20)
        follower.pose.bones[name].keyframe_insert("scale", frame=20)
    follower.keyframe_insert("location", frame=20)
    data = follower.animation_data
    own = slots.channelbag(data.action, data.action_slot)
    curve = own.fcurves.find('["smile"]')
    for kind in ("NOISE", "GENERATOR", "ENVELOPE", "STEPPED", "LIMITS"):
        modifier = curve.modifiers.new(kind)
        modifier.mute, modifier.influence, modifier.use_influence = kind == "STEPPED", 0.25, True
        if kind == "GENERATOR":
            modifier.poly_order = 2
            modifier.coefficients = (0.5, 1.5, 2.5)
        if kind == "ENVELOPE":
            for frame in (5, 9):
                modifier.control_points.add(frame).max = frame
    curve.keyframe_points[0].handle_right = (17, 3)
    action = write.write_take(scene, clip, couple, take(dance(body(couple[0]), 60), dance(body(follower), 60)), "Take")
    (before,) = bag_dump(data.action, data.action_slot)
    (after,) = bag_dump(action, slots.slot_of(action, "b"))
    mapped = set(map_rig(follower).bones.values())
    others = [c for c in after if '"' in c["data_path"] and c["data_path"].split('"')[1] not in mapped]
    kept = ('["smile"]', 'pose.bones["f_index.01.L"]')
    assert others == [c for c in before if c["data_path"].startswith(kept)] and len(others) == 8
    assert not [c for c in after if c["data_path"] in ("location", "scale") or c["data_path"].endswith(".scale")][3:]


def test_a_partner_that_is_carried_stays_where_the_take_says(scene, clip, couple):
    carrier = bpy.data.objects.new("Carrier", None)
    scene.collection.objects.link(carrier)
    for frame, x in ((1, 0.0), (61, 4.0)):
        carrier.location[0] = x
        carrier.keyframe_insert("location", frame=frame)
    follower = couple[1]
    follower.parent = carrier
    scene.frame_set(7)
    own = dance(body(follower), 60, seed=9)
    before = dump(without_users=True)
    action = write.write_take(scene, clip, couple, take(dance(body(couple[0]), 60), own), "Take")
    after = dump(without_users=True)
    assert after["objects"] == before["objects"] and after["scenes"] == before["scenes"]
    data = follower.animation_data_create()
    data.action, data.action_slot = action, slots.slot_of(action, "b")
    got = retarget.read_motion(follower, map_rig(follower), scene, np.arange(11, 52))
    assert errors(got, resample(own, np.arange(41) / 24))[0] < 1e-3


def test_bones_that_are_not_mapped_get_no_curves(scene, clip):
    clip.character_a = rigs.metarig("Bob")
    action = write.write_take(scene, clip, (clip.character_a,), take(dance(body(clip.character_a))), "Take")
    curves = slots.channelbag(action, slots.slot_of(action, "a")).fcurves
    bones = {curve.data_path.split('"')[1] for curve in curves}
    assert bones == set(map_rig(clip.character_a).bones.values())
    assert not any(curve.data_path.endswith("scale") for curve in curves)


def test_nothing_is_left_when_writing_fails(scene, clip, couple):
    bpy.context.view_layer.objects.active = couple[1]
    bpy.ops.object.mode_set(mode="EDIT")
    couple[1].data.edit_bones.remove(couple[1].data.edit_bones["hand.L"])
    bpy.ops.object.mode_set(mode="OBJECT")
    before = dump()
    with pytest.raises(SceneError, match=r"Bob .* no bone named hand\.L"):
        write.write_take(scene, clip, couple, take(*[dance(body(couple[0]))] * 2), "Take")
    assert dump() == before


def test_names_stay_apart(scene, clip, couple):
    both = take(dance(body(couple[0])), dance(body(couple[1])))
    names = {write.write_take(scene, clip, couple, both, "Take").name for _ in range(3)}
    assert len(names) == 3


def test_writing_is_fast(scene, clip, couple):
    clip.frame_end = clip.frame_start + 20 * 60
    long = int(20 * 60 / 24 * FPS)
    start = time.process_time()
    write.write_take(scene, clip, couple, take(dance(body(couple[0]), long), dance(body(couple[1]), long)), "Take")
    assert time.process_time() - start < 5.0
