"""Arms that an answer puts through the own body."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.arms_beside import ROOM, arms_out, way_out
from blender_motiondiff.core.cleanup.kinematics import kinematics
from blender_motiondiff.core.motion import Motion, positions, scaled
from blender_motiondiff.core.skeleton import INDEX

from .samples import standing

FREE = np.zeros((90, 2), bool)


def reaching():
    """Somebody whose left arm goes through the trunk, towards the right hip, in the middle of the clip."""
    motion = standing(90)
    share, places = np.exp(-0.5 * ((np.arange(90) - 45) / 10) ** 2)[:, None], positions(motion)[0]
    shoulder, wrist, hip = (places[INDEX[name]] for name in ("left_shoulder", "left_wrist", "right_hip"))
    turn = rot.to_rotvec(rot.shortest_arc(wrist - shoulder, hip - shoulder))
    rotations = motion.rotations.copy()
    rotations[:, INDEX["left_shoulder"]] = rot.from_rotvec(share * turn)
    return Motion(motion.root, rotations, motion.body)


def short(motion, joint="left_wrist"):
    """Metres `[T]` that a wrist lacks of its room."""
    places = positions(motion)
    return rot.length(way_out(places[:, INDEX[joint]], places, ROOM[1.0] * motion.body.size, 0.0))


@pytest.mark.parametrize("size", [0.8, 1.2])
def test_a_hand_goes_around_the_trunk(size):
    motion = scaled(reaching(), size)
    assert short(motion).max() > 0.05 * size
    out = arms_out(motion, *kinematics(motion), FREE)
    assert short(out).max() < 0.03 * size
    assert np.allclose(out.rotations[:, INDEX["right_shoulder"]], motion.rotations[:, INDEX["right_shoulder"]])
    assert np.abs(np.diff(positions(out), 2, axis=0)).max() < 0.03 * size


def test_places_and_turns_go_along():
    motion = reaching()
    places, world = kinematics(motion)
    out = arms_out(motion, places, world, FREE)
    told = kinematics(out)
    assert np.allclose(places, told[0], atol=1e-9)
    assert np.allclose(np.abs(rot.dot(world, told[1])), 1.0)


def test_arms_that_are_bound_or_beside_the_body_stay():
    motion = reaching()
    bound = FREE.copy()
    bound[:, 0] = True
    assert np.array_equal(arms_out(motion, *kinematics(motion), bound).rotations, motion.rotations)
    still = standing(90)
    assert arms_out(still, *kinematics(still), FREE) is still
