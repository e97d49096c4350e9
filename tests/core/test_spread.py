"""Corrections spread in time: exact where flagged, smooth elsewhere, nothing far away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core.solve.spread import near_peak, smooth, soften_jumps, spread

from .samples import seeds

FPS = 30.0


def drawn(seed, frames=120, columns=3):
    rng = np.random.default_rng(seed)
    flags = np.repeat(rng.random((frames // 6, columns)) < 0.3, 6, axis=0)
    return np.cumsum(rng.normal(size=(frames, columns, 3)) * 0.01, 0), flags


@given(seeds)
def test_flagged_values_stay_and_far_ones_are_nothing(seed):
    values, flags = drawn(seed)
    out = spread(values, flags, FPS)
    assert np.array_equal(out[flags], values[flags])
    assert np.isfinite(out).all()
    for k in range(flags.shape[1]):
        at = np.flatnonzero(flags[:, k])
        away = np.abs(np.arange(len(flags))[:, None] - at[None]).min(1, initial=1000)
        assert not out[away > 14, k].any()


@given(seeds)
def test_columns_do_not_know_each_other(seed):
    values, flags = drawn(seed)
    for k in range(3):
        alone = spread(values[:, k : k + 1], flags[:, k : k + 1], FPS)
        assert np.allclose(alone[:, 0], spread(values, flags, FPS)[:, k])


@given(seeds)
def test_it_is_the_same_backwards(seed):
    values, flags = drawn(seed)
    assert np.allclose(spread(values[::-1], flags[::-1], FPS)[::-1], spread(values, flags, FPS))


def test_value_and_slope_pass_over_an_edge():
    time = np.arange(90)
    values = np.broadcast_to((0.01 * (time - 20))[:, None, None], (90, 1, 3))
    flags = ((time >= 30) & (time < 60))[:, None]
    out = spread(values, flags, FPS)[:, 0, 0]
    change = np.diff(out)
    assert abs(change[29] - 0.01) < 0.004
    assert abs(change[59] - 0.01) < 0.02
    assert np.abs(np.diff(out, 2)).max() < 0.02


def test_a_straight_line_goes_on_through_a_short_gap():
    time = np.arange(60)
    values = np.broadcast_to((0.01 * time)[:, None, None], (60, 1, 3))
    flags = (np.abs(time - 30) > 5)[:, None]
    assert np.allclose(spread(values, flags, FPS), values)


def test_keys_alone_take_the_slope_between_their_neighbours():
    time = np.arange(61)
    values = np.broadcast_to((0.01 * time)[:, None, None], (61, 1, 3))
    flags = (time % 10 == 0)[:, None]
    assert np.allclose(spread(values, flags, FPS)[10:51], values[10:51])


def test_level_frames_give_no_slope():
    values = np.broadcast_to((0.05 * np.arange(60))[:, None, None], (60, 1, 3))
    flags = (np.abs(np.arange(60) - 30) < 3)[:, None]
    out = spread(values, flags, FPS, level=np.ones(60, bool))[:, 0, 0]
    assert out.min() >= 0
    assert out.max() == values[32, 0, 0]


@pytest.mark.parametrize("flagged", [True, False])
def test_all_or_nothing(flagged):
    values, flags = np.ones((7, 2, 3)), np.full((7, 2), flagged)
    assert np.array_equal(spread(values, flags, FPS), values * flagged)


@given(seeds, st.integers(10, 110))
def test_jumps_are_softened_where_the_pattern_changes(seed, at):
    flags = np.ones((120, 2), bool)
    pattern = (np.arange(120) >= at).astype(float)
    jump = np.random.default_rng(seed).normal(size=(2, 3))
    values = pattern[:, None, None] * jump
    out = soften_jumps(values, flags, pattern, FPS)
    assert np.abs(np.diff(out, axis=0)).max() < 0.2 * np.abs(jump).max()
    far = np.abs(np.arange(120) - at) > 15
    assert np.array_equal(out[far], values[far])


def test_what_does_not_jump_is_left_alone():
    time = np.arange(60.0)
    values = np.broadcast_to(0.01 * time[:, None, None], (60, 1, 3))
    pattern = (time >= 30).astype(float)
    assert np.allclose(soften_jumps(values, np.ones((60, 1), bool), pattern, FPS), values)
    edge = np.where(pattern[:, None, None] > 0, values, 0.0)
    assert np.array_equal(soften_jumps(edge, pattern[:, None] > 0, pattern, FPS), edge)


@given(seeds)
def test_averages_keep_what_is_fixed_and_calm_the_rest(seed):
    rng = np.random.default_rng(seed)
    values, fixed = rng.normal(size=(60, 2, 3)), np.zeros((60, 2), bool)
    fixed[20] = True
    out = smooth(values, fixed)
    assert np.array_equal(out[20], values[20])
    free = np.r_[0:20, 21:60]
    assert np.abs(np.diff(out[free], 3, axis=0)).mean() < 0.1 * np.abs(np.diff(values, 3, axis=0)).mean()
    assert np.allclose(smooth(np.ones((60, 2, 3)), fixed), 1.0)


def test_peaks():
    size = np.exp(-0.5 * ((np.arange(80) - 40) / 4.0) ** 2)
    values = size[:, None, None] * np.array([0.0, 1.0, 0.0])
    near = near_peak(values)[:, 0]
    assert near[40]
    assert not near[45:60].any()
    assert near_peak(np.ones((30, 1, 3))).all()
