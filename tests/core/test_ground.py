"""The pelvis' height is fitted to the standing feet."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import Motion, positions
from blender_motiondiff.core.skeleton import COUNT, FEET, INDEX, average_body
from blender_motiondiff.core.solve.ground import LYING, STANCE, fit_height, onto_terrain


def hanging(lift, frames=60):
    body = average_body()
    root = np.tile([0.0, 0.0, body.standing_height], (frames, 1))
    root[:, 2] += lift
    return Motion(root, np.tile(rot.IDENTITY, (frames, COUNT, 1)), body)


@pytest.mark.parametrize("lift", [0.07, -0.05])
def test_feet_that_stand_come_to_the_ground(lift):
    stood = fit_height(hanging(lift), np.ones((60, 4), bool))
    toes = positions(stood)[:, FEET[1], 2]
    assert np.allclose(toes, average_body().foot_heights[1] + STANCE * average_body().size, atol=1e-9)


def test_a_jump_stays_a_jump():
    height = np.zeros(90)
    height[30:60] = 0.4 * np.sin(np.linspace(0, np.pi, 30))
    stands = np.repeat((height == 0)[:, None], 4, 1)
    assert np.ptp(fit_height(hanging(height, 90), stands).root[:, 2]) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("height", [0.2, -0.05])
def test_who_lies_with_feet_in_the_air_comes_to_lie_on_the_ground_and_no_deeper(height):
    motion = hanging(0.0)
    motion.root[:, 2] = height
    motion.rotations[:, 0] = rot.from_rotvec(np.array([-0.5 * np.pi, 0.0, 0.0]))  # on the back
    for name in ("left_hip", "right_hip"):
        motion.rotations[:, INDEX[name]] = rot.from_rotvec(np.array([-0.5 * np.pi, 0.0, 0.0]))
    lies = positions(fit_height(motion, np.ones((60, 4), bool)))
    lowest = np.delete(lies, FEET, axis=1)[..., 2].min()
    assert lies[:, FEET[1], 2].min() > 0.5, "the feet are not in the air"
    assert 0.02 < lowest < LYING + 0.02


def test_who_lies_does_not_hover_over_feet_that_are_in_the_ground():
    motion = hanging(0.0)
    motion.root[:, 2] = 0.1
    turns = {"pelvis": -0.5 * np.pi, "left_hip": -0.4, "right_hip": -0.4, "left_knee": 1.6, "right_knee": 1.6}
    for name, turn in turns.items():
        motion.rotations[:, INDEX[name]] = rot.from_rotvec(np.array([turn, 0.0, 0.0]))
    before = positions(motion)
    assert before[:, FEET[1], 2].max() < -0.1 and before[:, INDEX["left_knee"], 2].min() > 0.2
    assert np.abs(fit_height(motion, np.ones((60, 4), bool)).root - motion.root).max() < 0.03


def test_keyed_places_stay_and_nothing_stands_nothing_moves():
    motion = hanging(0.05)
    held = fit_height(motion, np.ones((60, 4), bool), held=[20])
    assert (held.root[20] == motion.root[20]).all() and held.root[50, 2] < motion.root[50, 2] - 0.04
    assert fit_height(motion, np.zeros((60, 4), bool)) is motion


def test_between_keyed_places_a_body_is_raised_soon_and_lowered_late():
    for lift, share in ((-0.05, 1.0), (0.05, 0.2)):
        motion = hanging(lift, 120)
        moved = fit_height(motion, np.ones((120, 4), bool), held=[20, 60]).root - motion.root
        assert moved[38, 2] == pytest.approx(-lift * share, abs=0.015)
        assert moved[90, 2] == pytest.approx(-lift, abs=0.015)  # after the last one


def test_feet_come_to_the_ground_there_is():
    stands = np.ones((60, 4), bool)
    hill = fit_height(hanging(0.5), stands, ground=lambda points: np.full(points.shape[:-1], 0.4))
    assert np.allclose(hill.root, fit_height(hanging(0.1), stands).root + [0, 0, 0.4])


def test_a_body_is_raised_by_the_ground_between_its_feet():
    motion = hanging(0.0)
    feet = positions(motion)[0, list(FEET)]
    up = onto_terrain(motion, lambda points: np.where(points[..., 0] > 0, 0.1, 0.0))
    assert feet[0, 0] > 0 > feet[2, 0]
    assert np.allclose(up.root - motion.root, [0, 0, 0.05])
    assert np.array_equal(onto_terrain(motion, lambda points: np.zeros(points.shape[:-1])).root, motion.root)
