"""Paths as rows: where the pelvis itself is bound, and heights, waypoints and headings.

What binds the smoothed pelvis along a whole path is measured on its smoothed part (trajectory.smooth_pelvis). That is
a projection, so a change of all frames by their residuals takes it to 0: its rows say that each frame moves its own.
A given heading always binds the smoothed turn of the pelvis: hips turn with every step.
"""

import numpy as np

from .. import rotations as rot
from ..request import GIVEN
from .rows import LEVER, join, make_rows
from .trajectory import headings_at, heights_at, sample_path, smooth_pelvis, timed

X, Y, Z, YAW = range(4)


def rows(path, poses, number, person):
    """Rows of a request's Path: the pelvis' place, height and heading on the frames that they are bound on.

    Where the smoothed pelvis is bound firmly, or at single waypoints, its place gives no rows: no row about one frame
    moves it. trajectory.meet_path and meet_waypoints do.
    """
    placed = path.raw or (not path.sparse and np.isfinite(path.weight))
    if not placed and path.heights is None and path.heading != GIVEN:
        return join([])
    frames, off = _differences(path, poses, person)
    parts = []
    for k in range(X if placed else Z, YAW + 1):
        some, turning = np.isfinite(off[:, k]), k == YAW
        normal = LEVER * np.eye(3)[2] if turning else np.eye(3)[k]
        residual = off[some, k] * (LEVER if turning else 1.0)
        parts.append(make_rows(frames[some], person, 0, normal, residual, path.weight, number, turning=turning))
    return join(parts)


def errors(path, poses, person):
    """How far the pelvis is from the path, in place and height where bound, and in heading: (metres, radians)."""
    _, off = _differences(path, poses, person)
    headed = off[np.isfinite(off[:, 3]), 3]
    placed = off[:, :3][np.isfinite(off[:, :2]).all(-1) | np.isfinite(off[:, 2])]
    return np.linalg.norm(np.nan_to_num(placed), axis=-1), np.abs(headed)


def waypoint_times(path, times, places):
    """Times `[K]` of a path's waypoints; those without one get the time of the nearest pass of `places [T, 2]`.

    The pass is looked for after the waypoint before, before the next one that has a time, and within its bounds.
    """
    out = np.array(path.times, float)
    bound = [np.full(len(out), np.nan) if b is None else np.asarray(b, float) for b in (path.earliest, path.latest)]
    for k in np.flatnonzero(np.isnan(out)):
        timed = out[k:][np.isfinite(out[k:])]
        low = np.fmax(out[k - 1] if k else times[0], bound[0][k])
        high = np.fmin(timed[0] if len(timed) else times[-1], bound[1][k])
        some = np.flatnonzero((times >= low - 1e-6) & (times <= high + 1e-6))
        if len(some) == 0:
            some = np.array([np.abs(times - low).argmin()])
        out[k] = times[some[np.linalg.norm(places[some] - path.points[k], axis=-1).argmin()]]
    return out


def _differences(path, poses, person):
    """Frames `[N]` and how far x, y, z (metres) and heading (radians) are from the path `[N, 4]`, NaN where free."""
    root, yaw = poses.places[person, :, 0], rot.unwrap(rot.heading(poses.turns[person, :, 0]))
    own = np.concatenate([root, yaw[:, None]], -1)
    return _at_waypoints(path, poses.times, own) if path.sparse else _along(path, poses.times, own)


def _at_waypoints(path, times, own):
    when = waypoint_times(path, times, own[:, :2])
    if not path.raw:
        own = np.concatenate([smooth_pelvis(own[:, :2]), own[:, 2:]], -1)
    off = np.stack([np.interp(when, times, own[:, k]) for k in range(4)], -1)
    off[:, :2] -= path.points
    off[:, Z] -= np.nan if path.heights is None else path.heights
    off[:, YAW] = _wrapped(off[:, YAW] - (path.headings if path.heading == GIVEN else np.nan))
    # Between two frames the nearer one stands for both: corrections are spread in time, so they move alike.
    return np.abs(times[:, None] - when).argmin(0), off


def _along(path, times, own):
    path = timed(path, times[-1])
    heading = headings_at(path, times) if path.heading == GIVEN else np.full(len(times), np.nan)
    wanted = np.concatenate([sample_path(path, times), np.stack([heights_at(path, times), heading], -1)], -1)
    off = own - wanted
    if np.isfinite(off[:, YAW]).any():
        off[:, YAW] -= 2 * np.pi * np.round(np.nanmean(off[:, YAW]) / (2 * np.pi))
    smoothed = slice(YAW, None) if path.raw else slice(None)
    bound = np.isfinite(off)
    off[:, smoothed] = smooth_pelvis(np.where(bound, off, 0.0)[:, smoothed])
    return np.arange(len(times)), np.where(bound, off, np.nan)


def _wrapped(angle):
    return np.remainder(np.asarray(angle, float) + np.pi, 2 * np.pi) - np.pi
