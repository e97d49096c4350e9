import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.two_bone_ik import SOFT_FROM, solve_leg
from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.skeleton import INDEX, LEGS, average_body
from evaluation.metrics import knee_flexion

from .samples import quaternions, seeds, standing

BODY = average_body()


def bent_legs(seed, frames=20):
    """Legs bent as legs bend, under a body turned anyhow; (local, world, places)."""
    rng = np.random.default_rng(seed)
    local = standing(frames).rotations.copy()
    local[:, 0] = quaternions(seed, frames)
    for side in ("left", "right"):
        local[:, INDEX[f"{side}_hip"]] = rot.from_rotvec(rng.uniform((-1.5, -0.3, -0.3), (0.4, 0.3, 0.3), (frames, 3)))
        local[:, INDEX[f"{side}_knee"]] = rot.from_rotvec(rng.uniform((0.15, 0, 0), (2.0, 0.01, 0.01), (frames, 3)))
        local[:, INDEX[f"{side}_ankle"]] = rot.from_rotvec(rng.uniform(-0.5, 0.5, (frames, 3)))
    return local, *solve_nothing(local)


def solve_nothing(local, root=(0.1, 0.2, 0.9)):
    places, world = forward_kinematics(np.tile(root, (len(local), 1)), local, BODY.offsets)
    return world, places


def within(places, leg, rng, share):
    """Targets in front of, beside and behind the ankle, all within `share` of the leg's length from the hip."""
    hip, ankle = places[:, INDEX[leg[0]]], places[:, INDEX[leg[2]]]
    target = ankle + rng.uniform(-0.15, 0.15, ankle.shape)
    reach = np.linalg.norm(target - hip, axis=1, keepdims=True)
    return hip + (target - hip) * np.clip(reach, 0.2, share * BODY.leg) / reach


@given(seeds, st.sampled_from(LEGS))
def test_targets_within_reach_are_met_and_the_foot_keeps_its_direction(seed, leg):
    local, world, places = bent_legs(seed)
    target = within(places, leg, np.random.default_rng(seed), SOFT_FROM - 0.001)
    solved = solve_leg(local, world, places, leg, target)
    new_world, new_places = solve_nothing(solved)
    assert np.abs(new_places[:, INDEX[leg[2]]] - target).max() < 1e-9
    assert rot.angle_between(new_world[:, INDEX[leg[2]]], world[:, INDEX[leg[2]]]).max() < 1e-6
    other = [j for j in range(22) if j not in [INDEX[n] for n in leg]]
    assert np.array_equal(solved[:, other], local[:, other])


@given(seeds)
def test_solving_there_and_back_restores_the_leg(seed):
    local, world, places = bent_legs(seed)
    leg = LEGS[0]
    target = within(places, leg, np.random.default_rng(seed), 0.95)
    there = solve_leg(local, world, places, leg, target)
    back = solve_leg(there, *solve_nothing(there), leg, places[:, INDEX["left_ankle"]])
    knees = [solve_nothing(q)[1][:, INDEX["left_knee"]] for q in (local, back)]
    assert np.abs(knees[0] - knees[1]).max() < 0.02  # a nearly straight leg is told a little where forward is


@given(seeds)
def test_a_target_where_the_ankle_is_leaves_the_leg_alone(seed):
    local, world, places = bent_legs(seed)
    solved = solve_leg(local, world, places, LEGS[1], places[:, INDEX["right_ankle"]])
    assert np.abs(solve_nothing(solved)[1] - places).max() < 2e-3


@given(seeds)
def test_no_weight_leaves_the_leg_alone_and_half_goes_half_the_way(seed):
    local, world, places = bent_legs(seed)
    ankle = places[:, INDEX["left_ankle"]]
    target = within(places, LEGS[0], np.random.default_rng(seed), 0.95)
    weight = np.where(np.arange(20) < 10, 0.0, 0.5)
    got = solve_nothing(solve_leg(local, world, places, LEGS[0], target, weight))[1][:, INDEX["left_ankle"]]
    assert np.abs(got - (ankle + weight[:, None] * (target - ankle))).max() < 1e-9


@given(seeds)
def test_knees_never_bend_backwards(seed):
    local, world, places = bent_legs(seed)
    rng = np.random.default_rng(seed)
    for leg in LEGS:
        local = solve_leg(local, world, places, leg, within(places, leg, rng, 1.2))
        world, places = solve_nothing(local)
    assert knee_flexion(local).min() > -1e-6


def test_a_knee_that_bends_backwards_comes_forward():
    local = standing(1).rotations.copy()
    local[:, INDEX["left_knee"]] = rot.from_rotvec(np.array([-0.3, 0, 0]))
    world, places = solve_nothing(local)
    solved = solve_leg(local, world, places, LEGS[0], places[:, INDEX["left_ankle"]] + [0, 0, 0.05])
    assert knee_flexion(local)[0, 0] < -0.29
    assert knee_flexion(solved)[0, 0] > 0.5


def test_knees_do_not_pop_as_a_target_leaves_the_reach():
    frames = 120
    local = standing(frames).rotations.copy()
    local[:, INDEX["left_hip"]] = rot.from_rotvec(np.array([-0.5, 0, 0]))
    local[:, INDEX["left_knee"]] = rot.from_rotvec(np.array([1.0, 0, 0]))
    world, places = solve_nothing(local)
    hip = places[:, INDEX["left_hip"]]
    far = np.linspace(0.85, 1.15, frames)[:, None] * BODY.leg
    solved = solve_leg(local, world, places, LEGS[0], hip - [[0, 0, 1]] * far)
    got = solve_nothing(solved)[1]
    reach = np.linalg.norm(got[:, INDEX["left_ankle"]] - hip, axis=1)
    folded = knee_flexion(solved)[:, 0]
    assert reach.max() < BODY.leg
    assert (np.diff(reach) > -1e-12).all()
    assert np.abs(np.diff(folded)).max() < 0.05
    hard = np.arccos(np.clip(np.minimum(far[:, 0] / BODY.leg, 1.0), -1, 1)) * 2  # what clamping alone would do
    assert np.abs(np.diff(folded, n=2)).max() < 0.6 * np.abs(np.diff(hard, n=2)).max()


@pytest.mark.parametrize("leg", LEGS)
def test_a_straight_leg_bends_forward(leg):
    local = standing(1).rotations
    world, places = solve_nothing(local)
    solved = solve_leg(local, world, places, leg, places[:, INDEX[leg[2]]] + [0, 0, 0.1])
    knee = solve_nothing(solved)[1][0, INDEX[leg[1]]]
    assert knee[1] < places[0, INDEX[leg[1]]][1] - 0.1  # forward is -Y
    assert abs(knee[0] - places[0, INDEX[leg[1]]][0]) < 1e-6
