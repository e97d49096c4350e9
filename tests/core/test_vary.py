"""Changing a motion's residuals without inversion, on Gaussian data whose best denoiser is known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar
from blender_motiondiff.core.diffusion.vary import vary, vary_calls

from .samples import seeds

SHAPE = (2, 1, 12, 4)


def best(mean, variance=0.25):
    """The posterior mean of N(mean, variance)."""

    def denoise(x, level):
        return mean + level * variance / (level**2 * variance + 1 - level**2) * (x - level * mean)

    return denoise


def stream(seed=0, dtype=float):
    rng = np.random.default_rng(seed)
    return lambda: rng.standard_normal(SHAPE, dtype)


def free(clean, level):
    return clean


def source(seed=1, dtype=float):
    return np.random.default_rng(seed).normal(0.0, 0.5, SHAPE).astype(dtype)


@given(seeds, st.integers(1, 12))
def test_strength_0_hands_the_source_back_bit_by_bit(seed, steps):
    before = source(seed, np.float32)
    after = vary(best(0.0), best(9.0), before, steps, 0.0, 1.0, stream(seed), lambda c, level: c + 1)
    assert np.array_equal(after, before) and after is not before


@given(seeds, st.floats(0.01, 1.0), st.integers(1, 12))
def test_what_both_conditions_answer_alike_stays(seed, strength, steps):
    before = source(seed, np.float32)
    same = best(0.3)
    after = vary(same, same, before, steps, strength, 1.0, stream(seed, np.float32), free)
    assert np.array_equal(after, before)


@given(seeds, st.floats(0.01, 1.0))
def test_what_the_mask_keeps_stays_bit_by_bit(seed, strength):
    before, mask = source(seed, np.float32), np.zeros(SHAPE)
    mask[..., 5:9, 2] = 1.0
    after = vary(best(0.0), best(2.0), before, 6, strength, mask, stream(seed, np.float32), free)
    assert after.dtype == np.float32
    assert np.array_equal(after[mask == 0], before[mask == 0]) and (after[mask == 1] != before[mask == 1]).any()


def test_a_shift_of_the_condition_shifts_the_motion_and_keeps_its_shape():
    # Data N(0, s^2) and N(m, s^2): the only difference is the mean, so what is asked for is source + m.
    before = source()
    after = vary(best(0.0), best(2.0), before, 12, 1.0, 1.0, stream(), free)
    assert np.abs(after - before - 2.0).max() < 0.2


def test_the_change_grows_with_the_strength():
    before = source()
    changes = [
        np.abs(vary(best(0.0), best(2.0), before, 6, s, 1.0, stream(), free) - before).mean()
        for s in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)
    ]
    assert np.all(np.diff(changes) > 0) and changes[-1] == pytest.approx(2.0, abs=0.2)


def test_both_branches_get_the_same_noise_from_the_level_that_strength_sets():
    seen = {"source": [], "target": []}
    before = source()

    def told(name, answer):
        return lambda x, level: seen[name].append((x, level)) or answer

    vary(told("source", 0 * before), told("target", 0 * before), before, 3, 0.5, 1.0, stream(), free)
    start = math.sqrt(alpha_bar(0.5 * STEPS))
    assert seen["source"][0][1] == seen["target"][0][1] == pytest.approx(start)
    for (a, _), (b, _) in zip(seen["source"], seen["target"], strict=True):
        assert np.array_equal(a, b)
    fresh = [(x - level * before) / math.sqrt(1 - level**2) for x, level in seen["source"]]
    assert not np.allclose(fresh[0], fresh[1]) and np.allclose(fresh[0], stream()())


def test_a_source_without_denoiser_is_made_anew_from_its_noised_self():
    before = source()
    far = np.abs(vary(None, best(0.0, 0.05), before + 3.0, 8, 1.0, 1.0, stream(), free)).mean()
    near = np.abs(vary(None, best(0.0, 0.05), before + 3.0, 8, 0.1, 1.0, stream(), free)).mean()
    assert far < 0.3 < near


@pytest.mark.parametrize(("strength", "two"), [(0.0, True), (0.4, True), (1.0, False)])
def test_network_calls_are_counted_exactly(strength, two):
    calls = []

    def denoise(x, level):
        calls.append(level)
        return 0.5 * x

    told = []
    vary(denoise if two else None, denoise, source(), 5, strength, 1.0, stream(), free, lambda *i: told.append(i))
    assert len(calls) == vary_calls(5, strength, two)
    assert told == ([] if strength == 0 else [(i + 1, 5) for i in range(5)])


def test_what_is_imposed_has_the_last_word():
    after = vary(best(0.0), best(2.0), source(), 5, 0.5, 0.0, stream(), lambda c, level: np.maximum(c, 0.25))
    assert after.min() == 0.25


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(ValueError, match="between 0 and 1"):
        vary(best(0.0), best(2.0), source(), 5, strength, 1.0, stream(), free)
