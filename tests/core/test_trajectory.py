"""Paths: the smoothed pelvis is a projection, and meets its target exactly."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core.constraints import trajectory
from blender_motiondiff.core.constraints.splines import spline_weights
from blender_motiondiff.core.request import FREE, GIVEN, Path, RequestError

from .made_motion import swinging


@pytest.fixture
def pelvis():
    rng = np.random.default_rng(0)
    motion = swinging(150)
    return (
        motion.root[:, :2] + 0.03 * np.sin(np.arange(150) / 30 * 2 * np.pi)[:, None] + 0.002 * rng.normal(size=(150, 2))
    )


@pytest.mark.parametrize("frames", [2, 3, 7, 30, 181, 900, 18000])
def test_smoothing_twice_changes_nothing(frames):
    places = np.cumsum(np.random.default_rng(1).normal(size=(frames, 2)), 0)
    once = trajectory.smooth_pelvis(places)
    assert np.abs(trajectory.smooth_pelvis(once) - once).max() < 1e-8


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


# --- length -----------------------------------------------------------------------------------------------------------


@given(st.integers(4, 700), st.floats(0.2, 1.2))
def test_the_banded_fit_is_the_least_squares_spline(frames, knot_seconds):
    rows = np.random.default_rng(frames).normal(size=(frames, 2))
    splines = spline_weights(frames, 30.0, knot_seconds)
    basis = np.zeros((frames, splines[0][-1] + 4)) if splines else np.eye(frames)
    if splines:
        np.put_along_axis(basis, splines[0][:, None] + np.arange(4), splines[1], 1)
        assert np.allclose(basis.sum(1), 1)
    wanted = basis @ np.linalg.lstsq(basis, rows, rcond=None)[0]
    got = trajectory.smooth_pelvis(rows, knot_seconds=knot_seconds)
    assert np.abs(got - wanted).max() < 1e-9
    assert np.abs(trajectory.smooth_pelvis(got, knot_seconds=knot_seconds) - got).max() < 1e-10


def test_smoothing_takes_batches():
    rows = np.random.default_rng(0).normal(size=(2, 3, 90, 2))
    assert np.allclose(trajectory.smooth_pelvis(rows)[1, 2], trajectory.smooth_pelvis(rows[1, 2]), atol=1e-12)


def test_ten_minutes_of_keys_are_met_in_little_memory():
    rng, frames = np.random.default_rng(0), 18000
    pelvis = np.cumsum(rng.normal(size=(frames, 2)) * 0.02, 0)
    target = trajectory.smooth_pelvis(pelvis)
    keys = np.arange(15, frames, 45)
    places = pelvis[keys] + rng.normal(size=(len(keys), 2)) * 0.03
    tracemalloc.start()
    met = trajectory.meet_path(pelvis, target, keys, places)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(met[keys] - places).max() < 1e-9
    assert trajectory.path_residual(met, target).max() < 1e-6
    assert peak < 20e6  # a dense basis alone would take 108 MB


def test_keys_too_dense_for_the_path_win_and_nothing_explodes(pelvis):
    target = trajectory.smooth_pelvis(pelvis)
    keys = np.arange(40, 100)
    met = trajectory.meet_path(pelvis, target, keys, pelvis[keys] + [0.05, 0.0])
    assert np.abs(met[keys] - pelvis[keys] - [0.05, 0.0]).max() < 1e-9
    assert np.abs(met - pelvis).max() < 0.12


# --- timing -----------------------------------------------------------------------------------------------------------


def waypoints(points, times=None, **more):
    points = np.asarray(points, float)
    times = np.full(len(points), np.nan) if times is None else np.asarray(times, float)
    return Path(times, points, sparse=True, **more)


NAN = np.nan


def test_untimed_waypoints_are_passed_at_an_even_speed():
    path = trajectory.timed(waypoints([[0, 0], [1, 0], [1, 3], [5, 3]]), 8.0)
    assert np.allclose(path.times, [0, 1, 4, 8])
    between = trajectory.timed(waypoints([[0, 0], [1, 0], [2, 0], [5, 0]], [0, NAN, 4, 6]), 6.0)
    assert np.allclose(between.times, [0, 2, 4, 6])
    known = waypoints([[0, 0], [1, 0]], [0.5, 2.0])
    assert trajectory.timed(known, 9.0) is known


def test_bounds_bend_the_timing_no_more_than_they_must():
    points = [[0, 0], [1, 0], [2, 0], [3, 0], [4, 0]]
    late = waypoints(points, earliest=np.array([NAN, NAN, 6.0, NAN, NAN]))
    assert np.allclose(trajectory.timed(late, 8.0).times, [0, 3, 6, 7, 8])
    soon = waypoints(points, latest=np.array([NAN, NAN, 2.0, NAN, NAN]))
    assert np.allclose(trajectory.timed(soon, 8.0).times, [0, 1, 2, 5, 8])
    loose = waypoints(points, earliest=np.array([NAN, 1.0, 3.0, 2.0, NAN]), latest=np.array([NAN, 3.0, 5.0, 7.5, NAN]))
    assert np.allclose(trajectory.timed(loose, 8.0).times, [0, 2, 4, 6, 8])


@given(st.integers(0, 10_000))
def test_times_rise_within_their_bounds(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 12))
    points = rng.normal(size=(count, 2)) * 3
    truth = np.sort(rng.uniform(0.5, 9.5, count)) + 0.05 * np.arange(count)
    early = np.where(rng.random(count) < 0.4, truth - rng.uniform(0, 2, count), NAN)
    late = np.where(rng.random(count) < 0.4, truth + rng.uniform(0, 2, count), NAN)
    times = np.where(rng.random(count) < 0.2, truth, NAN)
    path = trajectory.timed(waypoints(points, times, earliest=early, latest=late), 11.0)
    known = np.isfinite(times)
    assert (np.diff(path.times) > 0).all() and np.array_equal(path.times[known], times[known])
    free = ~known
    assert (path.times >= early - 1e-9)[free & np.isfinite(early)].all()
    assert (path.times <= late + 1e-9)[free & np.isfinite(late)].all()


def test_bounds_that_cross_are_refused():
    path = waypoints([[0, 0], [1, 0], [2, 0]], [0, NAN, 2.0], earliest=np.array([NAN, 3.0, NAN]))
    with pytest.raises(RequestError, match="Waypoint 1 of a path has no time left"):
        trajectory.timed(path, 4.0)


def test_who_stands_before_and_after_starts_and_stops_gently():
    points = np.stack([np.linspace(0, 4, 161), np.zeros(161)], -1)
    times = np.full(161, NAN)
    through = trajectory.timed(Path(times, points), 5.0).times
    assert np.allclose(np.diff(through), 5.0 / 160)
    times[[0, -1]] = 1.0, 4.0
    path = trajectory.timed(Path(times, points), 5.0)
    speed = np.gradient(trajectory.sample_path(path, np.arange(151) / 30)[:, 0]) * 30
    assert speed[:29].max() < 1e-6 and speed[-29:].max() < 1e-6
    assert speed[60:90] == pytest.approx(4 / 2.5, rel=1e-3)
    assert np.abs(np.diff(speed)).max() < 0.2


# --- sparse paths -----------------------------------------------------------------------------------------------------

GRID = np.arange(181) / 30.0


def test_the_curve_through_waypoints_is_even_on_a_line_and_does_not_swing_wide():
    even = trajectory.sample_path(waypoints([[0, 0], [1, 0], [3, 0], [6, 0]], [0, 1, 3, 6]), GRID)
    assert np.allclose(even, np.stack([GRID, 0 * GRID], -1), atol=1e-9)
    uneven = trajectory.sample_path(waypoints([[0, 0], [0.2, 0], [4, 0], [4.1, 0]], [0, 1, 3, 6]), GRID)[:, 0]
    assert (np.diff(uneven) >= -1e-12).all() and uneven.max() <= 4.1 + 1e-9
    there_and_back = trajectory.sample_path(waypoints([[0, 0], [3, 0], [0, 0]], [0, 3, 6]), GRID)
    assert there_and_back[:, 0].max() == pytest.approx(3.0) and np.allclose(there_and_back[90], [3, 0])


@given(st.integers(0, 10_000))
def test_waypoints_are_on_the_curve_and_its_speed_has_no_jumps(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.5, 2.0, 6)) - 0.5
    points = np.cumsum(rng.normal(size=(6, 2)), 0)
    path = waypoints(points, times)
    assert np.allclose(trajectory.sample_path(path, np.append(times, times[-1] + 1)), points[[0, 1, 2, 3, 4, 5, 5]])
    fine = np.linspace(0, times[-1], 5001)
    speed = np.linalg.norm(np.gradient(trajectory.sample_path(path, fine), fine, axis=0), axis=1)
    assert np.abs(np.diff(speed)).max() < 0.1
    chords = np.linalg.norm(np.diff(points, axis=0), axis=1) / np.diff(times)
    assert speed.max() < 3.2 * chords.max()


@given(st.integers(0, 10_000))
def test_the_curve_turns_with_its_waypoints(seed):
    rng = np.random.default_rng(seed)
    points, angle = rng.normal(size=(5, 2)), rng.uniform(-3, 3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    times = [0, 1, 2.5, 4, 5.5]
    here = trajectory.sample_path(waypoints(points, times), GRID) @ turn.T
    assert np.allclose(here, trajectory.sample_path(waypoints(points @ turn.T, times), GRID))


@given(st.integers(0, 10_000))
def test_waypoints_are_met_and_the_way_between_stays_smooth(seed):
    rng = np.random.default_rng(seed)
    pelvis = swinging(181, seed).root[:, :2]
    frames = np.sort(rng.choice(np.arange(0, 181, 12), 5, replace=False))
    points = pelvis[frames] + rng.normal(size=(5, 2)) * 0.05
    met = trajectory.meet_waypoints(pelvis, frames, points)
    assert np.array_equal(met[frames], points)
    change = met - pelvis
    assert np.linalg.norm(change, axis=1).max() < 1.3 * np.linalg.norm(change[frames], axis=1).max()
    largest = np.linalg.norm(np.diff(points - pelvis[frames], axis=0), axis=1).max()
    assert np.abs(np.diff(change, 3, axis=0)).max() < 150 * largest / 12**3
    assert np.allclose(change[: frames[0]], change[frames[0]]) and np.allclose(change[frames[-1] :], change[frames[-1]])


def test_a_raw_path_is_the_pelvis_itself_and_gaps_pass_smoothly(pelvis):
    target = pelvis + [0.1, -0.2]
    assert np.array_equal(trajectory.meet_raw(pelvis, target), target)
    target[50:90] = NAN
    met = trajectory.meet_raw(pelvis, target)
    assert np.abs(met - pelvis - [0.1, -0.2]).max() < 1e-9
    assert np.array_equal(trajectory.meet_waypoints(pelvis, [], np.zeros((0, 2))), pelvis)


def test_heights_and_headings_are_free_where_nothing_says_otherwise():
    points = np.array([[0.0, 0], [2, 0], [4, 0], [6, 0]])
    path = Path(np.array([0.0, 2, 4, 6]), points, heights=np.array([0.9, 1.1, NAN, 1.0]))
    heights = trajectory.heights_at(path, GRID)
    assert heights[30] == pytest.approx(1.0) and np.isnan(heights[61:180]).all() and heights[180] == 1.0
    assert np.isnan(trajectory.heights_at(Path(path.times, points), GRID)).all()
    assert np.allclose(trajectory.headings_at(path, GRID), np.pi / 2)
    assert np.isnan(trajectory.headings_at(Path(path.times, points, heading=FREE), GRID)).all()
    turning = Path(path.times, points, heading=GIVEN, headings=np.array([3.0, -3.0, NAN, -3.0]))
    headings = trajectory.headings_at(turning, GRID)
    assert headings[0] == 3.0 and headings[-1] == pytest.approx(2 * np.pi - 3.0) and np.ptp(headings) < 0.3
