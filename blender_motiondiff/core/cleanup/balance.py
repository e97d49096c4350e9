"""Steps that keep who stands steady: nobody tips over feet that stay where they are, or turns until the legs cross."""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX
from .legs_apart import across
from .plants import all_runs, anchors, runs
from .steps import STEP, arc, half_way

# Recorded people who stand upright on both feet have their weight nearer to the line between them: 99 % of the frames
# within 0.10 m, 99.9 % within 0.15 (0.12 of the couple), over stretches of STEP frames.
TIPPING = 0.12  # metres, for a leg of 0.85 m
# Of recorded people's frames on both feet, 0.1 % have them side by side on the wrong sides.
CROSSED, BESIDE = 0.05, 0.2  # metres, for such a leg, to the wrong side; and ahead of each other at most
UPRIGHT = 0.75  # metres, for such a leg: whose pelvis is lower may lean on something else
WEIGHT = ((INDEX["pelvis"], 0.55), (INDEX["neck"], 0.35), (INDEX["head"], 0.10))  # about where a body's weight is
HELPS = 0.5  # of the unsteady frames of a stance that a step must leave at most


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
    return _lasting(_upright(places, both, size) & (beyond > TIPPING * size[:, None]))


def crossed(places, left, right, both, size):
    """Frames `[N, T]` in which who stands on both feet has them beside each other, crossed: for STEP frames or more.

    `left`, `right [N, T, 2]`: the middle of each foot; the rest as in `tips`.
    """
    aside, way = across(places), (left - right) / size[:, None, None]
    ahead = rot.length(way - rot.dot(way, aside)[..., None] * aside)
    return _lasting(_upright(places, both, size) & (rot.dot(way, aside) < -CROSSED) & (ahead < BESIDE))


def _upright(places, both, size):
    return both & (places[:, :, INDEX["pelvis"], 2] > UPRIGHT * size[:, None])


def _lasting(flags):
    """Those of `flags [N, T]` that last for STEP frames."""
    found, out = all_runs(flags), np.zeros(flags.shape, bool)
    out[found.at] = found.each(found.lengths >= STEP)
    return out


def balancing(standing, feet, places, size, fps, fixed):
    """Heights `[2 N, T]` of the steps that keep N bodies steady over standing feet, all left ones first.

    `standing [2 N, T]` flags; `feet`: ankles and toes `[2 N, T, 3]`; `places [N, T, 22, 3]`; `size [N]`. Feet whose
    stance has `fixed [2 N, T]` frames take none.
    """
    out, sole = np.zeros(standing.shape), 0.5 * (feet[0] + feet[1])
    if not (all_runs(standing).lengths >= 3 * STEP).any():
        return out
    over = _unsteady(standing, sole, places, size, fps)
    for n in np.flatnonzero(over.any(1)):
        own = [n, n + len(places)]
        about = sole[own], places[n : n + 1], size[n : n + 1], fps
        out[own] = _steps_of(standing[own], feet[1][own], fixed[own], over[n], about)
    return out


def _unsteady(standing, sole, places, size, fps):
    """Frames `[N, T]` in which bodies tip over feet that stand each where it belongs, or stand with crossed legs."""
    found, track, pair = all_runs(standing), sole[..., :2].copy(), (2, len(places), standing.shape[1])
    if len(found.row):
        track[found.at] = found.each(anchors(sole, found, np.tile(size, 2), fps))
    middles, both = track.reshape(*pair, 2), standing.reshape(pair).all(0)
    return tips(beyond_support(places, *middles), places, both, size) | crossed(places, *middles, both, size)


def _steps_of(standing, toe, fixed, over, about):
    """Heights `[2, T]` of one body's steps. `over [T]`: where it is unsteady; `about`: what `_unsteady` needs."""
    out, hopeless = np.zeros(standing.shape), np.zeros(len(over), bool)
    while (over & ~hopeless).any():
        frame = int((over & ~hopeless).argmax())
        best = None
        for sides in ((0,), (1,), (0, 1)):
            stances = [(side, *_stance(standing[side], frame)) for side in sides]
            if any(end - start < 3 * STEP or fixed[side, start:end].any() for side, start, end in stances):
                continue
            step = np.zeros(standing.shape, bool)
            for side, start, end in stances:
                first = half_way(start, end, toe[side], side)
                step[side, first : first + STEP] = True
            after = _unsteady(standing & ~step, *about)[0]
            within = slice(min(s[1] for s in stances), max(s[2] for s in stances))
            left = after[within].sum() / over[within].sum()
            if left <= HELPS and (best is None or left < HELPS * best[0]):
                best = left, step, after
        if best is None:
            hopeless[frame:] |= np.logical_and.accumulate(over[frame:])
        else:
            _, step, over = best
            standing = standing & ~step
            out[step] = np.tile(arc(STEP, about[2][0]), step.sum() // STEP)
    return out


def _stance(standing, frame):
    """(first, end) of the run of flags `[T]` that holds a frame."""
    return next(run for run in map(tuple, runs(standing)) if run[0] <= frame < run[1])
