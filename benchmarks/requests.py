"""The requests that are timed: what an animator asks for on an ordinary day, made by script."""

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.request import Character, Contact, Facing, Key, Path, Request, Spacing, Target
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

SPEED = 0.8  # metres a second along the path


def path(seconds):
    """A winding path over the whole clip, three points a second."""
    t = np.linspace(0.0, seconds, max(2, int(3 * seconds) + 1))
    return Path(t, np.stack([0.8 * np.sin(0.7 * t), -SPEED * t], -1))


def raised_arm(time):
    """A key that binds an arm."""
    rotations = np.tile(rot.IDENTITY, (COUNT, 1))
    rotations[INDEX["right_shoulder"]] = rot.from_rotvec(np.array([0.0, 0.9, 0.0]))
    return Key(time, rotations, joints=("right_shoulder", "right_elbow"))


def one(frames, steps, takes=1):
    """One character along a path, with a key that binds an arm."""
    seconds = (frames - 1) / FPS
    who = Character("Ann", average_body(), path=path(seconds), keys=(raised_arm(seconds / 2),))
    return Request((who,), seconds, seed=1, takes=takes, steps=steps)


def two(frames, steps, takes=1):
    """Two characters, both generated: one along a path with a key, one opposite who takes a hand for a second.

    The hard contact, the range of distances and the wish to face each other give projection, guidance and the
    kinematic solve something to do.
    """
    seconds = (frames - 1) / FPS
    leader = Character("Ann", average_body(), path=path(seconds), keys=(raised_arm(seconds / 4),))
    follower = Character("Bob", average_body())
    hold = Contact((0, "left_wrist"), (1, "right_wrist"), 0.06, seconds / 2, min(seconds / 2 + 1.0, seconds))
    return Request(
        (leader, follower), seconds, seed=1, takes=takes, steps=steps, contacts=(hold,),
        spacings=(Spacing(0.4, 1.2),), facings=(Facing(1, Target(partner=True)),),
    )  # fmt: skip
