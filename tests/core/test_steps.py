"""Steps that a standing foot must take, and when."""

import numpy as np
import pytest

from blender_motiondiff.core.cleanup.foot_lock import lock_feet
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.cleanup.steps import PIVOT, hasty, pivoting, stepping_heels, steps, straightened
from blender_motiondiff.core.motion import Motion, positions
from evaluation import metrics

from .samples import standing


def test_a_foot_that_its_leg_reaches_easily_stays_where_it_is():
    track = np.linspace([0.0, 0.0, 0.0], [0.0, 0.6, 0.0], 120)
    near, along = np.tile([0.0, 0.3, 0.9], (120, 1)), track * 2 + [0.0, 0.0, 0.9]
    stands = np.ones(120, bool)
    assert not steps(stands, track, 1.0, hip=near).any()
    assert steps(stands, track, 1.0, hip=along).any()
    assert steps(stands, track, 1.0).any()
    assert steps(stands, track * 2, 1.0, hip=near + [0.0, 0.3, 0.0]).any()


@pytest.mark.parametrize(("height", "stays"), [(0.8, False), (0.55, True)])
def test_hips_that_are_low_reach_a_foot_farther_away(height, stays):
    track = np.linspace([0.0, 0.0, 0.0], [0.0, 0.6, 0.0], 120)
    hip = np.tile([0.0, -0.2, height], (120, 1))
    assert steps(np.ones(120, bool), track, 1.0, hip=hip).any() != stays


@pytest.mark.parametrize("backwards", [False, True])
def test_a_foot_that_has_just_come_down_swings_to_its_pin_at_once(backwards):
    """It comes down at 60 and is pinned half a metre away from 70 on: a step between would be its second in 0.3 s."""
    track, pinned = np.zeros((120, 3)), np.arange(120) >= 70
    track[pinned, 1] = 0.5
    for stands, stepped in ((np.arange(120) >= 60, False), (np.arange(120) >= 20, True), (np.ones(120, bool), True)):
        turned = (v[::-1] if backwards else v for v in (stands, track, pinned))
        stands, places, at = turned
        step = steps(stands, places, 1.0, at, pinned=at) > 0
        assert len(runs(step)) == stepped and not (step & at).any()


def test_around_a_pin_of_a_single_frame_a_foot_steps_there_and_away():
    track, pinned = np.zeros((120, 3)), np.arange(120) == 60
    track[60, 1] = 0.5
    (there, before), (away, after) = runs(steps(np.ones(120, bool), track, 1.0, pinned, pinned=pinned) > 0)
    assert before == 60 and away == 61 and before - there == after - away


@pytest.mark.parametrize(("slow", "fast"), [(60, 15), (15, 60)])
def test_a_foot_steps_where_it_moves_most_by_itself(slow, fast):
    """It strays as far slowly as it does quickly after that, or before."""
    track, still = np.zeros((slow + fast + 40, 3)), 20
    track[:, 1] = np.interp(np.arange(len(track)), np.cumsum([still, slow, fast]), [0.0, 0.25, 0.5])
    ((first, end),) = runs(steps(np.ones(len(track), bool), track, 1.0) > 0)
    quick = (still, still + slow) if slow < fast else (still + slow, still + slow + fast)
    assert quick[0] <= first and end <= quick[1] + 1


def test_a_step_gets_the_time_that_it_needs():
    """A foot that is half a metre farther on after a single frame in the air, seen at its toe's place and in flags."""
    on = np.ones((1, 40), bool)
    on[0, 20] = False
    track = np.zeros((1, 40, 3))
    track[0, 21:, 0] = 0.5
    keyed = np.zeros((1, 40), bool)
    assert runs(hasty(on, track, np.ones(1), 30, keyed)[0] | ~on[0]).tolist() == [[18, 23]]
    keyed[0, 19] = True
    assert runs(hasty(on, track, np.ones(1), 30, keyed)[0] | ~on[0]).tolist() == [[20, 23]]
    assert not hasty(on, 0.1 * track, np.ones(1), 30, keyed).any()
    motion = standing(40)
    root, contacts = motion.root.copy(), np.repeat(on.T, 4, 1)
    root[:, 0] += 0.5 * np.clip((np.arange(40) - 5) / 30, 0.0, 1.0)
    moving = Motion(root, motion.rotations, motion.body)
    places = positions(lock_feet(moving, contacts)[0])
    assert metrics.jolt(places, 30) < 80.0


def test_a_step_goes_straight_and_a_swing_as_it_did():
    """Both wander a quarter of a metre aside; the second swing lasts a frame longer than what is said to be a step."""
    track = np.zeros((2, 60, 3))
    track[:, 20:40, 0] = 0.25 * np.sin(np.pi * np.linspace(0.0, 1.0, 20))
    track[:, :, 1], track[:, 20:40, 2] = np.interp(np.arange(60), [19, 40], [0.0, 0.4]), 0.1
    swings = np.tile((np.arange(60) >= 20) & (np.arange(60) < 40), (2, 1))
    stepping = swings.copy()
    stepping[1, 39] = False
    after = track + straightened(track, swings, stepping)
    assert np.array_equal(after[1], track[1]) and np.array_equal(after[..., 2], track[..., 2])
    assert np.abs(after[0, :, 0]).max() == 0.0
    assert (np.diff(after[0, :, 1]) >= 0).all() and np.array_equal(after[0, ~swings[0]], track[0, ~swings[0]])
    assert not straightened(track, np.zeros_like(swings), stepping).any()


@pytest.mark.parametrize("moves", [10, 45])
def test_a_step_between_keys_comes_where_the_foot_moves_by_itself(moves):
    """It gets from the one place to the other within ten frames, near the first key or near the last."""
    track, keyed = np.zeros((61, 3)), np.isin(np.arange(61), [0, 60])
    track[:, 1] = np.interp(np.arange(61), [moves, moves + 10], [0.0, 0.15])
    ((first, end),) = runs(steps(np.ones(61, bool), track, 1.0, keyed) > 0)
    assert first <= moves + 3 and moves + 7 <= end and end - first <= 16


def test_a_heel_takes_its_time_from_place_to_place_about_toes_that_stand():
    heels, track, toes = np.ones((1, 60), bool), np.zeros((1, 60, 3)), np.ones((1, 60), bool)
    heels[0, 30], track[0, 31:, 0] = False, 0.09
    still = np.zeros((1, 60), bool)
    given = pivoting(heels, track, np.ones(1), 30, still, toes)
    gap = (given | ~heels).sum() + 1
    assert 0.09 * 30 / gap <= PIVOT < 0.09 * 30 / (gap - 2)
    toes[0, 30] = False  # a step, which has its own measure
    assert not pivoting(heels, track, np.ones(1), 30, still, toes).any()
    track[0, 31:, 0] = 0.01
    assert not pivoting(heels, track, np.ones(1), 30, still, toes | True).any()


def test_a_heel_does_not_stand_while_its_toes_go_from_step_to_step():
    heels, toes, track = np.ones((1, 40), bool), np.ones((1, 40), bool), np.zeros((1, 40, 3))
    toes[0, [2, 3, 15, 16, 17, 30]] = False
    toes[0, :2] = False  # before any stance it stays what it is said to be
    track[0, 16:, 1] = 0.4
    track[0, 30:, 1] = 0.45
    assert list(np.flatnonzero(stepping_heels(heels, toes, track, np.ones(1))[0])) == [15, 16, 17]
    assert not stepping_heels(heels & False, toes, track, np.ones(1)).any()
    assert not stepping_heels(heels, toes, track, np.full(1, 4.0)).any()  # no far step for legs of that length
