"""A path binds the smoothed pelvis: hips may sway about it as hips do.

The smoothed pelvis is the least-squares cubic spline with a knot every KNOT_SECONDS through the pelvis' places on the
ground. That is a linear projection (doing it twice changes nothing), so a path can be met exactly and in closed form
while whatever is faster, the sway of the steps, is left alone.
"""

import numpy as np

from ..motion import FPS

KNOT_SECONDS = 0.8
NO_BEND = 0.05  # metres: a key this near to the path is reached by sway, without bending the path
BEND_SECONDS = 0.5  # the path bends over this long around a key that lies off it


def spline_basis(frames, fps=FPS, knot_seconds=KNOT_SECONDS):
    """Values of the cubic B-splines over the clip, `[frames, K]`; the first and last knots lie at its ends."""
    spans = max(1, int(round((frames - 1) / fps / knot_seconds)))
    u = np.linspace(0.0, spans, frames)
    t = np.abs(u[:, None] - np.arange(-1, spans + 2)[None, :])
    near, far = (4 - 6 * t**2 + 3 * t**3) / 6, np.maximum(2 - t, 0) ** 3 / 6
    basis = np.where(t < 1, near, far)
    return basis if frames >= basis.shape[1] else np.eye(frames)


def smooth_pelvis(places, fps=FPS, knot_seconds=KNOT_SECONDS):
    """The smoothed pelvis `[..., T, 2]` of pelvis places on the ground `[..., T, 2]`, metres."""
    basis = spline_basis(places.shape[-2], fps, knot_seconds)
    gram = basis.T @ basis + 1e-9 * np.eye(basis.shape[1])
    return basis @ np.linalg.solve(gram, basis.T @ places)


def sample_path(path, times):
    """Places `[T, 2]` of a request's Path at `times` (seconds), held at its ends."""
    return np.stack([np.interp(times, path.times, np.asarray(path.points)[:, k]) for k in range(2)], -1)


def bend_to_keys(places, times, key_times, key_places):
    """The path bent to pass keys that lie off it: (places `[T, 2]`, metres that each key pulled it `[K]`).

    A key moves the path by its distance at its own time, fading over BEND_SECONDS on either side.
    """
    bent, pulled = places.copy(), []
    for when, where in zip(key_times, key_places, strict=True):
        at = np.array([np.interp(when, times, bent[:, k]) for k in range(2)])
        off = np.asarray(where) - at
        distance = float(np.linalg.norm(off))
        pulled.append(distance if distance > NO_BEND else 0.0)
        if distance > NO_BEND:
            near = np.clip(1.0 - np.abs(times - when) / BEND_SECONDS, 0.0, 1.0)
            bent += off * (near * near * (3 - 2 * near))[:, None]
    return bent, np.array(pulled)


def meet_path(places, target, key_frames=(), key_places=(), fps=FPS):
    """The pelvis `[T, 2]` with its smoothed part replaced by the target's, through keyed places exactly.

    With P the projection of `smooth_pelvis`: x' = x + P(target - x), then for keys the smallest combination of bumps
    (I - P)b_k, which P does not see, that makes x' pass them.
    """
    out = places + smooth_pelvis(target - places, fps)
    if len(key_frames):
        frames = np.arange(len(places))[:, None]
        bumps = np.exp(-0.5 * ((frames - np.asarray(key_frames)[None, :]) / (0.12 * fps)) ** 2)
        unseen = bumps - smooth_pelvis(bumps, fps)
        rows = unseen[list(key_frames)]
        miss = np.asarray(key_places) - out[list(key_frames)]
        weights = np.linalg.lstsq(rows, miss, rcond=1e-6)[0]
        out = out + unseen @ weights
        out[list(key_frames)] = key_places
    return out


def path_residual(places, target, fps=FPS):
    """Distances in metres `[T]` between the smoothed pelvis and the smoothed target, at the same frames."""
    return np.linalg.norm(smooth_pelvis(places, fps) - target, axis=-1)
