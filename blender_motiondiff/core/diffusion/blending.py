"""DiffusionBlending: several denoisers' estimates weighed against each other, by frame and by feature.

Shafir et al. 2023 (PriorMDM, section 3.3): the sum of the models' x0, here with weights that add up to 1; the pair's
estimate moved towards a single person's is Ruiz-Ponce et al. 2024 (in2IN, DualMDM), G_pair + w (G_single - G_pair).
What comes out is called as a denoiser is: `denoise(noisy, given, free, level, present) -> x0`.
"""

import numpy as np

from ..features import SIZE
from ..reference import SOURCES

SEEN = slice(2 * SIZE + 3 + SOURCES, 2 * SIZE + 3 + SOURCES + 4)  # of reference.given: the partner's frame
THERE = SEEN.stop + 2  # of reference.given: whether a partner is there


def blended(denoisers, weights):
    """The denoiser that weighs the estimates of `denoisers` with `weights`, one of each a denoiser.

    A weight is a number or an array that broadcasts to the estimate `[takes, P, T, 268]` (see `over_frames`). They add
    up to 1 everywhere; the last may be None: the rest to 1. A denoiser whose weight is 0 everywhere is not called.
    Raises ValueError where weights are too few or don't add up.
    """
    if len(weights) != len(denoisers):
        raise ValueError(f"{len(denoisers)} denoisers are blended with {len(weights)} weights: give one for each.")

    def denoise(noisy, given, free, level, present):
        total = None
        for one, weight in zip(denoisers, _shares(weights, noisy.dtype), strict=True):
            if not np.any(weight):
                continue
            part = weight * one(noisy, given, free, level, present)
            total = part if total is None else total + part
        return total

    denoise.weights = getattr(denoisers[0], "weights", None)
    return denoise


def _shares(weights, dtype):
    found = list(weights)
    if found[-1] is None:
        found[-1] = 1.0 - sum(np.asarray(w, float) for w in found[:-1])
    found = [np.asarray(w, float) for w in found]
    if not np.allclose(sum(found), 1.0, atol=1e-4):
        raise ValueError("Weights of blended denoisers don't add up to 1. Give the last one as None: the rest to 1.")
    return [w.astype(dtype) for w in found]


def over_frames(weight, frames):
    """A weight a frame `[..., T]` as one for estimates `[..., frames, 268]`, its last value held (clips are padded)."""
    weight = np.asarray(weight, float)[..., :frames]
    missing = frames - weight.shape[-1]
    return np.pad(weight, [(0, 0)] * (weight.ndim - 1) + [(0, missing)], mode="edge")[..., None]


def alone(denoise):
    """The same network as a prior of one person: the partner is absent from what it is given."""

    def single(noisy, given, free, level, present):
        given = given.copy()
        given[..., SEEN] = 0.0
        given[..., THERE] = 0.0
        return denoise(noisy, given, free, level, np.zeros_like(present))

    single.weights = getattr(denoise, "weights", None)
    return single


def pair_and_single(denoise, weight):
    """The pair's estimate moved towards the single-person prior's by `weight` (as in `blended`)."""
    return blended((alone(denoise), denoise), (weight, None))
