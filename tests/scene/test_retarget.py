import bpy
import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import Motion, global_rotations, positions
from blender_motiondiff.core.skeleton import INDEX, REFERENCE_LEG
from blender_motiondiff.scene import retarget
from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.rest import rest_of
from blender_motiondiff.scene.rig_maps import map_rig
from tests.scene.made import dance, errors, perform
from tools import rigs

FRAMES = np.arange(11, 52)
LEGS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "foot")]


def there_and_back(scene, armature, motion=None, frames=FRAMES, ground=0.25):
    """Errors (metres, degrees) of a motion given to a rig in Blender and read from it again, as a share of its size."""
    rig_map = map_rig(armature)
    body = retarget.body_of(armature, rig_map)
    wanted = dance(body, len(frames), place=(3.0, -2.0)) if motion is None else motion
    perform(scene, armature, wanted, frames, ground)
    got = retarget.read_motion(armature, rig_map, scene, frames, ground)
    far, angle = errors(wanted, got)
    return far / body.size, angle


def evaluated_heads(scene, armature, rig_map, frame):
    scene.frame_set(frame)
    pose = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose
    return {j: np.array(armature.matrix_world @ pose.bones[b].head) for j, b in rig_map.bones.items()}


@pytest.mark.parametrize("where", [{}, {"location": (5.0, -3.0, 1.0), "turn": np.pi}, {"turn": 2.0, "size": 0.3}])
@pytest.mark.parametrize("make", [rigs.mixamo, rigs.metarig])
def test_there_and_back(scene, make, where):
    far, angle = there_and_back(scene, make(**where))
    assert far < 1e-4 and angle < 0.02


def test_there_and_back_under_a_moved_parent(scene):
    parent = bpy.data.objects.new("Carrier", None)
    scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler, parent.scale = (1, 2, 3), (0.2, 0.1, 2.0), (3, 3, 3)
    armature = rigs.metarig(turn=1.0)
    armature.parent = parent
    bpy.context.view_layer.update()
    assert retarget.body_of(armature, map_rig(armature)).leg > 2.5
    far, angle = there_and_back(scene, armature)
    assert far < 1e-4 and angle < 0.02


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZXY", "YXZ"])
def test_there_and_back_in_every_rotation_mode(scene, mode):
    armature = rigs.mixamo()
    for bone in armature.pose.bones:
        bone.rotation_mode = mode
    far, angle = there_and_back(scene, armature)
    assert far < 1e-4 and angle < 0.02


def test_bones_between_mapped_ones_and_their_inheritance_count(scene):
    armature = rigs.metarig()
    armature.pose.bones["spine.005"].rotation_quaternion = (0.9, 0.3, 0.2, 0.1)
    armature.data.bones["forearm.L"].use_inherit_rotation = False
    armature.data.bones["upper_arm.R"].use_inherit_rotation = False
    bpy.context.view_layer.update()
    far, angle = there_and_back(scene, armature)
    assert far < 1e-4 and angle < 0.02


def test_a_root_bone_above_the_hips_counts(scene):
    armature = rigs.mixamo()
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    root = bones.new("root")
    root.head, root.tail = (0, 0, 0), (0, 0, 30)
    bones["mixamorig:Hips"].parent = root
    bpy.ops.object.mode_set(mode="OBJECT")
    armature.pose.bones["root"].location = (10, 20, 30)
    armature.pose.bones["root"].rotation_quaternion = (0.8, 0.1, 0.5, 0.1)
    bpy.context.view_layer.update()
    far, angle = there_and_back(scene, armature)
    assert far < 1e-4 and angle < 0.02


