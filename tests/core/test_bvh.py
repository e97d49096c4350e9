import re

import numpy as np
import pytest
from hypothesis import given, settings

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files import bvh
from blender_motiondiff.core.files.recording import FileError, end_positions, world
from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.skeleton import INDEX, JOINTS, average_body

from .originals import assert_recorded, originals
from .samples import quaternions, random_motion, seeds, stepping

SMALL = """HIERARCHY
ROOT Hips
{
    OFFSET 0 0 0
    CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
    JOINT Left Leg {
        OFFSET 1 0 0
        CHANNELS 3 Yrotation Zrotation Xrotation
        End Site
        {
            OFFSET 0 -2 0
        }
    }
    JOINT Tail
    {
        OFFSET 0 0 -1
        CHANNELS 6 Xposition Yposition Zposition Xrotation Yrotation Zrotation
        End Site { OFFSET 0 0 -1 }
    }
}
MOTION
Frames: 2
Frame Time: 0.05
0 10 0  0 0 0   0 0 0   0 0 -1 0 0 0
1 10 2  90 0 0  0 0 90  0 0 -3 0 0 0
"""


def file_of(folder, text):
    path = folder / "small.bvh"
    path.write_text(text)
    return path


def test_a_file_made_by_hand_is_read_as_it_is_written(tmp_path):
    recording = bvh.read(file_of(tmp_path, SMALL))
    assert recording.names == ("Hips", "Left Leg", "Tail")
    assert recording.parents.tolist() == [-1, 0, 0]
    assert np.isclose(recording.fps, 20)
    assert recording.frames == 2
    places, turned = world(recording)
    assert np.allclose(places[0], [[0, 10, 0], [1, 10, 0], [0, 10, -1]])
    # Frame 2: the hips turn X to Y; the tail's position channels replace its offset.
    assert np.allclose(places[1], [[1, 10, 2], [1, 11, 2], [1, 10, -1]])
    ends = end_positions(recording, places, turned)
    assert np.allclose(ends[0], [[1, 8, 0], [0, 10, -2]])
    # The leg's own turn about X takes -Y to -Z before the hips turn it.
    assert np.allclose(ends[1], [[1, 11, 0], [1, 10, -2]])


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_rotations_are_multiplied_in_the_order_of_the_channels(tmp_path, order):
    channels = " ".join(f"{axis}rotation" for axis in order)
    text = SMALL.replace("Yrotation Zrotation Xrotation", channels).replace("0 0 90 ", "20 30 40 ")
    single = {a: rot.to_matrix(rot.from_rotvec(np.radians(v) * np.eye(3)["XYZ".index(a)]))
              for a, v in zip(order, (20, 30, 40), strict=True)}  # fmt: skip
    expected = single[order[0]] @ single[order[1]] @ single[order[2]]
    assert np.allclose(rot.to_matrix(bvh.read(file_of(tmp_path, text)).rotations[1, 1]), expected)


def test_windows_line_ends_a_byte_order_mark_and_capitals_are_read(tmp_path):
    plain = bvh.read(file_of(tmp_path, SMALL))
    odd = tmp_path / "odd.bvh"
    odd.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("JOINT", "Joint").replace("\n", "\r\n").encode())
    assert np.array_equal(bvh.read(odd).rotations, plain.rotations)


def test_of_two_characters_the_first_is_read(tmp_path):
    second = re.search(r"ROOT.*(?=MOTION)", SMALL, re.DOTALL)[0].replace("Hips", "Other")
    text = SMALL.replace("MOTION", second + "MOTION")
    with pytest.raises(FileError, match="15 numbers"):  # the rows would belong to both
        bvh.read(file_of(tmp_path, re.sub(r"(-[13] 0 0 0)\n", r"\1 0 0 0\n", text)))
    assert bvh.read(file_of(tmp_path, text)).names == ("Hips", "Left Leg", "Tail")


