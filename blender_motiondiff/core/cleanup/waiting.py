"""Somebody who waits stays where they are: the drift of a body whose feet both stand for long is taken out.

Where a partner is the network tells from the leader's own place, so one who only waits sways along with it. Feet that
are held back from that would have to take steps for nothing.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import positions
from ..skeleton import INDEX
from .plants import all_runs, between

GOING = 0.25  # metres a second, for a leg of 0.85 m: who moves on faster than that does not wait
LONG = 0.7  # seconds for which both feet stand: in walks and dances they do for less
FARTHEST = 0.35  # metres, for a leg of 0.85 m, that somebody is moved at most
FADE = 0.8  # seconds over which what is moved comes and goes beside
TOES = [INDEX["left_foot"], INDEX["right_foot"]]


def _speed(motion):
    """Metres a second `[T]` along the ground from half of LONG before a frame to half of it after."""
    reach, time = round(0.5 * LONG * motion.fps), np.arange(motion.frames)
    before, after = np.maximum(time - reach, 0), np.minimum(time + reach, motion.frames - 1)
    moved = rot.length(motion.root[after, :2] - motion.root[before, :2])
    return moved * motion.fps / np.maximum(after - before, 1)


def kept_in_place(motion, stands):
    """The motion without the drift over the ground of stretches in which both feet stand, `stands [T, 4]` flags."""
    both = np.asarray(stands, bool).reshape(-1, 2, 2).any(2).all(1)
    both &= _speed(motion) < GOING * motion.body.size
    found = all_runs(both[None])
    waits = np.zeros((1, len(both)), bool)
    waits[found.at] = found.each(found.lengths >= LONG * motion.fps)
    if not waits.any():
        return motion
    found, toes = all_runs(waits), positions(motion)[:, TOES, :2].mean(1)
    back, track = np.zeros((1, len(both), 2)), toes[found.at[1]]
    back[found.at] = found.each(np.add.reduceat(track, found.first) / found.lengths[:, None]) - track
    far = np.linalg.norm(back, axis=-1, keepdims=True) / (FARTHEST * motion.body.size)
    back *= (1.0 + far**4) ** -0.25  # a bound without a kink
    out, level = back.copy(), np.zeros(back.shape)
    between(out, back, waits, level, level, round(FADE * motion.fps))
    root = motion.root.copy()
    root[:, :2] += out[0]
    return replace(motion, root=root)
