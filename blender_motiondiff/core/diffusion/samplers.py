"""Samplers: plain functions from noise to a clean residual, of one shape, with a callback."""

import numpy as np

from .schedule import alpha_bar, sampling_steps


def ddim(denoise, noise, steps, impose, callback=None):
    """DDIM with eta 0 on an x0-predicting network (Song et al. 2021, equation 12).

    `denoise(x, level) -> x0` with `level` the square root of alpha-bar; `impose(x0) -> x0` puts in what is known at
    every step; `callback(i, steps)` may raise to stop. Shapes are those of `noise`.
    """
    x = noise
    times = np.append(sampling_steps(steps), 0.0)
    for i in range(steps):
        now, then = alpha_bar(times[i]), alpha_bar(times[i + 1])
        clean = impose(denoise(x, np.sqrt(now)))
        direction = (x - np.sqrt(now) * clean) / np.sqrt(max(1.0 - now, 1e-8))
        x = np.sqrt(then) * clean + np.sqrt(1.0 - then) * direction
        if callback is not None:
            callback(i + 1, steps)
    return clean
