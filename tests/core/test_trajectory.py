"""Paths: the smoothed pelvis is a projection, and meets its target exactly."""

import numpy as np
import pytest

from blender_motiondiff.core.constraints import trajectory
from blender_motiondiff.core.request import Path

from .made_motion import swinging


@pytest.fixture
def pelvis():
    rng = np.random.default_rng(0)
    motion = swinging(150)
    return (
        motion.root[:, :2] + 0.03 * np.sin(np.arange(150) / 30 * 2 * np.pi)[:, None] + 0.002 * rng.normal(size=(150, 2))
    )


@pytest.mark.parametrize("frames", [2, 3, 7, 30, 181, 900])
def test_smoothing_twice_changes_nothing(frames):
    places = np.cumsum(np.random.default_rng(1).normal(size=(frames, 2)), 0)
    once = trajectory.smooth_pelvis(places)
    assert np.abs(trajectory.smooth_pelvis(once) - once).max() < 1e-6


def test_the_sway_of_steps_is_not_part_of_the_smoothed_pelvis(pelvis):
    t = np.arange(150) / 30
    sway = 0.03 * np.sin(2 * np.pi * 1.0 * t)[:, None]
    passed = trajectory.smooth_pelvis(sway)[20:-20]
    assert np.abs(passed).max() < 0.4 * 0.03


def test_the_path_is_met_and_the_sway_kept(pelvis):
    target = trajectory.smooth_pelvis(np.stack([np.linspace(0, 4, 150), np.sin(np.linspace(0, 4, 150))], -1))
    met = trajectory.meet_path(pelvis, target)
    assert trajectory.path_residual(met, target).max() < 1e-6
    before, after = pelvis - trajectory.smooth_pelvis(pelvis), met - trajectory.smooth_pelvis(met)
    assert np.abs(before - after).max() < 1e-6


def test_keys_off_the_sway_are_passed_and_the_path_still_met(pelvis):
    target = trajectory.smooth_pelvis(pelvis)
    frames = [30, 100]
    places = pelvis[frames] + np.array([[0.03, 0.0], [0.0, -0.04]])
    met = trajectory.meet_path(pelvis, target, frames, places)
    assert np.abs(met[frames] - places).max() < 1e-9
    assert trajectory.path_residual(met, target).max() < 1e-6


def test_the_path_bends_to_a_key_within_half_a_second():
    times = np.arange(120) / 30
    path = trajectory.sample_path(Path(np.array([0.0, 4.0]), np.array([[0.0, 0.0], [4.0, 0.0]])), times)
    bent, pulled = trajectory.bend_to_keys(path, times, [2.0], [np.array([2.0, 0.5])])
    assert np.allclose(bent[60], [2.0, 0.5]) and pulled[0] == pytest.approx(0.5)
    far = np.abs(times - 2.0) > trajectory.BEND_SECONDS
    assert (bent[far] == path[far]).all()


def test_a_key_within_the_sway_does_not_bend_the_path():
    times = np.arange(60) / 30
    path = np.stack([times, 0 * times], -1)
    bent, pulled = trajectory.bend_to_keys(path, times, [1.0], [np.array([1.0, 0.03])])
    assert (bent == path).all() and pulled[0] == 0.0