def test_hips_connected_to_their_parent_are_refused(scene):
    armature = rigs.mixamo("Ann")
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    root = bones.new("root")
    root.head, root.tail = (0, 0, 0), bones["mixamorig:Hips"].head
    bones["mixamorig:Hips"].parent, bones["mixamorig:Hips"].use_connect = root, True
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(SceneError, match="mixamorig:Hips of Ann is connected to root"):
        retarget.pose_curves(armature, map_rig(armature), dance(retarget.body_of(armature, map_rig(armature))))


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.metarig])
def test_legs_of_the_body_lie_where_the_rigs_legs_lie(scene, make):
    armature = make(location=(1.0, 2.0, 0.5), turn=0.7)
    rig_map = map_rig(armature)
    body = retarget.body_of(armature, rig_map)
    perform(scene, armature, dance(body), FRAMES)
    motion = retarget.read_motion(armature, rig_map, scene, FRAMES)
    got = positions(motion)
    for i in (0, 17, 40):
        heads = evaluated_heads(scene, armature, rig_map, int(FRAMES[i]))
        for joint in LEGS:
            assert np.linalg.norm(got[i, INDEX[joint]] - heads[joint]) < 1e-4, joint


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.metarig])
def test_the_body_is_as_tall_and_wide_as_the_rig(scene, make):
    armature = make()
    rig_map = map_rig(armature)
    motion = retarget.read_motion(armature, rig_map, scene, [1])
    heads = evaluated_heads(scene, armature, rig_map, 1)
    rest = rest_of(armature, rig_map)
    joints = positions(motion)[0]
    size = rest.body.size
    for joint in ("neck", "head", "left_shoulder", "right_shoulder"):
        assert abs(joints[INDEX[joint]][2] - heads[joint][2]) < 0.02 * size, joint
        assert abs(joints[INDEX[joint]][0] - heads[joint][0]) < 0.02 * size, joint


def test_rest_pose_faces_where_the_object_is_turned(scene):
    for turn in (0.0, 1.0, np.pi):
        armature = rigs.mixamo(f"turned {turn}", turn=turn)
        motion = retarget.read_motion(armature, map_rig(armature), scene, [1])
        away = rot.heading(motion.rotations[0, 0]) - turn
        assert abs(np.arctan2(np.sin(away), np.cos(away))) < 1e-3


def test_a_rig_turned_in_object_mode_does_not_walk_backwards(scene):
    steps = np.linspace(0.0, 2.0, len(FRAMES))
    for turn in (0.0, np.pi):
        armature = rigs.metarig(f"walker {turn}", location=(4.0, 1.0, 0.0), turn=turn)
        body = retarget.body_of(armature, map_rig(armature))
        still = np.tile(rot.IDENTITY, (len(FRAMES), 22, 1))
        root = np.stack([0 * steps, -steps, 0 * steps + body.standing_height], 1)  # the way it faces
        perform(scene, armature, Motion(root, still, body), FRAMES)
        first = evaluated_heads(scene, armature, map_rig(armature), 11)
        last = evaluated_heads(scene, armature, map_rig(armature), 51)
        assert np.allclose(last["left_ankle"] - first["left_ankle"], (0.0, -2.0, 0.0), atol=1e-4)
        toes = first["left_foot"] - first["left_ankle"]
        assert toes[1] < -0.05 and abs(toes[0]) < 1e-3  # faces -Y
        assert first["left_hip"][0] > first["right_hip"][0]
        assert np.allclose(0.5 * (first["left_hip"] + first["right_hip"])[:2], (0.0, 0.0), atol=1e-4)


def test_an_object_that_moves_itself_is_read_with_its_motion(scene):
    armature = rigs.mixamo()
    armature.animation_data_clear()
    for frame, x in ((1, 0.0), (31, 3.0)):
        armature.location[0] = x
        armature.keyframe_insert("location", frame=frame)
    motion = retarget.read_motion(armature, map_rig(armature), scene, [1, 31])
    assert np.allclose(motion.root[1] - motion.root[0], (3.0, 0.0, 0.0), atol=1e-4)


def test_ground_and_fractional_frames(scene):
    armature = rigs.metarig()
    armature.location[2] = 0.4
    bpy.context.view_layer.update()
    body = retarget.body_of(armature, map_rig(armature))
    steps = np.arange(len(FRAMES)) * 0.1
    still = np.tile(rot.IDENTITY, (len(FRAMES), 22, 1))
    motion = Motion(np.stack([steps, 0 * steps, 0 * steps + 1.0], 1), still, body)
    perform(scene, armature, motion, FRAMES, ground=0.4)
    heads = evaluated_heads(scene, armature, map_rig(armature), 11)
    middle = 0.5 * (heads["left_hip"] + heads["right_hip"])
    assert middle[2] == pytest.approx(1.4 - 0.09 * body.leg / REFERENCE_LEG, abs=1e-4)
    got = retarget.read_motion(armature, map_rig(armature), scene, [11.0, 12.25, 20.5], ground=0.4)
    assert np.allclose(got.root, [[0, 0, 1], [0.125, 0, 1], [0.95, 0, 1]], atol=1e-4)


