"""A long clip as overlapping windows of one length, and their answers as one motion without a visible seam.

What makes neighbours agree is settled before: every window's conditions and noise are slices of the whole clip's. The
seams only take away what is left, so world features are averaged as they are. That holds for 6D rotations as well: the
average of two nearby ones is, once orthonormalised, the rotation halfway between them to second order in their angle.
"""

import numpy as np

# Frames of a window. Attention reaches 2 s to either side, so what is longer than what was taught (180 frames)
# is answered alike; shorter windows only overlap more often.
LENGTH = 360
OVERLAP = 60  # frames at least that neighbours share, and over which one passes into the next


def spans(frames, length=LENGTH, overlap=OVERLAP):
    """(start, end) of windows that cover `frames` frames: all of `length`, evenly spaced, sharing `overlap` or more.

    A clip no longer than `length` is one window. Raises ValueError where windows could not advance.
    """
    if not 0 <= overlap < length:
        raise ValueError(f"Windows of {length} frames can't share {overlap}. Let them share fewer than they have.")
    if frames <= length:
        return [(0, frames)]
    count = -(-(frames - overlap) // (length - overlap))
    starts = np.round(np.linspace(0, frames - length, count)).astype(int)
    return [(int(s), int(s) + length) for s in starts]


def weights(parts, seam=OVERLAP):
    """How much each window of `parts` (as `spans` gives them) counts at its frames: a list of `[end - start]`.

    They add up to 1 at every frame. From one window to the next they pass as a raised cosine over `seam` frames in the
    middle of what both share, away from the windows' ends, where the network sees least of what surrounds a frame.
    """
    rises = [_rise(parts[i + 1][0], parts[i][1], seam) for i in range(len(parts) - 1)]
    out = []
    for i, (start, end) in enumerate(parts):
        time = np.arange(start, end)
        before = rises[i - 1](time) if i else np.ones(end - start)
        after = rises[i](time) if i + 1 < len(parts) else np.zeros(end - start)
        out.append(before - after)
    return out


def _rise(first, last, seam):
    """Raised cosine from 0 to 1 in the middle of the frames from `first` to before `last`."""
    width = max(min(seam, last - first), 1)
    begin = 0.5 * (first + last - 1) - 0.5 * width

    def rise(time):
        return 0.5 - 0.5 * np.cos(np.pi * np.clip((time - begin) / width, 0.0, 1.0))

    return rise


def merge(made, parts, seam=OVERLAP):
    """One array `[..., T, F]` from the windows' `[..., end - start, F]`, passing smoothly from one to the next.

    `made` may be an iterator: each window's answer is let go once it is added.
    """
    out = None
    for answer, (start, end), share in zip(made, parts, weights(parts, seam), strict=True):
        if out is None:
            out = np.zeros((*answer.shape[:-2], parts[-1][1], answer.shape[-1]), answer.dtype)
        out[..., start:end, :] += answer * share[:, None].astype(answer.dtype)
    return out
