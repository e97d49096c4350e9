"""Arms that swing as far as recorded ones do."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.swing import FADE, FARTHEST, JOINTS, QUICK, SWING, livelier_arms
from blender_motiondiff.core.motion import FPS, Motion
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

FRAMES = 150
SHOULDER = INDEX["left_shoulder"]
NOWHERE = np.zeros(FRAMES, bool)


def swinging(far):
    """Somebody whose left arm swings by `far` radians about a bent middle, once a second, and whose head nods."""
    time = np.arange(FRAMES) / FPS
    rotations = np.tile(rot.IDENTITY, (FRAMES, COUNT, 1))
    swing = np.zeros((FRAMES, 3))
    swing[:, 0] = far * np.sin(2 * np.pi * time)
    middle = rot.from_rotvec(np.array([0.0, 1.0, 0.3]))
    rotations[:, SHOULDER] = rot.multiply(middle, rot.from_rotvec(swing))
    rotations[:, INDEX["head"]] = rot.from_rotvec(swing)
    return Motion(np.zeros((FRAMES, 3)), rotations, average_body())


def turned_from_middle(motion):
    """Radians between the left shoulder's turns and their mean, at most."""
    turns = motion.rotations[30:-30, SHOULDER]
    return rot.angle_between(rot.normalize(turns.mean(0)), turns).max()


def test_arms_swing_farther_about_the_same_middle_and_nothing_else_does():
    before = swinging(0.2)
    after = livelier_arms(before, NOWHERE)
    slow = np.exp(-0.5 * (2 * np.pi * QUICK) ** 2)  # what a Gaussian average leaves of one swing a second
    assert turned_from_middle(after) == pytest.approx((1 + (SWING - 1) * slow) * 0.2, rel=0.05)
    middle = [rot.normalize(m.rotations[30:-30, SHOULDER].mean(0)) for m in (before, after)]
    assert rot.angle_between(*middle) < 0.01
    others = np.setdiff1d(np.arange(COUNT), JOINTS)
    np.testing.assert_array_equal(after.rotations[:, others], before.rotations[:, others])


def test_what_swings_far_already_hardly_swings_farther():
    after = livelier_arms(swinging(1.2), NOWHERE)
    assert 1.2 < turned_from_middle(after) < 1.2 + FARTHEST


def test_arms_stay_exactly_as_they_are_on_bound_frames_and_change_smoothly_beside():
    bound = NOWHERE.copy()
    bound[70:75] = True
    before = swinging(0.2)
    after = livelier_arms(before, bound)
    added = rot.angle_between(before.rotations[:, SHOULDER], after.rotations[:, SHOULDER])
    np.testing.assert_allclose(after.rotations[70:75], before.rotations[70:75], atol=1e-12)
    assert added[75 : 75 + round(FADE * FPS) // 4].max() < 0.25 * added.max()
    assert np.abs(np.diff(added)).max() < 0.35 * added.max()


def test_a_still_arm_stays_still():
    before = swinging(0.0)
    np.testing.assert_allclose(livelier_arms(before, NOWHERE).rotations, before.rotations, atol=1e-12)
