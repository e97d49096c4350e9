"""How much feet slide: the field's common measure."""

import numpy as np

from ..skeleton import FEET

GMD_FPS = 20.0
GMD_HEIGHT = 0.05  # metres over the ground: a toe joint lower than this touches it
GMD_SPEED = 0.5  # metres a second
TOES = (FEET[1], FEET[3])


def at_rate(values, fps, wanted):
    """`values [T, ...]` sampled at `wanted` frames a second, linearly, over the same time."""
    frames = len(values)
    times = np.arange(0, (frames - 1) / fps + 1e-9, 1 / wanted) * fps
    index = np.minimum(times.astype(int), max(frames - 2, 0))
    share = (times - index).reshape(-1, *[1] * (values.ndim - 1))
    return values[index] * (1 - share) + values[np.minimum(index + 1, frames - 1)] * share


def gmd_foot_skating_ratio(positions, fps, toe_rest_height=0.0):
    """Share of frames in which a toe on the ground slides: the definition of GMD (Karunratanakul et al. 2023), 20 fps.

    On the ground: under 5 cm over `toe_rest_height` (metres, that of the rig's toe joint when its foot stands flat) in
    two successive frames. Sliding: over 0.5 m/s, also on the average of five frames. `positions [T, J, 3]` with the
    canonical joints' order, or the two toes alone `[T, 2, 3]`.
    """
    toes = positions if positions.shape[1] == 2 else positions[:, list(TOES)]
    toes = at_rate(toes, fps, GMD_FPS)
    if len(toes) < 2:
        return 0.0
    low = toes[..., 2] - toe_rest_height < GMD_HEIGHT
    speed = np.linalg.norm(np.diff(toes[..., :2], axis=0), axis=-1) * GMD_FPS
    average = np.stack([np.convolve(np.pad(s, 2), np.full(5, 0.2), "valid") for s in speed.T], 1)
    slides = low[1:] & low[:-1] & (speed > GMD_SPEED) & (average > GMD_SPEED)
    return float(slides.any(1).mean())
