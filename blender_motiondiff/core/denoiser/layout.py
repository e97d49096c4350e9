"""Facts about the network's input that both back ends share."""

import numpy as np

PATCH = 4  # frames a token
REACH = 16  # tokens: attention sees less than this far to either side
SLOW = 6.0  # tokens: standard deviation of the average that makes the slow part of the noise


def token_distance(frames):
    """Relative token numbers of a clip of `frames` frames, clipped to +-REACH and counted from 0: `(N, N)` int64."""
    index = np.arange(frames // PATCH)
    return np.clip(index[None, :] - index[:, None], -REACH, REACH) + REACH


def slow_part(noise):
    """The part of noise `[..., T, K]` that the network tells takes apart by, same shape and type, alike over a token.

    Its average over a token, averaged over the tokens about as the network does it (`Denoiser.slow`).
    """
    frames, channels = noise.shape[-2:]
    far = token_distance(frames) - REACH
    near = np.exp(-0.5 * (far / SLOW) ** 2) * (np.abs(far) < REACH)
    near = (near / near.sum(-1, keepdims=True)).astype(noise.dtype)
    tokens = noise.reshape(*noise.shape[:-2], frames // PATCH, PATCH, channels).mean(-2)
    return np.repeat(near @ tokens, PATCH, axis=-2)
