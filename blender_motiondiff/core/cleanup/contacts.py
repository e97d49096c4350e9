"""Which foot joints stand on the ground, by speed and height with hysteresis.

The thresholds are tighter than InterGen's (its 0.001 m^2 a frame^2 equals 0.95 m/s at 30 fps, which calls sliding feet
standing): Kimodo's and Motion-Matching's 0.15 m/s, widened to what markers at 30 fps allow.
"""

import numpy as np

from .. import rotations as rot
from ..motion import central
from ..skeleton import FEET
from .plants import all_runs

SPEED_ON, SPEED_OFF = 0.25, 0.40  # metres a second
HEIGHT_ON, HEIGHT_OFF = 0.04, 0.06  # metres over the joint's rest height
SHORTEST = 3  # frames


def foot_speed(places, fps):
    """Speed of joints `[T, K, 3]` in metres a second `[T, K]`, central differences."""
    if len(places) < 2:
        return np.zeros(places.shape[:2])
    return rot.length(central(places.swapaxes(0, 1)).swapaxes(0, 1)) * fps


def label_contacts(positions, body, fps, ground=None):
    """Contacts of the four foot joints (order of skeleton.FEET) -> bool `[T, 4]`.

    `positions [T, 22, 3]` in metres, ground at z = 0 or where `ground` (points `[..., 2]` -> heights `[...]`) says.
    Lengths and speeds are taken relative to the body's size.
    """
    places = positions[:, list(FEET)] / body.size
    speed = foot_speed(places, fps)
    lift = places[..., 2] - body.foot_heights / body.size
    if ground is not None:
        lift = lift - ground(positions[:, list(FEET), :2]) / body.size
    on = (speed < SPEED_ON) & (lift < HEIGHT_ON)
    may_stay = (speed < SPEED_OFF) & (lift < HEIGHT_OFF)
    return hysteresis(on.T, may_stay.T).T


def hysteresis(on, may_stay, shortest=SHORTEST):
    """Runs of `may_stay` that hold at least one `on`, and at least `shortest` frames. bool `[N, T]`, both."""
    out, found = np.zeros(on.shape, bool), all_runs(may_stay)
    if len(found.row):
        some = np.logical_or.reduceat(on[found.at], found.first)
        out[found.at] = found.each(some & (found.lengths >= shortest))
    return out
