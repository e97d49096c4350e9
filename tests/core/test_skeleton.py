from dataclasses import astuple

import numpy as np
from hypothesis import given

from blender_motiondiff.core.skeleton import (
    COUNT,
    FEET,
    INDEX,
    JOINTS,
    LEGS,
    MIRROR,
    PARENTS,
    REFERENCE_LEG,
    TOE_HEIGHT,
    average_body,
    make_body,
    measures_of,
)

from .samples import bodies


def test_there_are_22_joints_and_parents_come_first():
    assert COUNT == len(JOINTS) == len(set(JOINTS)) == 22
    assert PARENTS[0] == -1
    assert (PARENTS[1:] < np.arange(1, COUNT)).all()


def test_mirroring_pairs_left_with_right():
    assert (MIRROR[MIRROR] == np.arange(COUNT)).all()
    assert JOINTS[MIRROR[INDEX["left_wrist"]]] == "right_wrist"
    assert MIRROR[INDEX["head"]] == INDEX["head"]


def test_every_leg_is_a_chain():
    for leg in LEGS:
        assert [PARENTS[INDEX[child]] for child in leg[1:]] == [INDEX[parent] for parent in leg[:-1]]


@given(bodies)
def test_measures_and_bodies_are_inverses(measures):
    assert np.allclose(astuple(measures_of(make_body(measures))), astuple(measures))


@given(bodies)
def test_a_standing_body_has_its_toes_on_the_ground(measures):
    body = make_body(measures)
    feet = body.rest_positions[list(FEET), 2] + body.standing_height
    assert np.allclose(feet, body.foot_heights)
    assert np.isclose(body.foot_heights.min(), TOE_HEIGHT * body.size)


def test_the_rest_pose_is_a_t_that_faces_minus_y():
    at = {name: average_body().rest_positions[i] for name, i in INDEX.items()}
    assert at["left_wrist"][0] > at["left_shoulder"][0] > 0 > at["right_shoulder"][0]
    assert np.isclose(at["left_wrist"][2], at["left_shoulder"][2])
    assert at["left_foot"][1] < at["left_ankle"][1]
    assert at["head"][2] > at["neck"][2] > at["pelvis"][2] > at["left_knee"][2] > at["left_ankle"][2]


def test_a_scaled_body_is_larger_in_everything():
    body, double = average_body(), average_body().scaled(2)
    assert np.isclose(double.leg, 2 * body.leg)
    assert np.isclose(double.size, 2 * body.leg / REFERENCE_LEG)
    assert np.isclose(double.standing_height, 2 * body.standing_height)
    assert np.allclose(double.foot_heights, 2 * body.foot_heights)
