"""Arms of somebody who lies or kneels stay over the ground, and nothing else moves."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.kinematics import kinematics
from blender_motiondiff.core.cleanup.low_hands import LOW, hands_up
from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.skeleton import ARMS, COUNT, INDEX, average_body

BODY = average_body()
ARM = [INDEX[name] for name in ARMS[0]]
FREE = np.zeros((90, 2), bool)


def leaning(height, frames=90):
    """Somebody low whose left arm hangs down from the shoulder."""
    motion = Motion(np.tile([0.0, 0.0, height], (frames, 1)), np.tile(rot.IDENTITY, (frames, COUNT, 1)), BODY)
    motion.rotations[:, ARM[0]] = rot.from_rotvec(np.array([0.0, 1.3, 0.0]))
    return motion


def up(motion, bound=FREE):
    places, world = kinematics(motion)
    out = hands_up(motion, places, world, bound)
    after, turns = kinematics(out)
    assert np.allclose(after, places) and np.allclose(np.abs(rot.dot(turns, world)), 1.0)  # told as they are
    return out, after


@pytest.mark.parametrize("height", [0.0, 0.04])
def test_a_hand_comes_out_of_the_ground_and_the_rest_stays(height):
    motion = leaning(height)
    before = kinematics(motion)[0]
    assert before[:, ARM[2], 2].max() < 0.0
    out, after = up(motion)
    assert after[:, ARM[1:], 2].min() > 0.9 * LOW * BODY.size
    rest = np.delete(np.arange(COUNT), ARM[1:])
    assert np.allclose(after[:, rest], before[:, rest])
    assert np.array_equal(out.root, motion.root)


def test_arms_that_are_high_enough_are_handed_back_themselves():
    motion = leaning(0.9)
    assert up(motion)[0] is motion


def test_a_keyed_arm_stays_and_is_led_up_to():
    motion, bound = leaning(0.02), FREE.copy()
    bound[40, 0] = True
    out, after = up(motion, bound)
    assert np.array_equal(out.rotations[40], motion.rotations[40])
    assert np.abs(np.diff(after[:, ARM[2], 2])).max() < 0.1
    assert after[0, ARM[2], 2] > 0.0
