"""The demo's cuts, mirrors and guesses on BVH texts."""

import math
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.demo import bvh_text, leaders

HEAD = """HIERARCHY
ROOT hip
{
  OFFSET 0 0.9 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT lThigh
  {
    OFFSET 0.1 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -0.9 0
    }
  }
  JOINT rThigh
  {
    OFFSET -0.1 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -0.9 0
    }
  }
  JOINT head
  {
    OFFSET 0 0.6 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 0.2 0
    }
  }
}
MOTION"""

numbers = st.floats(-180, 180).map(lambda x: f"{x:.6f}")
rows_of = st.lists(st.lists(numbers, min_size=15, max_size=15), min_size=3, max_size=8)


def test_cut_keeps_head_and_takes_the_frames_asked_for():
    rows = [[str(i)] * 15 for i in range(10)]
    text = bvh_text.cut(bvh_text.join(HEAD, 1 / 120, rows), 3, 4, frame_time=1 / 60)
    head, frame_time, kept = bvh_text.split(text)
    assert head == HEAD
    assert frame_time == pytest.approx(1 / 60, abs=1e-7)
    assert kept == rows[3:7]
    assert re.search(r"Frames: 4\n", text)


def test_cut_beyond_the_end_says_how_long_the_file_is():
    with pytest.raises(ValueError, match="has 3 frames"):
        bvh_text.cut(bvh_text.join(HEAD, 0.1, [["0"] * 15] * 3), 2, 5)


@given(rows_of)
def test_two_mirrors_give_the_motion_back(rows):
    text = bvh_text.join(HEAD, 1 / 60, rows)
    assert bvh_text.mirrored(bvh_text.mirrored(text)) == text


def test_mirror_swaps_sides_and_turns_the_right_signs():
    row = [str(i + 1) for i in range(15)]
    _, _, rows = bvh_text.split(bvh_text.mirrored(bvh_text.join(HEAD, 1 / 60, [row] * 2)))
    hip, left, right, head = rows[0][:6], rows[0][6:9], rows[0][9:12], rows[0][12:]
    assert hip == ["-1", "2", "3", "-4", "-5", "6"]  # X place, Z and Y turns change sign
    assert left == ["-10", "11", "-12"]  # the right leg's
    assert right == ["-7", "8", "-9"]
    assert head == ["-13", "14", "-15"]


@pytest.mark.parametrize(
    ("name", "other"),
    [("lThigh", "rThigh"), ("LeftUpLeg", "RightUpLeg"), ("left_knee", "right_knee"), ("hand.L", "hand.R"),
     ("leg_r", "leg_l"), ("hip", "hip"), ("lower_back", "lower_back")],
)  # fmt: skip
def test_names_of_the_other_side(name, other):
    assert bvh_text.other_side(name, {name, other, "Larm", "rower_back"}) == other


def test_height_of_a_figure_ignores_where_its_root_is():
    text = bvh_text.join(HEAD, 1 / 60, [["0"] * 15] * 2)
    assert bvh_text.height(text) == pytest.approx(0.9 + 0.8)


@pytest.mark.parametrize(("height", "unit"), [(1.75, 1.0), (172.0, 0.01), (30.0, 0.0254 / 0.45), (67.0, 0.0254)])
def test_unit_that_makes_a_grown_person(height, unit):
    assert math.isclose(leaders.unit(height), unit)


def test_a_leader_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"nobody\.bvh"):
        leaders.choose(tmp_path, own=tmp_path / "nobody.bvh")


def test_a_data_folder_without_the_originals_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"originals\.tar\.gz"):
        leaders.choose(tmp_path / "out", data=tmp_path)


def test_the_recorded_leaders_come_with_their_partners(tmp_path):
    data = os.environ.get("MOTIONDIFF_DATA")
    if not data:
        pytest.skip("MOTIONDIFF_DATA is not set: no recorded motion")
    for leader in leaders.choose(tmp_path, data=data):
        rows = [bvh_text.split(path.read_text())[2] for path in (leader.path, leader.partner)]
        assert [len(row) for row in rows] == [361, 361]  # 6 s at 60 frames a second
        assert rows[0] != rows[1]
        assert leaders.from_plain(leaders.to_plain(leader)) == leader
