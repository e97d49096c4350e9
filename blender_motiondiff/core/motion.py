"""A character's motion: root positions and local rotations of the canonical skeleton, and what follows from them."""

from dataclasses import dataclass, replace

import numpy as np

from . import rotations as rot
from .skeleton import COUNT, GENERATIONS, MIRROR, PARENTS, Body

FPS = 30.0  # frames a second of the core
_GENERATIONS = tuple(slice(joints[0], joints[-1] + 1) for joints in GENERATIONS)  # their numbers follow one another


@dataclass(frozen=True)
class Motion:
    """One character over T frames.

    `root [T, 3]`: pelvis positions, metres, Z up, ground at z = 0. `rotations [T, 22, 4]`: quaternions w, x, y, z; the
    pelvis' against the world, every other joint's against its parent. `body`: its proportions. `fps`: frames a second.
    """

    root: np.ndarray
    rotations: np.ndarray
    body: Body
    fps: float = FPS

    @property
    def frames(self):
        """Number of frames T."""
        return len(self.root)

    @property
    def duration(self):
        """Seconds from the first frame to the last."""
        return (self.frames - 1) / self.fps


def global_rotations(local):
    """Local rotations `[..., 22, 4]` -> rotations against the world, same shape."""
    out = np.empty_like(local)
    out[..., 0, :] = local[..., 0, :]
    for joints in GENERATIONS:
        out[..., joints, :] = rot.multiply(out[..., PARENTS[joints], :], local[..., joints, :])
    return out


def local_rotations(world):
    """World rotations `[..., 22, 4]` -> local ones, same shape (inverse of `global_rotations`)."""
    out = np.array(world, float)
    out[..., 1:, :] = rot.multiply(rot.conjugate(world[..., PARENTS[1:], :]), world[..., 1:, :])
    return out


def forward_kinematics(root, local, offsets):
    """Joint positions `[..., 22, 3]` and world rotations `[..., 22, 4]`.

    `root [..., 3]` metres, `local [..., 22, 4]`, `offsets [22, 3]` or broadcastable `[..., 22, 3]`.
    """
    local = np.ascontiguousarray(local, float)
    lead = local.shape[:-2]
    # A generation of joints at a time, with all poses along the last axis, where arithmetic is fastest; quaternions as
    # two complex numbers (rotations.multiply).
    own, own_j = local.reshape(-1, COUNT, 4).view(complex).transpose(2, 1, 0).copy()
    back, back_j = np.conj(own), np.conj(own_j)
    world = np.empty((2, *own.shape), complex)
    world[0, 0], world[1, 0] = own[0], own_j[0]
    for joints in _GENERATIONS:
        above, above_j = world[:, PARENTS[joints]]
        turned, turned_j = world[0, joints], world[1, joints]
        np.multiply(above, own[joints], out=turned)
        turned -= above_j * back_j[joints]
        np.multiply(above, own_j[joints], out=turned_j)
        turned_j += above_j * back[joints]
    places = np.empty((3, *own.shape))
    root = np.asarray(root)
    places[:, 0] = (root if root.shape[:-1] == lead else np.broadcast_to(root, (*lead, 3))).reshape(-1, 3).T
    _turned_steps(world[:, PARENTS[1:]], np.asarray(offsets, float), lead, places[:, 1:])
    for joints in _GENERATIONS:
        places[:, joints] += places[:, PARENTS[joints]]
    places, world = (np.ascontiguousarray(part.transpose(2, 1, 0)) for part in (places, world))
    return places.reshape(*lead, COUNT, 3), world.view(float).reshape(*lead, COUNT, 4)


def _turned_steps(turns, offsets, lead, out):
    """Puts bones `offsets` of all joints but the pelvis into `out [3, 21, N]`.

    They are turned by quaternions `turns [2, 21, N]`, as two complex numbers each.
    """
    if offsets.ndim > 2:
        offsets = np.broadcast_to(offsets, (*lead, COUNT, 3)).reshape(-1, COUNT, 3)
    a, b, c = offsets[..., 1:, :].T.reshape(3, COUNT - 1, -1)
    w, x, y, z = (np.ascontiguousarray(part) for half in turns for part in (half.real, half.imag))
    i, j, k = y * c - z * b, z * a - x * c, x * b - y * a
    for turned, bone, (w_by, plus, minus), (plus_by, minus_by) in (
        (out[0], a, (i, k, j), (y, z)), (out[1], b, (j, i, k), (z, x)), (out[2], c, (k, j, i), (x, y))
    ):  # fmt: skip
        np.multiply(w, w_by, out=turned)
        turned += plus_by * plus
        turned -= minus_by * minus
        turned += turned
        turned += bone


def central(values):
    """Changes a frame `[..., T, K]` of `values`, central differences, T at least 2."""
    out = np.empty(values.shape)
    out[..., 1:-1, :] = 0.5 * (values[..., 2:, :] - values[..., :-2, :])
    out[..., 0, :], out[..., -1, :] = values[..., 1, :] - values[..., 0, :], values[..., -1, :] - values[..., -2, :]
    return out


def positions(motion):
    """Joint positions of a motion `[T, 22, 3]`, metres."""
    return forward_kinematics(motion.root, motion.rotations, motion.body.offsets)[0]


def resample(motion, times, own_times=None):
    """The motion at `times` (seconds from its first frame), clamped to its ends.

    Positions are interpolated linearly, rotations spherically. `own_times [T]`: where the motion's frames lie if they
    are not evenly spaced. The result's `fps` is that of evenly spaced `times`.
    """
    times = np.asarray(times, float)
    own = np.arange(motion.frames) / motion.fps if own_times is None else np.asarray(own_times, float)
    if motion.frames == 1:
        index, share = np.zeros(len(times), int), np.zeros(len(times))
        after = index
    else:
        index = np.clip(np.searchsorted(own, times, side="right") - 1, 0, motion.frames - 2)
        after = index + 1
        share = np.clip((times - own[index]) / (own[after] - own[index]), 0.0, 1.0)
    root = motion.root[index] * (1 - share[:, None]) + motion.root[after] * share[:, None]
    turned = rot.slerp(motion.rotations[index], motion.rotations[after], share[:, None])
    fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else motion.fps
    return replace(motion, root=root, rotations=turned, fps=float(fps))


def mirror(motion):
    """The motion seen in a mirror in the plane x = 0: left and right change places."""
    flip = np.array([1.0, 1.0, -1.0, -1.0])
    offsets = motion.body.offsets[MIRROR] * np.array([-1.0, 1.0, 1.0])
    return replace(
        motion,
        root=motion.root * np.array([-1.0, 1.0, 1.0]),
        rotations=motion.rotations[:, MIRROR] * flip,
        body=Body(offsets),
    )


def turned(motion, angle, shift=(0.0, 0.0, 0.0)):
    """The motion turned by `angle` radians about the world's vertical axis, then moved by `shift` metres."""
    q = rot.about_z(angle)
    rotations = np.array(motion.rotations)
    rotations[:, 0] = rot.multiply(q, rotations[:, 0])
    return replace(motion, root=rot.rotate(q, motion.root) + np.asarray(shift, float), rotations=rotations)


def scaled(motion, factor):
    """The motion and its body `factor` times as large, about the world's origin."""
    return replace(motion, root=motion.root * factor, body=motion.body.scaled(factor))
