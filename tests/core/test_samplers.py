"""Samplers and the schedule, on Gaussian data whose best denoiser is known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core.diffusion.blending import alone, blended, over_frames, pair_and_single
from blender_motiondiff.core.diffusion.samplers import SAMPLERS, calls, ddim, ddpm, lcm, mixed, mixed_times, moves
from blender_motiondiff.core.diffusion.sampling import solo_weights
from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar, sampling_steps, step_of
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.reference import GIVEN, extras
from blender_motiondiff.core.request import Solo, data
from blender_motiondiff.core.skeleton import INDEX

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.2], [0.0, 0.2, 0.3]])


def best(x, level):
    """The posterior mean of N(MEAN, COVARIANCE)."""
    gain = level * COVARIANCE @ np.linalg.inv(level**2 * COVARIANCE + (1 - level**2) * np.eye(3))
    return MEAN + (x - level * MEAN) @ gain.T


def consistent(x, level):
    """Where the probability flow from x ends: what a consistency network learns."""
    values, axes = np.linalg.eigh(COVARIANCE)
    scale = np.sqrt(values / (level**2 * values + 1 - level**2))
    return MEAN + (x - level * MEAN) @ (axes * scale) @ axes.T


def stream(shape, seed=0, dtype=float):
    rng = np.random.default_rng(seed)
    return lambda: rng.standard_normal(shape, dtype)


def nothing(clean, level):
    return clean


def test_the_schedule_runs_from_clean_to_pure_noise():
    shares = alpha_bar(np.arange(STEPS + 1))
    assert shares[0] == pytest.approx(1.0) and shares[-1] < 1e-3 and (np.diff(shares) < 0).all()


@given(st.floats(0.0, STEPS))
def test_a_level_tells_its_step(step):
    assert step_of(np.sqrt(alpha_bar(step))) == pytest.approx(step, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2, 4, 50, 1000])
def test_sampling_starts_at_pure_noise(count):
    steps = sampling_steps(count)
    assert len(steps) == count and steps[0] == STEPS and steps[-1] > 0


def test_every_sampler_that_can_be_asked_for_is_there():
    assert set(SAMPLERS) == set(data.SAMPLERS)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@pytest.mark.parametrize("steps", [1, 2, 3, 20])
def test_an_oracle_is_followed_exactly(name, steps):
    truth = np.random.default_rng(0).normal(size=(2, 1, 8, 5))
    out = SAMPLERS[name](lambda x, level: truth, np.zeros_like(truth), steps, nothing, stream(truth.shape))
    assert np.array_equal(out, truth)


@pytest.mark.parametrize(
    ("sampler", "denoise", "steps", "own"),
    [
        (ddpm, best, 200, {}), (ddim, best, 200, {}), (ddim, best, 200, {"eta": 0.5}), (lcm, consistent, 1, {}),
        (lcm, consistent, 4, {}), (mixed, best, 200, {"refine": consistent}),
        (mixed, best, 100, {"refine": consistent, "refine_steps": 1, "refine_from": 0.7}),
        (ddpm, best, 150, {"repaint": 2, "jump": 3}),
    ],
)  # fmt: skip
def test_the_data_s_mean_and_covariance_come_out(sampler, denoise, steps, own):
    draw = stream((20000, 3))
    out = sampler(denoise, draw(), steps, nothing, draw, **own)
    assert np.abs(out.mean(0) - MEAN).max() < 0.03
    assert np.abs(np.cov(out.T) - COVARIANCE).max() < 0.06


def test_a_posterior_mean_is_no_consistency_function():
    # Which is why the few-step sampler wants distilled weights: with others, variance is lost.
    draw = stream((20000, 3))
    out = lcm(best, draw(), 4, nothing, draw)
    assert np.cov(out.T)[2, 2] < 0.7 * COVARIANCE[2, 2]


@pytest.mark.parametrize("steps", [1, 4, 30])
def test_ddim_with_eta_1_is_ddpm(steps):
    noise = stream((50, 3), 1)()
    assert np.allclose(
        ddim(best, noise, steps, nothing, stream((50, 3)), eta=1.0),
        ddpm(best, noise, steps, nothing, stream((50, 3))),
    )


def test_ddim_with_eta_0_draws_nothing():
    ways = [ddim(best, np.ones((4, 3)), 7, nothing, draw) for draw in (None, stream((4, 3)))]
    assert np.array_equal(*ways)


@given(st.sampled_from(sorted(SAMPLERS)), st.integers(1, 24), st.integers(1, 3), st.integers(1, 4))
def test_network_calls_are_counted_exactly(name, steps, repaint, jump):
    levels, told = [], []

    def denoise(x, level):
        levels.append(level)
        return 0.5 * x

    draw = stream((1, 2))
    SAMPLERS[name](denoise, draw(), steps, nothing, draw, lambda i, n: told.append((i, n)), repaint, jump)
    assert len(levels) == calls(steps, repaint, jump)
    assert told == [(i + 1, len(levels)) for i in range(len(levels))]
    assert 0 <= levels[0] < 1e-3 and levels[-1] == max(levels) and all(type(v) is float for v in levels)


@pytest.mark.parametrize(
    ("steps", "repaint", "jump", "count"),
    [(250, 10, 10, 2410), (50, 3, 5, 140), (20, 2, 2, 38), (10, 2, 2, 18), (1, 9, 1, 1), (1000, 1, 1, 1000)],
)
def test_repaint_counts_as_published(steps, repaint, jump, count):
    assert calls(steps, repaint, jump) == count == sum(b > a for a, b in moves(steps, repaint, jump))


@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 5))
def test_moves_hang_together_and_end_clean(steps, repaint, jump):
    order = moves(steps, repaint, jump)
    assert order[0][0] == 0 and order[-1][1] == steps
    assert all(a[1] == b[0] for a, b in zip(order, order[1:]))
    assert all(b - a in (1, -jump) for a, b in order)


def test_the_second_denoiser_of_the_mixed_mode_makes_the_last_steps():
    seen = []

    def told(name):
        return lambda x, level: seen.append((name, level)) or x

    mixed(told("a"), np.ones(3), 6, nothing, stream(3), refine=told("b"), refine_steps=2, refine_from=0.4)
    assert "".join(name for name, _ in seen) == "aaaabb"
    assert seen[4][1] == pytest.approx(np.sqrt(alpha_bar(0.4 * STEPS)))
    assert np.all(np.diff(mixed_times(6, 2, 0.4)) < 0)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
@pytest.mark.parametrize("repaint", [1, 3])
def test_what_is_imposed_stays_and_is_asked_for_at_every_level(name, repaint):
    mask, levels = np.zeros((1, 1, 8, 5)), []
    mask[..., 2] = 1

    def impose(clean, level):
        levels.append(level)
        return np.where(mask, 7.0, clean)

    draw = stream(mask.shape)
    out = SAMPLERS[name](lambda x, level: x + 1, draw(), 5, impose, draw, repaint=repaint)
    assert (out[..., 2] == 7.0).all() and len(levels) == calls(5, repaint)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_the_same_stream_gives_the_same_answer_in_single_precision(name):
    def run(seed):
        draw = stream((40, 3), seed, np.float32)
        own = {"eta": 0.3} if name == "ddim" else {}
        return SAMPLERS[name](
            lambda x, level: best(x, level).astype(np.float32), draw(), 6, nothing, draw, repaint=2, **own
        )

    assert np.array_equal(run(3), run(3)) and not np.allclose(run(3), run(4))
    assert run(3).dtype == np.float32

    seen = []
    draw = stream((4, 3), 0, np.float32)
    SAMPLERS[name](lambda x, level: seen.append(x.dtype) or x, draw(), 6, nothing, draw, repaint=2)
    assert set(seen) == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["ddpm", "ddim", "lcm"])
def test_repainting_makes_the_rest_agree_with_what_is_imposed(name):
    # The denoiser knows nothing of the mask. Under the data, the second number is -2 + 0.9 (first - 1) on average.
    asked = np.random.default_rng(5).normal(1.0, 1.0, 20000)

    def impose(clean, level):
        return np.concatenate([asked[:, None], clean[:, 1:]], 1)

    def slope(repaint):
        draw = stream((20000, 3))
        out = SAMPLERS[name](best, draw(), 10, impose, draw, repaint=repaint)
        return np.polyfit(asked, out[:, 1], 1)[0]

    plain, better = slope(1), slope(6)
    assert abs(better - 0.9) < 0.75 * abs(plain - 0.9)


# --- blending ---------------------------------------------------------------------------------------------------------

SHAPE = (2, 2, 8, SIZE)


def fixed(value, seen=None):
    def denoise(noisy, given, free, level, present):
        if seen is not None:
            seen.append((given, present))
        return np.full(noisy.shape, value, noisy.dtype)

    return denoise


def call(denoise, level=0.5):
    given = np.ones((*SHAPE[:3], GIVEN), np.float32)
    blank = np.zeros(SHAPE, np.float32)
    return denoise(blank, given, blank, np.full(2, level, np.float32), np.ones((2, 2), np.float32))


def test_estimates_are_weighed_by_frame_and_feature():
    ramp = over_frames(np.linspace(0, 1, 6), 8)
    out = call(blended((fixed(1.0), fixed(3.0)), (ramp, None)))
    assert out.dtype == np.float32 and out.shape == SHAPE
    assert np.allclose(out[0, 0, :, 0], 3.0 - 2.0 * np.append(np.linspace(0, 1, 6), [1, 1]))
    some = np.zeros(SIZE)
    some[5] = 1.0
    out = call(blended((fixed(1.0), fixed(3.0)), (some, 1 - some)))
    assert (out[..., 5] == 1.0).all() and (out[..., 6] == 3.0).all()


def test_who_has_no_weight_is_not_called():
    seen = []
    assert (call(blended((fixed(1.0, seen), fixed(3.0)), (0.0, None))) == 3.0).all() and not seen


@pytest.mark.parametrize("weights", [(0.5,), (0.5, 0.6), (None, 0.5)])
def test_weights_that_don_t_add_up_are_refused(weights):
    with pytest.raises((ValueError, TypeError)):
        call(blended((fixed(1.0), fixed(3.0)), weights))


def test_solos_weigh_their_joints_over_their_span_the_firmest_first():
    times = np.arange(90) / 30.0
    half, all_of_it = Solo(("head",), 1.0, 2.0, 0.5), Solo(("head", "neck"), 1.5, 2.0, 1.0)
    weights = solo_weights((half, all_of_it), times, 92)
    head, neck, hips = 3 * INDEX["head"], 3 * INDEX["neck"], 0
    assert weights.shape == (92, SIZE) and not weights[:, hips].any() and not weights[:15].any()
    assert np.allclose(weights[30:33, head], 0.5) and np.allclose(weights[45:61, [head, neck]], 1.0)
    assert np.allclose(weights[89:], weights[89])


def test_the_single_person_s_prior_sees_no_partner():
    seen = []
    call(pair_and_single(fixed(1.0, seen), 0.5))
    (single, nobody), (pair, both) = seen
    assert (nobody == 0).all() and (both == 1).all() and (pair == 1).all()
    frames, ones = np.zeros((2, 8)), np.ones((2, 8, SIZE), bool)
    place = np.arange(32.0).reshape(2, 8, 2)
    sources = np.zeros(2, int)

    def given_with(present):
        with_partner = extras(sources, ones, place, frames, place[::-1], frames, present, np.ones((2, 11)))
        return np.concatenate([np.zeros((2, 8, 2 * SIZE)), with_partner], -1)[None].astype(np.float32)

    handed = []
    single = alone(lambda noisy, given, *rest: handed.append(given) or noisy)
    single(np.zeros((1, 2, 8, SIZE), np.float32), given_with(np.ones(2)), None, None, np.ones((1, 2)))
    assert np.array_equal(handed[0], given_with(np.zeros(2)))
