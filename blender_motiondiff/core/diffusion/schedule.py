"""The noise schedule: cosine (Nichol & Dhariwal 2021, equation 17)."""

import numpy as np

STEPS = 50


def alpha_bar(step, steps=STEPS):
    """Share of the signal's variance left at `step` (0 clean, `steps` pure noise)."""
    f = np.cos((np.asarray(step, float) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.clip(f / np.cos(0.008 / 1.008 * np.pi / 2) ** 2, 0.0, 1.0)


def sampling_steps(count, steps=STEPS):
    """`count` steps from pure noise down to, but not including, 0, evenly spaced."""
    return np.linspace(steps, 0, count + 1)[:-1]
