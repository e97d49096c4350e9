"""The demo's rigs: bodies that fit, poses as keyed, measures that come from the bones."""

import bpy
import numpy as np
import pytest

from blender_motiondiff.core.skeleton import JOINTS, PARENTS
from tools import rigs
from tools.demo import bodies, bvh_text, cast, installed, measure, paths, poses, stage

HEAD = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT LeftUpLeg
  {
    OFFSET 0.1 -0.1 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -0.8 0
    }
  }
  JOINT RightUpLeg
  {
    OFFSET -0.1 -0.1 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -0.8 0
    }
  }
}
MOTION"""


@pytest.fixture
def scene(monkeypatch):
    monkeypatch.setattr(installed, "PACKAGE", "blender_motiondiff")
    bpy.ops.wm.read_homefile(use_empty=True)
    found = bpy.context.scene
    found.render.fps, found.frame_start, found.frame_end = cast.FPS, cast.FIRST, cast.LAST
    return found


def at(places, joint):
    return places[JOINTS.index(joint)]


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.metarig])
def test_a_body_is_as_large_as_its_rig_and_moves_with_its_bones(scene, make):
    rig = make(location=(3.0, -2.0, 0.0), turn=0.7)
    bones = installed.map_rig(rig).bones
    body = bodies.dress(rig, bones, "blue", scene.collection)
    low, high = corners(body)
    assert 1.5 < (high - low)[2] < 2.1
    assert abs(low[2]) < 0.03  # it stands on the ground
    assert np.allclose((0.5 * (low + high))[:2], (3.0, -2.0), atol=0.15)
    rig.location.x += 1.0
    assert np.allclose(corners(body)[0] - low, (1.0, 0.0, 0.0), atol=1e-4)


def corners(body):
    bpy.context.view_layer.update()
    evaluated = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.array([body.matrix_world @ v.co for v in evaluated.data.vertices])
    return points.min(0), points.max(0)


@pytest.mark.parametrize("pose", [poses.HANDS_UP, poses.REACH_DOWN])
@pytest.mark.parametrize("heading", [0.0, 1.3, -2.5])
def test_a_pose_stands_on_the_ground_where_and_as_it_is_put(scene, pose, heading):
    rig = rigs.mixamo(location=(1.0, 2.0, 0.0), turn=0.6)
    bones = installed.map_rig(rig).bones
    poses.set_pose(rig, bones, pose, heading)
    poses.place_hips(rig, bones, bpy.context.view_layer, (4.0, -1.0))
    places, _ = measure.snapshot(rig)
    still = measure.snapshot(rigs.mixamo())[0]
    hips = rig.matrix_world @ rig.pose.bones[bones["pelvis"]].head
    assert np.allclose(hips[:2], (4.0, -1.0), atol=1e-4)
    feet = [JOINTS.index(f"{s}_{n}") for s in ("left", "right") for n in ("ankle", "foot")]
    assert np.min(places[feet, 2] - still[feet, 2]) == pytest.approx(0.0, abs=1e-4)
    assert measure.heading(places[None])[0] == pytest.approx(heading, abs=np.radians(12))


def test_hands_are_up_and_reach_down(scene):
    rig = rigs.mixamo()
    bones = installed.map_rig(rig).bones
    poses.set_pose(rig, bones, poses.HANDS_UP)
    bpy.context.view_layer.update()
    places, _ = measure.snapshot(rig)
    assert min(at(places, "left_wrist")[2], at(places, "right_wrist")[2]) > at(places, "head")[2] + 0.2
    poses.set_pose(rig, bones, poses.REACH_DOWN)
    bpy.context.view_layer.update()
    places, _ = measure.snapshot(rig)
    assert at(places, "right_wrist")[2] < at(places, "pelvis")[2] - 0.1
    assert at(places, "head")[1] < at(places, "pelvis")[1] - 0.2  # bent forwards, to -Y


@pytest.mark.parametrize("make", [rigs.mixamo, rigs.metarig])
def test_measured_places_are_the_bones_and_turns_their_rotations(scene, make):
    rig = make(location=(1.0, 2.0, 0.0), turn=0.4)
    bones = installed.map_rig(rig).bones
    elbow = rig.pose.bones[bones["left_elbow"]]
    elbow.rotation_mode = "XYZ"
    elbow.rotation_euler = (0.5, 0.0, 0.0)
    elbow.keyframe_insert("rotation_euler", frame=101)
    elbow.rotation_euler = (1.1, 0.0, 0.0)
    elbow.keyframe_insert("rotation_euler", frame=110)
    track = measure.track(scene, rig, [101, 110])
    scene.frame_set(110)
    wanted = rig.matrix_world @ rig.pose.bones[bones["left_wrist"]].head
    assert np.allclose(at(track.places[1], "left_wrist"), wanted, atol=1e-4)
    angles = np.degrees(np.arccos(np.clip((np.trace(track.turns, axis1=2, axis2=3) - 1) / 2, -1, 1)))
    assert angles[:, JOINTS.index("left_elbow")] == pytest.approx(np.degrees([0.5, 1.1]), abs=0.01)
    assert angles[:, JOINTS.index("right_elbow")] == pytest.approx([0, 0], abs=0.05)
    assert track.fps == 24


def test_bones_keep_their_length_in_the_measure(scene):
    rig = rigs.mixamo()
    places, _ = measure.snapshot(rig)
    lengths = np.linalg.norm(places[1:] - places[PARENTS[1:]], axis=1)
    poses.set_pose(rig, installed.map_rig(rig).bones, poses.REACH_DOWN)
    bpy.context.view_layer.update()
    places, _ = measure.snapshot(rig)
    assert np.allclose(np.linalg.norm(places[1:] - places[PARENTS[1:]], axis=1), lengths, atol=1e-4)


def test_the_path_is_six_metres_long_and_an_s(scene):
    curve = paths.add_curve(scene.collection, "path", (1.0, 2.0, 0.0), 0.3)
    line = paths.polyline(curve)
    assert paths.arc_lengths(line)[-1] == pytest.approx(6.0, abs=0.03)
    turns = np.diff(np.unwrap([paths.heading_at(line, share) for share in np.linspace(0.05, 0.95, 19)]))
    assert turns.max() > 0.1 and turns.min() < -0.1  # it bends both ways
    assert np.allclose(line[0], (1.0, 2.0, 0.0), atol=1e-5)


def test_cases_come_back_from_their_file(scene, tmp_path):
    case = cast.path_case(scene, "path", "Path and keys", (1.5, -4.0))
    body = stage.dress_case(scene, case)
    cast.key_poses(scene, case, body)
    cast.save_cases([case], tmp_path / "cases.json")
    back = cast.load_cases(tmp_path / "cases.json")[0]
    assert (back.name, back.walker, back.curve, back.frames) == (case.name, case.walker, case.curve, case.frames)
    for key, kept in zip(case.keys, back.keys, strict=True):
        assert kept.frame == key.frame and kept.has_place == key.has_place
        np.testing.assert_allclose(kept.places, key.places, atol=1e-9)
    assert [key.has_place for key in case.keys] == [True, False]
    assert all(case.frames[0] < key.frame < case.frames[1] for key in case.keys)


def test_a_mirrored_leader_is_the_mirror_image(scene, tmp_path):
    generator = np.random.default_rng(4)
    rows = [[f"{v:.6f}" for v in [*generator.normal(0, 1, 3), *generator.normal(0, 40, 9)]] for _ in range(5)]
    text = bvh_text.join(HEAD, 1 / cast.FPS, rows)
    tracks = []
    for name, content in (("plain", text), ("mirrored", bvh_text.mirrored(text))):
        (tmp_path / f"{name}.bvh").write_text(content)
        rig = cast.import_bvh(tmp_path / f"{name}.bvh", 1.0, name)
        ends = []
        for frame in range(cast.FIRST, cast.FIRST + 5):
            scene.frame_set(frame)
            ends.append([rig.matrix_world @ rig.pose.bones[b].tail for b in ("LeftUpLeg", "RightUpLeg")])
        tracks.append(np.array(ends))
    plain, mirrored = tracks
    assert np.allclose(mirrored, plain[:, ::-1] * (-1, 1, 1), atol=1e-4)
    assert np.ptp(plain, axis=0).max() > 0.5
