"""Whole bodies take their time to turn round."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.turning import QUICKEST, unhurried
from blender_motiondiff.core.motion import FPS, Motion
from blender_motiondiff.core.skeleton import COUNT, average_body

FRAMES = 90
NOWHERE = np.zeros(FRAMES, bool)


def heading_for(turn):
    """Somebody upright whose pelvis heads `turn [T]` radians, a little tilted."""
    rotations = np.tile(rot.IDENTITY, (FRAMES, COUNT, 1))
    rotations[:, 0] = rot.multiply(rot.about_z(turn), rot.from_rotvec(np.array([0.1, 0.05, 0.0])))
    return Motion(np.zeros((FRAMES, 3)), rotations, average_body())


def about_turn(first, count, far=np.pi - 0.2):
    """Headings `[T]` of a turn by `far` radians within `count` frames from `first` on."""
    return far * np.clip((np.arange(FRAMES) - first) / count, 0.0, 1.0)


def headings(motion):
    return np.unwrap(rot.heading(motion.rotations[:, 0]))


def test_a_turn_from_one_frame_to_the_next_takes_as_long_as_a_dancer_needs():
    before = heading_for(about_turn(45, 2))
    after = headings(unhurried(before, NOWHERE))
    assert np.abs(np.diff(after)).max() * FPS < 1.1 * QUICKEST
    np.testing.assert_allclose(after[[0, 20, 70, 89]], headings(before)[[0, 20, 70, 89]], atol=1e-9)
    assert (np.diff(after) >= -1e-9).all(), "it turns back on its way"


def test_turns_that_people_do_are_left_alone():
    steady = heading_for(np.radians(500.0) / FPS * np.arange(FRAMES))
    assert unhurried(steady, NOWHERE) is steady
    assert np.radians(500.0) < QUICKEST


def test_bound_frames_stay_exactly_as_they_are():
    bound = NOWHERE.copy()
    bound[[43, 49]] = True
    before = heading_for(about_turn(45, 2))
    after = unhurried(before, bound)
    moved = rot.angle_between(before.rotations[:, 0], after.rotations[:, 0]) > 1e-9
    assert set(np.flatnonzero(moved)) <= {44, 45, 46, 47, 48} and moved.any()
    tied = NOWHERE.copy()
    tied[40:50] = True
    np.testing.assert_allclose(unhurried(before, tied).rotations, before.rotations, atol=1e-12)


def test_a_turn_at_the_end_of_the_clip_is_begun_earlier_alone():
    before = heading_for(about_turn(FRAMES - 3, 2))
    after = headings(unhurried(before, NOWHERE))
    assert after[-1] == pytest.approx(headings(before)[-1])
    assert np.abs(np.diff(after)).max() * FPS < 1.1 * QUICKEST


def test_who_lies_has_no_heading_to_hurry():
    before = heading_for(about_turn(45, 2))
    lying = rot.multiply(before.rotations[:, 0], rot.from_rotvec(np.array([-0.5 * np.pi, 0.0, 0.0])))
    before.rotations[:, 0] = lying
    np.testing.assert_array_equal(unhurried(before, NOWHERE).rotations, before.rotations)
