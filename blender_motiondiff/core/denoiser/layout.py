"""Facts about the network's input that both back ends share."""

import numpy as np

PATCH = 4  # frames a token
REACH = 16  # tokens: attention sees less than this far to either side


def token_distance(frames):
    """Relative token numbers of a clip of `frames` frames, clipped to +-REACH and counted from 0: `(N, N)` int64."""
    index = np.arange(frames // PATCH)
    return np.clip(index[None, :] - index[:, None], -REACH, REACH) + REACH
