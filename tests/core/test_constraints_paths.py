"""Paths as rows: what they bind, when, and that moving by them meets it."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import paths
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.request import GIVEN, HARD, Path

from .made_constraints import FRAMES, poses_of, turned_by_rows, two


def carried(path, poses):
    """The poses with the pelvis moved by the residuals of a path's rows."""
    rows, places = paths.rows(path, poses, 0, 0), poses.places.copy()
    shift = rows.normal * rows.residual[:, None]
    np.add.at(places, (0, rows.frame[~rows.turning], 0), -shift[~rows.turning])
    return replace(poses, places=places)


@pytest.mark.parametrize("raw", [False, True])
def test_moving_by_the_rows_meets_heights_and_soft_paths(raw):
    poses = poses_of(*two(90))
    end = poses.times[-1]
    ways, heights = np.array([[0.0, 0], [2.0, 1.0]]), np.array([1.0, 1.4])
    path = Path(np.array([0.0, end]), ways, heights=heights, raw=raw, weight=0.5)
    met = carried(path, poses)
    assert paths.errors(path, poses, 0)[0].max() > 0.1
    assert paths.errors(path, met, 0)[0].max() < 1e-7
    hard = paths.rows(replace(path, weight=HARD), poses, 0, 0)
    assert (hard.normal[:, :2] != 0).any() == raw
    if not raw:
        sway = met.places[0, :, 0] - smooth_pelvis(met.places[0, :, 0])
        assert np.allclose(sway, poses.places[0, :, 0] - smooth_pelvis(poses.places[0, :, 0]), atol=1e-7)


def test_turning_by_the_rows_meets_a_given_heading_and_keeps_the_sway_of_the_hips():
    a, b = two(90)
    poses = poses_of(a, b)
    path = Path(poses.times[[0, -1]], np.zeros((2, 2)), heading=GIVEN, headings=np.array([0.5, 1.5]))
    met = turned_by_rows(paths.rows(path, poses, 0, 0), poses)
    assert paths.errors(path, poses, 0)[1].max() > 0.2
    assert paths.errors(path, met, 0)[1].max() < 1e-6
    before, after = (np.unwrap(rot.heading(p.turns[0, :, 0])) for p in (poses, met))
    sway = before - smooth_pelvis(before[:, None])[:, 0]
    assert np.allclose(after - smooth_pelvis(after[:, None])[:, 0], sway, atol=1e-6)


def test_heights_bind_only_between_points_that_have_one():
    poses = poses_of(*two(61))
    path = Path(np.array([0.0, 1.0, 2.0]), np.zeros((3, 2)), heights=np.array([np.nan, 1.0, 1.2]), raw=True)
    rows = paths.rows(path, poses, 0, 0)
    assert list(rows.frame[rows.normal[:, 2] != 0]) == list(range(30, 61))


def test_waypoints_bind_at_their_own_times_alone():
    poses = poses_of(*two(61))
    path = Path(np.array([0.0, 1.01, 2.0]), np.zeros((3, 2)), sparse=True, raw=True)
    rows = paths.rows(path, poses, 0, 0)
    assert sorted(set(rows.frame)) == [0, 30, 60]
    assert len(rows) == 6
    assert len(paths.rows(replace(path, raw=False), poses, 0, 0)) == 0
    assert paths.errors(replace(path, raw=False), poses, 0)[0].shape == (3,)


def test_a_waypoint_without_a_time_binds_the_nearest_pass_within_its_bounds():
    times = np.arange(91) / FPS
    places = np.stack([np.sin(times * np.pi), 0 * times], -1)  # at x = 1 after 0.5 s and 2.5 s
    path = Path(np.array([0.0, np.nan, 3.0]), np.array([[0.0, 0], [1.0, 0], [0, 0]]), sparse=True)
    early = replace(path, latest=np.array([np.nan, 1.0, np.nan]))
    late = replace(path, earliest=np.array([np.nan, 1.5, np.nan]))
    assert paths.waypoint_times(early, times, places)[1] == pytest.approx(0.5)
    assert paths.waypoint_times(late, times, places)[1] == pytest.approx(2.5)
    between = replace(path, times=np.array([0.6, np.nan, 2.0]))
    assert 0.6 <= paths.waypoint_times(between, times, places)[1] <= 2.0


def test_given_headings_are_measured_the_short_way_round():
    a, b = two()
    whole = rot.heading(a.rotations[:, 0]) + 2 * np.pi
    path = Path(np.arange(FRAMES) / FPS, a.root[:, :2], heading=GIVEN, headings=whole)
    for some in (path, replace(path, raw=True), replace(path, sparse=True, raw=True)):
        assert paths.errors(some, poses_of(a, b), 0)[1].max() < 1e-6
        off = replace(some, headings=whole + 0.1)
        assert np.allclose(paths.errors(off, poses_of(a, b), 0)[1], 0.1, atol=1e-6)
