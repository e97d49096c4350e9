"""The ground under the feet, where it is not flat: how high it is where each foot stands, and what they step over.

Motion is made for flat ground at z = 0 and raised afterwards: the whole body by the smoothed height of the ground under
both feet, each foot by what its own ground differs from that. A ground is a function of points `[..., 2]` that gives
heights `[...]`, metres.
"""

import numpy as np

from ..reference import smooth
from ..skeleton import FEET
from .plants import runs

STEP_SECONDS = 0.15  # standard deviation over which the ground's height is smoothed, a quarter of a step and more
TIP = 0.5  # of the way from ankle to toe joint, that the tip of the toes lies beyond it
STEEPEST_SOLE = 0.8  # rise over run up to which a sole lies on the ground; on more, on an edge, it stays level
EDGE_ROOM = 0.03  # metres, for a leg of 0.85 m, that a swinging foot keeps over what sticks up
HIGHEST = 2.0  # times what it would go through, that a swing is raised at most: at its ends an edge may be grazed


def foot_ground(heights, stands):
    """The ground under a foot `[T]`: its median height a stance, passing from one to the next while the foot swings.

    `heights [T]` under the foot, `stands [T]` flags, one of them at least. A swing that the clip cuts off comes from
    what is under the foot there, or goes to it.
    """
    spans = runs(stands)
    out = np.empty(len(heights))
    levels = [float(np.median(heights[a:b])) for a, b in spans]
    levels = [heights[0], *levels, heights[-1]]
    ends, starts = [0, *spans[:, 1]], [*spans[:, 0], len(heights)]
    for end, start, low, high in zip(ends, starts, levels[:-1], levels[1:], strict=True):
        u = np.arange(1, start - end + 1) / (start - end + 1)
        out[end:start] = low + (high - low) * u * u * (3 - 2 * u)
    for (start, end), level in zip(spans, levels[1:-1], strict=True):
        out[start:end] = level
    return out


def body_ground(places, contacts, ground, fps):
    """The ground under a body `[T]`, metres: the mean of that under both feet, smoothed over a step.

    `places [T, 22, 3]` metres (their heights do not matter), `contacts [T, 4]` flags in the order of skeleton.FEET.
    Somebody who never stands is over the ground under their pelvis.
    """
    stands = (np.asarray(contacts, float) > 0.5).reshape(-1, 2, 2).any(2)
    tracks = [foot_ground(ground(places[:, FEET[2 * k + 1], :2]), stands[:, k]) for k in range(2) if stands[:, k].any()]
    mean = np.mean(tracks, 0) if tracks else ground(places[:, 0, :2])
    return smooth(mean[:, None], STEP_SECONDS, fps)[:, 0]


def sole_ground(ankle, toe, ankle_on, toe_on, ground):
    """The ground under ankle and toe of one foot, and how steep it is under the toes: `[T]` each.

    `ankle`, `toe [T, 3]`: where they are on flat ground, settled; `..._on [T]` flags. On an edge the foot lies level
    with the higher part. None for a foot that never stands.
    """
    stands = ankle_on | toe_on
    if not stands.any():
        return None
    under_toe, under_ankle = ground(toe[:, :2]), ground(ankle[:, :2])
    tip = toe[:, :2] + TIP * (toe - ankle)[:, :2]
    run = np.linalg.norm((toe - ankle)[:, :2], axis=1)
    rise = (ground(tip) - under_toe) / np.maximum(TIP * run, 1e-6)
    rise = np.where(np.abs(rise) < STEEPEST_SOLE, rise, 0.0)
    edge = np.abs(under_toe - under_ankle) > STEEPEST_SOLE * run
    higher = np.maximum(under_toe, under_ankle)
    tracks = [foot_ground(np.where(edge, higher, h), stands) for h in (under_ankle, under_toe)]
    return (*tracks, foot_ground(rise, stands))


def swing_bump(ankle, toe, stands, lowest, ground, sole, size):
    """Heights `[T]` by which a swinging foot is raised so that ankle, toe and tip clear the ground, stairs and all.

    `ankle`, `toe [T, 3]`: where they are to be, raised by `sole [T]`, the foot's ground; `lowest [2]`: heights over the
    ground that ankle and toe keep.
    """
    out = np.zeros(len(stands))
    tip = toe + TIP * (toe - ankle)
    missing = np.full(len(stands), -np.inf)
    for places, low in ((ankle, lowest[0]), (toe, lowest[1]), (tip, lowest[1])):
        under = ground(places[:, :2])
        # Where the ground is what the foot reckons with, it may pass as low as it does on flat ground.
        room = np.clip(under - sole, 0.0, EDGE_ROOM * size)
        missing = np.maximum(missing, np.where(under == sole, -np.inf, under + low + room - places[:, 2]))
    for start, end in runs(~stands):
        if start == 0 and end == len(stands):
            continue
        u = np.arange(1, end - start + 1) / (end - start + 1)
        # A swing that the clip cuts off is half of one.
        u = 0.5 + 0.5 * u if start == 0 else 0.5 * u if end == len(stands) else u
        shape = np.sin(np.pi * u) ** 2
        shape = shape * (2 - shape)
        out[start:end] = max((missing[start:end] / np.maximum(shape, 1 / HIGHEST)).max(), 0.0) * shape
    return out
