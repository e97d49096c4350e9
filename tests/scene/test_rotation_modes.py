import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mathutils import Euler, Quaternion

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.scene import rotation_modes

ORDERS = ["".join(p) for p in itertools.permutations("XYZ")]
turns = st.lists(st.floats(-4.0, 4.0), min_size=3, max_size=3)


def angle(a, b):
    return math.degrees(rot.angle_between(np.asarray(a), np.asarray(b)))


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(ORDERS), turns)
def test_euler_angles_give_the_rotation_back(order, turn):
    q = rot.from_rotvec(np.array([turn]))
    angles = rotation_modes.euler(q, order)[0]
    assert angle(np.array(Euler(angles, order).to_quaternion()), q[0]) < 2e-3


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sign", [1, -1])
def test_euler_at_the_gimbal_lock(order, sign):
    angles = np.array([0.3, 0.2, -0.4])
    angles["XYZ".index(order[1])] = sign * np.pi / 2
    q = np.array([Euler(angles, order).to_quaternion()])
    path = rotation_modes.euler(np.concatenate([q, q]), order)
    assert angle(np.array(Euler(path[1], order).to_quaternion()), q[0]) < 0.1


@pytest.mark.parametrize("mode", [*ORDERS, "QUATERNION", "AXIS_ANGLE"])
def test_no_jumps_over_many_turns(mode):
    t = np.linspace(0.0, 1.0, 400)[:, None]
    spin = (
        np.eye(3)["XYZ".index(mode[2])] if mode in ORDERS else np.array([0.1, 0.2, 0.97])
    )  # away from the gimbal lock
    q = rot.multiply(rot.from_rotvec(t * 25.0 * spin), rot.from_rotvec(np.sin(9 * t) * np.array([0.4, 0.3, 0.1])))
    q[::7] *= -1  # the same rotations
    values = rotation_modes.channels(mode, q)
    assert np.abs(np.diff(values, axis=0)).max() < 0.3
    for value, wanted in zip(values[::13], q[::13]):
        if mode == "QUATERNION":
            back = Quaternion(value)
        elif mode == "AXIS_ANGLE":
            back = Quaternion(value[1:], value[0])
        else:
            back = Euler(value, mode).to_quaternion()
        assert angle(np.array(back), wanted) < 1e-2


@settings(deadline=None, max_examples=100)
@given(turns)
def test_axis_angle_gives_the_rotation_back(turn):
    q = rot.from_rotvec(np.array([turn]))
    value = rotation_modes.channels("AXIS_ANGLE", q)[0]
    assert angle(np.array(Quaternion(value[1:], value[0])), q[0]) < 2e-3
