"""Whose weight passes beyond the feet takes a step."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.balance import TIPPING, balancing, beyond_support, tips
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.foot_lock import lock_feet
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.motion import Motion, positions, scaled
from blender_motiondiff.core.skeleton import FEET

from .samples import data_folder, standing

ALL = np.ones((120, 4))


def coming_nearer(metres, frames=120):
    """Somebody who stands for two seconds and then glides ahead over two thirds of one, feet and all."""
    motion = standing(frames)
    moved = np.clip((np.arange(frames) - 60) / 20, 0.0, 1.0)
    return Motion(motion.root - metres * moved[:, None] * [0.0, 1.0, 0.0], motion.rotations, motion.body)


def beyond(motion):
    """Metres `[T]` from somebody's weight to the line between the feet."""
    places = positions(motion)
    return beyond_support(places, *(places[:, [FEET[k], FEET[k + 1]], :2].mean(1) for k in (0, 2)))


@pytest.mark.parametrize("size", [0.7, 1.3])
def test_one_foot_steps_before_the_body_tips_over_both(size):
    """It glides by less than a foot may stray from its anchor, where legs reach easily."""
    motion = scaled(coming_nearer(0.24), size)
    locked = positions(lock_feet(motion, ALL)[0])
    moved = [np.ptp(locked[:, FEET[k], 1]) / size for k in (1, 3)]
    assert min(moved) < 0.01 and 0.2 < max(moved) < 0.28
    assert beyond(lock_feet(motion, ALL)[0]).max() < TIPPING * size


def test_who_sways_a_little_takes_no_step():
    locked = positions(lock_feet(coming_nearer(0.1), ALL)[0])
    assert np.ptp(locked[:, [FEET[1], FEET[3]], 1], axis=0).max() < 0.001


def test_feet_that_are_fixed_and_short_stances_take_no_step():
    motion = coming_nearer(0.24)
    places = positions(motion)[None]
    feet = [np.concatenate([places[:, :, FEET[k]], places[:, :, FEET[2 + k]]]) for k in (0, 1)]
    stands, fixed = np.ones((2, 120), bool), np.zeros((2, 120), bool)
    given = stands, feet, places, np.ones(1), 30
    assert (balancing(*given, fixed).max(1) > 0).sum() == 1
    fixed[0, 5] = True
    assert list(balancing(*given, fixed).max(1) > 0) == [False, True]
    fixed[1, 110] = True
    assert not balancing(*given, fixed).any()
    assert not balancing(stands & (np.arange(120) % 20 < 18), *given[1:], fixed & False).any()


def test_nobody_tips_for_a_moment_or_crouching():
    motion = standing(60)
    places, both, far = positions(motion)[None], np.ones((1, 60), bool), np.full((1, 60), 0.2)
    assert tips(far, places, both, np.ones(1)).all()
    far[:, ::7] = 0.0
    assert not tips(far, places, both, np.ones(1)).any()
    assert not tips(far + 1.0, places - [0.0, 0.0, 0.3], both, np.ones(1)).any()


def test_recorded_people_do_not_tip_over():
    from training.dataset import load_clips

    for clip in load_clips(data_folder(), {"016_15", "008_05", "060_03", "061_03"}).values():
        motion, size = clip.motion, np.array([clip.motion.body.size])
        both = label_contacts(positions(motion), motion.body, motion.fps).reshape(-1, 2, 2).any(2).all(1)
        over = tips(beyond(motion)[None], positions(motion)[None], (both & clip.good)[None], size)
        assert over.mean() < 0.01, (clip.name, runs(over[0]))


def test_a_step_that_would_not_help_is_not_taken():
    """Hips that are led away from feet that stay where they are."""
    motion = standing(120)
    moved = np.clip((np.arange(120) - 60) / 20, 0.0, 1.0)
    places = positions(motion)[None].copy()
    feet = [np.concatenate([places[:, :, FEET[k]], places[:, :, FEET[2 + k]]]) for k in (0, 1)]
    places -= 0.3 * moved[:, None, None] * [0.0, 1.0, 0.0]
    given = np.ones((2, 120), bool), feet, places, np.ones(1), 30, np.zeros((2, 120), bool)
    assert not balancing(*given).any()
    feet = [f - 0.3 * moved[:, None] * [0.0, 1.0, 0.0] for f in feet]
    assert balancing(given[0], feet, *given[2:]).any()


def test_legs_that_a_turn_would_cross_take_a_step():
    """Somebody turns by half a turn over feet that would stay: by geometry they stand all the while."""
    still = standing(120)
    turn = np.pi * np.clip((np.arange(120) - 70) / 20, 0.0, 1.0)
    motion = Motion(still.root, still.rotations.copy(), still.body)
    motion.rotations[:, 0] = rot.about_z(turn)
    places = positions(motion)[None]
    feet = [np.concatenate([places[:, :, FEET[k]], places[:, :, FEET[2 + k]]]) for k in (0, 1)]
    given = np.ones((2, 120), bool), feet, places, np.ones(1), 30, np.zeros((2, 120), bool)
    assert balancing(*given).any()
