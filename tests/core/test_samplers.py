"""Samplers and the schedule."""

import numpy as np
import pytest

from blender_motiondiff.core.diffusion.samplers import ddim
from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar, sampling_steps


def test_the_schedule_runs_from_clean_to_pure_noise():
    shares = alpha_bar(np.arange(STEPS + 1))
    assert shares[0] == pytest.approx(1.0) and shares[-1] < 1e-3 and (np.diff(shares) < 0).all()


@pytest.mark.parametrize("count", [1, 2, 4, 50])
def test_sampling_starts_at_pure_noise(count):
    steps = sampling_steps(count)
    assert len(steps) == count and steps[0] == STEPS and steps[-1] > 0


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_an_oracle_is_followed_exactly(steps):
    truth = np.random.default_rng(0).normal(size=(2, 1, 8, 5))
    seen = []
    out = ddim(lambda x, level: truth, np.zeros_like(truth), steps, lambda c: c, lambda i, n: seen.append((i, n)))
    assert np.allclose(out, truth) and seen == [(i + 1, steps) for i in range(steps)]


def test_ddim_follows_the_closed_form_of_a_gaussian():
    # For data N(0, s^2) the best x0 prediction is linear in x, and DDIM maps noise to data of deviation near s.
    s2 = 0.25
    noise = np.random.default_rng(1).normal(size=(20000,))

    def denoise(x, level):
        a = level**2
        return x * level * s2 / (a * s2 + 1 - a)

    out = ddim(denoise, noise, 400, lambda c: c)
    assert np.std(out) == pytest.approx(0.5, rel=0.05)


def test_what_is_imposed_stays():
    mask = np.zeros((1, 1, 8, 5))
    mask[..., 2] = 1
    out = ddim(lambda x, level: x + 1, np.ones((1, 1, 8, 5)), 5, lambda c: np.where(mask, 7.0, c))
    assert (out[..., 2] == 7.0).all()
