"""The noise schedule: cosine (Nichol & Dhariwal 2021, equation 17). Steps are real-valued: any number of them fits."""

import numpy as np

STEPS = 50
OFFSET = 0.008


def alpha_bar(step, steps=STEPS):
    """Share of the signal's variance left at `step` (0 clean, `steps` pure noise)."""
    f = np.cos((np.asarray(step, float) / steps + OFFSET) / (1 + OFFSET) * np.pi / 2) ** 2
    return np.clip(f / np.cos(OFFSET / (1 + OFFSET) * np.pi / 2) ** 2, 0.0, 1.0)


def step_of(level, steps=STEPS):
    """The step at which the square root of alpha-bar is `level`: the inverse of `alpha_bar`."""
    clean = np.cos(OFFSET / (1 + OFFSET) * np.pi / 2)
    return steps * (np.arccos(np.clip(level, 0.0, 1.0) * clean) * 2 / np.pi * (1 + OFFSET) - OFFSET)


def sampling_steps(count, steps=STEPS):
    """`count` steps from pure noise down to, but not including, 0, evenly spaced."""
    return np.linspace(steps, 0, count + 1)[:-1]
