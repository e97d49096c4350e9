"""Steps that keep the body's weight over the feet of who stands: nobody tips over feet that stay where they are."""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX
from .plants import all_runs, anchors
from .steps import STEP, arc, half_way

# Recorded people who stand upright on both feet have their weight nearer to the line between them: 99 % of the frames
# within 0.10 m, 99.9 % within 0.15 (0.12 of the couple), over stretches of STEP frames.
TIPPING = 0.12  # metres, for a leg of 0.85 m
UPRIGHT = 0.75  # metres, for such a leg: whose pelvis is lower may lean on something else
WEIGHT = ((INDEX["pelvis"], 0.55), (INDEX["neck"], 0.35), (INDEX["head"], 0.10))  # about where a body's weight is
ROUNDS = 4  # steps of one person at most


def beyond_support(places, left, right):
    """Metres `[..., T]` over the ground from a body's weight to the line between its feet.

    `places [..., T, 22, 3]`; `left`, `right [..., T, 2]`: the middle of each foot.
    """
    weight = sum(share * places[..., joint, :2] for joint, share in WEIGHT)
    line, way = right - left, weight - left
    along = np.clip(rot.dot(way, line) / np.maximum(rot.dot(line, line), 1e-12), 0.0, 1.0)
    return rot.length(way - along[..., None] * line)


def tips(beyond, places, both, size):
    """Frames `[N, T]` in which who stands on both feet, flags `both`, tips over: for STEP frames or more.

    `beyond [N, T]`: see `beyond_support`; `size [N]`.
    """
    over = both & (beyond > TIPPING * size[:, None]) & (places[:, :, 0, 2] > UPRIGHT * size[:, None])
    found, out = all_runs(over), np.zeros(over.shape, bool)
    out[found.at] = found.each(found.lengths >= STEP)
    return out


def balancing(standing, feet, places, size, fps, fixed):
    """Heights `[2 N, T]` of the steps that keep N bodies from tipping over standing feet, all left ones first.

    `standing [2 N, T]` flags; `feet`: ankles and toes `[2 N, T, 3]`; `places [N, T, 22, 3]`; `size [N]`. Feet whose
    stance has `fixed [2 N, T]` frames take none. The one that strays more from where it stands steps.
    """
    count, sizes = len(places), np.tile(size, 2)
    sole, out = 0.5 * (feet[0] + feet[1]), np.zeros(standing.shape)
    for _ in range(ROUNDS):
        stands = standing & (out == 0)
        found = all_runs(stands)
        may = found.lengths >= 3 * STEP
        if not may.any():
            break
        may &= ~np.logical_or.reduceat(fixed[found.at], found.first)
        track = sole[..., :2].copy()
        track[found.at] = found.each(anchors(sole, found, sizes, fps))
        beyond = beyond_support(places, *track.reshape(2, count, -1, 2))
        over = tips(beyond, places, stands.reshape(2, count, -1).all(0), size)
        if not over.any():
            break
        strays = np.tile(over, (2, 1)) * rot.length(track - sole[..., :2])
        strays = np.add.reduceat(strays[found.at], found.first) * may
        for k in _most_of_each(strays, found.row % count):
            row = found.row[k]
            first = half_way(int(found.start[k]), int(found.end[k]), feet[1][row], row // count)
            out[row, first : first + STEP] = arc(STEP, sizes[row])
    return out


def _most_of_each(values, group):
    """Where the largest of `values [R]` over 0 of each `group [R]` is."""
    order = np.lexsort((values, group))
    last = np.append(group[order][1:] != group[order][:-1], True)
    return [k for k in order[last] if values[k] > 0]
