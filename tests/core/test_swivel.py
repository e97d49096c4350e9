"""Elbows that jump about the line from shoulder to hand come back, and nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.kinematics import kinematics
from blender_motiondiff.core.constraints.apart import ARMS
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.solve.swivel import JOLT, steadied
from blender_motiondiff.core.solve.work import start
from evaluation.metrics import jolt

from .made_constraints import poses_of
from .made_motion import swinging

FRAMES, AT = 40, 20
SHOULDER, ELBOW, HAND = ARMS[1]
REST = [j for j in range(22) if j != ELBOW]


def bent():
    """Somebody whose arms are well bent throughout."""
    motion = swinging(FRAMES)
    rotations = motion.rotations.copy()
    rotations[:, ARMS[:, 1]] = rot.from_rotvec(np.array([[0.0, 0.0, 1.2], [0.0, 0.0, -1.2]]))
    return replace(motion, rotations=rotations)


def swung(motion, frames, angle):
    """The motion with an arm turned about the line from shoulder to hand on some frames, the hand as it was."""
    places, world = kinematics(motion)
    axis = rot.normalize(places[frames, HAND] - places[frames, SHOULDER])
    about, upper, lower = rot.from_rotvec(angle * axis), world[frames, SHOULDER], world[frames, ELBOW]
    rotations = motion.rotations.copy()
    turned = rot.multiply(rot.conjugate(upper), rot.multiply(about, upper))
    rotations[frames, SHOULDER] = rot.multiply(rotations[frames, SHOULDER], turned)
    back = rot.multiply(rot.conjugate(rot.multiply(about, lower)), lower)
    rotations[frames, HAND] = rot.multiply(back, rotations[frames, HAND])
    return replace(motion, rotations=rotations)


def steadied_work(motion, frozen=None):
    """(Work after, bodies that changed, places before)."""
    poses = poses_of(motion)
    before = poses.places[0].copy()
    work = start([motion], frozen, poses)
    return work, steadied(work, FRAMES), before


@pytest.mark.parametrize("frames", [[AT], [AT, AT + 1], list(range(AT, AT + 4))])
@pytest.mark.parametrize("angle", [1.5, -2.5])
def test_an_elbow_that_jumps_comes_back(frames, angle):
    motion = bent()
    work, changed, before = steadied_work(swung(motion, frames, angle))
    assert jolt(before, FPS) > JOLT > 2 * jolt(work.places, FPS)
    assert set(frames) <= set(changed) <= set(range(AT - 5, AT + 10))
    assert np.linalg.norm(work.places - kinematics(motion)[0], axis=-1).max() < 0.02
    assert np.allclose(work.places[:, REST], before[:, REST], atol=1e-9)
    assert rot.angle_between(work.turns[:, HAND], kinematics(motion)[1][:, HAND]).max() < 1e-6


def test_arms_that_move_smoothly_or_are_frozen_stay():
    assert not len(steadied_work(bent())[1])
    jumping, frozen = swung(bent(), [AT], 2.0), np.zeros((1, FRAMES, 23), bool)
    frozen[0, AT, SHOULDER] = True
    assert not len(steadied_work(jumping, frozen)[1])
