"""Forward kinematics of long clips a block of frames at a time: what a block needs stays in the processor's caches."""

import numpy as np

from .. import rotations as rot
from ..motion import forward_kinematics
from ..skeleton import LEG_JOINTS

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
