"""Paths as rows: where the pelvis itself is bound, and heights, waypoints and headings.

What binds the smoothed pelvis along a whole path is measured on its smoothed part (trajectory.smooth_pelvis). That is
a projection, so a change of all frames by their residuals takes it to 0: its rows say that each frame moves its own.
"""

import numpy as np

from .. import rotations as rot
from ..request import GIVEN
from .rows import LEVER, join, make_rows
from .trajectory import smooth_pelvis


def rows(path, poses, number, person):
    """Rows of a request's Path: the pelvis' place, height and heading on the frames that they are bound on.

    The place along a HARD dense path that binds the smoothed pelvis gives no rows: trajectory.meet_path meets it.
    """
    frames, off = _differences(path, poses, person)
    projected = not path.raw and not path.sparse and np.isinf(path.weight)
    parts = []
    for k in range(2 if projected else 0, 4):
        some = np.isfinite(off[:, k])
        turning = k == 3
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
    root, yaw = poses.places[person, :, 0], np.unwrap(rot.heading(poses.turns[person, :, 0]))
    own = np.concatenate([root, yaw[:, None]], -1)
    times = waypoint_times(path, poses.times, root[:, :2])
    wanted = _targets(path)
    if path.sparse:
        passed = own if path.raw else smooth_pelvis(own)
        off = np.stack([np.interp(times, poses.times, passed[:, k]) for k in range(4)], -1) - wanted
        off[:, 3] = _wrapped(off[:, 3])
        # Between two frames the nearer one stands for both: corrections are spread in time, so they move alike.
        return np.abs(poses.times[:, None] - times).argmin(0), off
    off = own - _along(wanted, times, poses.times)
    off[:, 3] -= 2 * np.pi * np.round(np.nanmean(off[:, 3]) / (2 * np.pi)) if np.isfinite(off[:, 3]).any() else 0.0
    if not path.raw:
        off = np.where(np.isfinite(off), smooth_pelvis(np.nan_to_num(off)), np.nan)
    return np.arange(len(poses.times)), off


def _targets(path):
    """What a path's points ask for: x, y, height and heading `[K, 4]`, NaN where free."""
    out = np.full((len(path.points), 4), np.nan)
    out[:, :2] = path.points
    if path.heights is not None:
        out[:, 2] = path.heights
    if path.heading == GIVEN:
        out[:, 3] = np.unwrap(np.asarray(path.headings, float))
    return out


def _along(wanted, times, frames):
    """Targets `[K, 4]` at `times [K]` -> at the times of `frames [T]`, held at the ends, NaN beside a free point."""
    out = np.stack([np.interp(frames, times, np.nan_to_num(wanted[:, k])) for k in range(4)], -1)
    free = np.stack([np.interp(frames, times, np.isnan(wanted[:, k]).astype(float)) for k in range(4)], -1)
    return np.where(free > 1e-9, np.nan, out)


def _wrapped(angle):
    return np.remainder(angle + np.pi, 2 * np.pi) - np.pi