WRONG = {
    "empty": ("", "HIERARCHY"),
    "another format": ("solid cube\n", "HIERARCHY"),
    "cut in the hierarchy": (SMALL[:200], "MOTION part"),
    "a brace too few": (SMALL.replace("    }\n}\nMOTION", "    }\nMOTION"), "incomplete"),
    "a brace alone": (SMALL.replace("ROOT Hips", ""), "line 3"),
    "an unknown word": (SMALL.replace("OFFSET 1 0 0", "OFFSETS 1 0 0"), "line 7"),
    "an offset of two": (SMALL.replace("OFFSET 1 0 0", "OFFSET 1 0"), "line 7 holds 2 values where 3"),
    "an offset of words": (SMALL.replace("OFFSET 1 0 0", "OFFSET a b c"), "line 7 holds a value that is no number"),
    "a wrong count of channels": (SMALL.replace("CHANNELS 3 Y", "CHANNELS 4 Y"), "line 8.*no list of channels"),
    "an unknown channel": (SMALL.replace("CHANNELS 3 Y", "CHANNELS 3 W"), "line 8.*no list of channels"),
    "no frame time": (SMALL.replace("Frame Time: 0.05\n", ""), "Frame Time"),
    "frame time zero": (SMALL.replace("0.05", "0.0"), "frame time is 0"),
    "a frame missing": (SMALL.rsplit("1 10 2", 1)[0], "says 2 frames and holds 1"),
    "no frames": (SMALL.split("0 10 0", maxsplit=1)[0].replace("Frames: 2", "Frames: 0"), "says 0 frames and holds 0"),
    "a line cut short": (SMALL[:-9], "line 25 holds 11 values where 15"),
    "a frame that is no number": (SMALL.replace("0 0 -3 0", "0 0 nan 0"), "line 25 holds a value that is no number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_broken_files_are_refused_with_file_cause_and_remedy(tmp_path, case):
    text, words = WRONG[case]
    path = file_of(tmp_path, text)
    with pytest.raises(FileError, match=words) as caught:
        bvh.read(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
    assert str(caught.value).count(". ") >= 1


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.bvh can't be read \(No such file"):
        bvh.read(tmp_path / "gone.bvh")


@pytest.mark.parametrize("unit", ["m", "cm"])
def test_written_motions_come_back(tmp_path, unit):
    motion, path = random_motion(4, 6, average_body().scaled(1.1), fps=24.0), tmp_path / "motion.bvh"
    bvh.write(path, motion, unit)
    recording = bvh.read(path)
    scale = {"m": 1.0, "cm": 0.01}[unit]
    order = [recording.names.index(bvh.NAMES[name]) for name in JOINTS]
    places, turned = world(recording)
    expected, expected_turned = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    got = scale * places[:, order] @ bvh.TO_Y_UP
    back = rot.multiply(rot.multiply(rot.conjugate(bvh.TO_Y_UP_Q), turned[:, order]), bvh.TO_Y_UP_Q)
    assert np.abs(got - expected).max() < 1e-4
    assert rot.angle_between(back, expected_turned).max() < 1e-4
    assert np.isclose(recording.fps, 24.0)


def test_a_written_character_stands_upright_and_faces_plus_z(tmp_path):
    motion = stepping(3)
    bvh.write(tmp_path / "walk.bvh", motion)
    recording = bvh.read(tmp_path / "walk.bvh")
    places, turned = world(recording)
    at = dict(zip(recording.names, places[0], strict=True))
    assert 140 < at["Head"][1] < 200  # centimetres, Y up
    assert at["LeftArm"][0] > at["RightArm"][0]
    assert at["LeftToeBase"][2] > at["LeftFoot"][2]
    assert places[-1, 0, 2] > places[0, 0, 2]
    ends = end_positions(recording, places, turned)
    assert len(ends[0]) == 5
    assert ends[0, :, 1].max() > at["Head"][1]


@given(seeds)
@settings(max_examples=25)
def test_angles_and_rotations_are_inverses(seed):
    q = quaternions(seed, 12, 5)
    z, x, y = np.moveaxis(bvh.euler_zxy(q), -1, 0)
    zero = np.zeros_like(x)
    back = rot.about_z(z)
    for turn in (np.stack([x, zero, zero], -1), np.stack([zero, y, zero], -1)):
        back = rot.multiply(back, rot.from_rotvec(turn))
    assert rot.angle_between(back, q).max() < 1e-6


def test_angles_go_on_smoothly_through_whole_turns_and_steep_poses():
    t = np.linspace(0, 4 * np.pi, 400)
    for axis in np.eye(3):
        q = rot.from_rotvec(t[:, None] * axis)
        assert np.abs(np.diff(bvh.euler_zxy(q), axis=0)).max() < 0.1


def test_angles_are_right_where_two_axes_fall_together():
    q = rot.multiply(
        rot.about_z(np.array([0.4, 0.4])), rot.from_rotvec(np.array([[np.pi / 2, 0, 0], [-np.pi / 2, 0, 0]]))
    )
    for angles, turn in zip(bvh.euler_zxy(q), q, strict=True):
        back = rot.multiply(rot.about_z(angles[0]), rot.from_rotvec(np.array([angles[1], 0, 0])))
        back = rot.multiply(back, rot.from_rotvec(np.array([0, angles[2], 0])))
        assert rot.angle_between(back, turn) < 1e-6


def test_every_joint_has_a_name_of_its_own():
    assert set(bvh.NAMES) == set(INDEX)
    assert len(set(bvh.NAMES.values())) == len(JOINTS)


@pytest.mark.parametrize(
    ("folder", "first", "step"), [("bvh-cgspeed", 1, 2), ("bvh-salsa", 3, 1), ("bvh-100style", 0, 1)]
)
def test_recorded_files_are_read_as_the_database_has_them(tmp_path, folder, first, step):
    for path in originals(tmp_path, folder, ".bvh"):
        assert_recorded(bvh.read(path), path.stem, first, step)
