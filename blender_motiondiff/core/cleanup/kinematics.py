"""Forward kinematics of long clips a block of frames at a time: what a block needs stays in the processor's caches.

And what moves with a leg or an arm that is turned.
"""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import forward_kinematics
from ..skeleton import LEG_JOINTS, PARENTS

BLOCK = 320  # frames


def kinematics(motion):
    """Joint positions `[T, 22, 3]`, metres, and world rotations `[T, 22, 4]` of a Motion."""
    places, world = kinematics_of_all([motion])
    return places[0], world[0]


def kinematics_of_all(motions):
    """The same of N motions of T frames each, whatever their bodies: `[N, T, 22, 3]` and `[N, T, 22, 4]`."""
    root, local = (np.concatenate([getattr(m, name) for m in motions]) for name in ("root", "rotations"))
    offsets, frames = np.stack([m.body.offsets for m in motions]), motions[0].frames
    alike = offsets[0] if (offsets == offsets[:1]).all() else np.repeat(offsets, frames, 0)
    places, world = np.empty((*local.shape[:-1], 3)), np.empty(local.shape)
    for k in range(0, len(root), BLOCK):
        part = slice(k, k + BLOCK)
        own = alike if alike.ndim == 2 else alike[part]
        places[part], world[part] = forward_kinematics(root[part], local[part], own)
    shape = (len(motions), frames)
    return places.reshape(*shape, *places.shape[1:]), world.reshape(*shape, *world.shape[1:])


def put_legs(places, turns, offsets):
    """Moves knees, ankles and toes of `places [N, T, 22, 3]` to where the world rotations `turns` of legs put them.

    `offsets [N, 22, 3]`: the bodies' bones.
    """
    for above, below in zip(LEG_JOINTS.T[:-1], LEG_JOINTS.T[1:], strict=True):
        places[:, :, below] = places[:, :, above] + rot.rotate(turns[:, :, above], offsets[:, None, below])


def swung(motion, places, world, joints, swing, at=slice(None)):
    """The motion with an arm turned about its shoulder by `swing [T, 4]`; `joints`: shoulder, elbow and wrist.

    `places` and `world` go along. `at`: the frames that are turned.
    """
    shoulder = places[at, joints[0]]
    for joint in joints:
        world[at, joint] = rot.multiply(swing, world[at, joint])
        places[at, joint] = shoulder + rot.rotate(swing, places[at, joint] - shoulder)
    rotations, above = motion.rotations.copy(), PARENTS[joints[0]]
    rotations[at, joints[0]] = rot.multiply(rot.conjugate(world[at, above]), world[at, joints[0]])
    return replace(motion, rotations=rotations)
