"""What requests that are checked are made of."""

import numpy as np

from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_motion import swinging
from .samples import quaternions

POSE = quaternions(1, 22)
ROOT = np.array([0.0, -1.0, 0.9])
PLACES, WORLD = forward_kinematics(ROOT, POSE, average_body().offsets)
ONE = np.zeros(3)
LEADER = swinging(61)


def places(**joints):
    out = np.full((22, 3), np.nan)
    for name, place in joints.items():
        out[INDEX[name]] = place
    return out
