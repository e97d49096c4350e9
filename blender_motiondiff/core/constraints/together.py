"""Sync and mirror: one character's arms and head do as the other's, each seen from its own pelvis and heading.

The one who leads counts as given, so that the two don't meet half way and stop moving.
"""

import numpy as np

from .. import rotations as rot
from ..skeleton import INDEX, MIRROR
from .rows import vector_rows

# The legs follow by their steps, which are planned together (diffusion.course): feet that are pulled slide.
FOLLOWING = np.array([INDEX["head"], *(INDEX[f"{side}_{n}"] for side in ("left", "right") for n in ("elbow", "wrist"))])


def rows(sync, poses, number, follower=1):
    """Rows of a request's Sync: three a frame for head, elbows and wrists of the person that follows."""
    frames = poses.frames_between(sync.start, sync.end)
    offsets = _offsets(sync, poses, frames, follower).reshape(-1, 3)
    joints = np.tile(FOLLOWING, len(frames))
    frames = np.repeat(frames, len(FOLLOWING))
    return vector_rows(frames, follower, joints, offsets, sync.weight, number, (follower, 0))


def errors(sync, poses, follower=1):
    """Mean distance of the following joints from where the leader's are: (metres `[N]`, no radians)."""
    offsets = _offsets(sync, poses, poses.frames_between(sync.start, sync.end), follower)
    return np.linalg.norm(offsets, axis=-1).mean(-1), np.zeros(0)


def _offsets(sync, poses, frames, follower):
    """From where the following joints should be to where they are `[N, K, 3]`, with both pelvises in one place."""
    leader = 1 - follower
    led = _from_pelvis(poses, frames, leader, MIRROR[FOLLOWING] if sync.mirror else FOLLOWING)
    own = _from_pelvis(poses, frames, follower, FOLLOWING)
    led = led * (poses.sizes[follower] / poses.sizes[leader])
    ahead, behind = (np.exp(1j * rot.heading(poses.turns[p, frames, 0]))[:, None] for p in (follower, leader))
    level = (led[..., 0] + 1j * led[..., 1]) / behind  # as the leader sees it, x + iy
    level = ahead * (-level.conj() if sync.mirror else level)
    return own - np.stack([level.real, level.imag, led[..., 2]], -1)


def _from_pelvis(poses, frames, person, joints):
    return poses.places[person][frames[:, None], joints] - poses.places[person, frames, :1]