def test_curves_are_those_of_mapped_bones_only(scene):
    armature = rigs.metarig()
    rig_map = map_rig(armature)
    motion = dance(retarget.body_of(armature, rig_map))
    curves = retarget.pose_curves(armature, rig_map, motion)
    assert {path.split('"')[1] for path, _ in curves} == set(rig_map.bones.values())
    assert [p for p, _ in curves if p.endswith(".location")] == ['pose.bones["spine"].location'] * 3
    assert 'pose.bones["shoulder.L"].rotation_euler' in {path for path, _ in curves}  # its own rotation mode
    assert all(len(values) == motion.frames and np.isfinite(values).all() for values in curves.values())


@pytest.mark.parametrize(
    "scale, message",
    [((0, 0, 0), "scale of zero"), ((1, 1, -1), "mirrored"), ((1, 1, 2), "different amounts")],
)
def test_scales_that_can_not_be_used(scene, scale, message):
    armature = rigs.metarig("Ann")
    armature.scale = scale
    bpy.context.view_layer.update()
    with pytest.raises(SceneError, match=f"Ann .*{message}"):
        retarget.body_of(armature, map_rig(armature))


CLIPS = [
    ("bvh-salsa/60_14_scaled.bvh", 1.34, 4),
    ("bvh-salsa/61_03_scaled.bvh", 1.34, 4),
    ("bvh-cgspeed/07_01.bvh", 0.0564444, 2),
    ("bvh-cgspeed/12_02.bvh", 0.0564444, 2),
]


@pytest.mark.parametrize("name, scale, first", CLIPS, ids=[name for name, _, _ in CLIPS])
def test_real_clips_there_and_back(scene, original, name, scale, first):
    source = rigs.import_bvh(original(name), scale)
    frames = np.arange(first, first + 150, 2)
    motion = retarget.read_motion(source, map_rig(source), scene, frames)
    targets = [
        rigs.metarig(location=(2, 1, 0), turn=np.pi, size=0.8),
        rigs.mixamo(location=(-3, 0.5, 0), turn=0.4),
        rigs.import_bvh(original("bvh-cgspeed/06_10.bvh"), 0.0564444, "CMU"),
    ]
    for target in targets:
        target.animation_data_clear()
        body = retarget.body_of(target, map_rig(target))
        wanted = Motion(motion.root * body.size / motion.body.size, motion.rotations, body)
        far, angle = there_and_back(scene, target, wanted, frames)
        assert far < 0.01 and angle < 1.0, target.name


@pytest.mark.parametrize("name, scale, first", CLIPS, ids=[name for name, _, _ in CLIPS])
def test_real_clips_onto_the_rig_they_came_from(scene, original, name, scale, first):
    """The rig's own joints, not just ours, are where they were."""
    source = rigs.import_bvh(original(name), scale)
    rig_map = map_rig(source)
    frames = np.arange(first, first + 120, 3)
    before = [evaluated_heads(scene, source, rig_map, int(f)) for f in frames[::9]]
    motion = retarget.read_motion(source, rig_map, scene, frames)
    perform(scene, source, motion, frames)
    for frame, heads in zip(frames[::9], before):
        now = evaluated_heads(scene, source, rig_map, int(frame))
        for joint in heads.keys() - {"head"}:  # between neck and head lies a bone that is left as it is
            assert np.linalg.norm(now[joint] - heads[joint]) < 0.01, joint
    again = retarget.read_motion(source, rig_map, scene, frames)
    assert (
        np.degrees(rot.angle_between(global_rotations(again.rotations), global_rotations(motion.rotations))).max() < 1
    )
