"""Changing a motion without inverting it: DDCM of InfEdit (Xu et al. 2024, section 3), in x0 form."""

import math

import numpy as np

from .schedule import STEPS, alpha_bar


def vary(denoise_source, denoise_target, source, steps, strength, mask, draw, impose, callback=None):
    """The clean residuals `source [...]`, changed as the target's estimate differs from the source's; same shape.

    Both branches are noised with the same numbers; the source's clean part is known, so the noise in it is as well and
    nothing is inverted. With D the denoisers, which an epsilon network's formula (InfEdit, equation 11) turns into,
    x0 = source + mask (D_target(x_t) - D_source(x_s)), then multi-step consistency steps down. What both would do alike
    stays, to the bit where `mask` (0 to 1, broadcastable) is 0 or where the two denoisers answer the same.

    `denoise_source(x, level)`: under the conditions that the source fulfils; None for one that knows the source, which
    makes the change a new answer under the target's conditions that starts from the noised source (SDEdit, Meng et al.
    2022). `strength` sets the noise level to start at: 0 hands `source` back as it is, 1 starts from pure noise.
    `impose(x0, level)` has the last word. `callback(step, steps)` may raise to stop. `vary_calls` network calls.
    Raises ValueError for a strength outside 0 .. 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"A motion can't be varied by {strength}: the strength lies between 0 and 1.")
    if strength == 0:
        return source.copy()
    shares = [float(a) for a in alpha_bar(np.linspace(strength * STEPS, 0.0, steps + 1))]
    clean, mask = source, np.asarray(mask, source.dtype)
    for i, share in enumerate(shares[:-1]):
        level, noise = math.sqrt(share), math.sqrt(1 - share) * draw()
        estimate = denoise_target(level * clean + noise, level)
        known = source if denoise_source is None else denoise_source(level * source + noise, level)
        clean = impose(source + mask * (estimate - known), level)
        if callback is not None:
            callback(i + 1, steps)
    return clean


def vary_calls(steps, strength, two=True):
    """Network calls of `vary`: one a step and branch, none at strength 0. `two`: the source has a denoiser as well."""
    return 0 if strength == 0 else steps * (1 + two)
