"""Planned steps: a cycle that fits the speed, and the keys."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import gait
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

BODY = average_body()


def straight(speed, frames=180):
    return np.stack([np.zeros(frames), -speed * np.arange(frames) / 30.0], -1)


def strikes(flags):
    return np.flatnonzero(np.diff(flags) > 0)


@pytest.mark.parametrize(("speed", "cycle", "stance"), [(0.65, 1.17, 0.58), (1.25, 1.10, 0.49), (3.8, 0.66, 0.16)])
def test_cycle_and_stance_follow_the_speed(speed, cycle, stance):
    contacts = gait.plan(straight(speed), BODY, np.random.default_rng(0))
    beats = np.diff(strikes(contacts[:, 1])) / 30.0
    assert beats.mean() == pytest.approx(cycle, rel=0.1)
    assert contacts[:, 1].mean() == pytest.approx(stance, abs=0.08)


def test_feet_take_turns():
    contacts = gait.plan(straight(1.2), BODY, np.random.default_rng(1))
    left, right = strikes(contacts[:, 1]), strikes(contacts[:, 3])
    gaps = [np.abs(right - frame).min() / 30.0 for frame in left[1:-1]]
    assert np.allclose(gaps, 0.55, atol=0.1)


def test_standing_feet_stand():
    assert gait.plan(straight(0.0), BODY, np.random.default_rng(0)).all()


def test_takes_differ():
    plans = [gait.plan(straight(1.0), BODY, np.random.default_rng(seed)) for seed in range(4)]
    assert len({p.tobytes() for p in plans}) == 4


def test_a_keyed_stride_is_met_in_step():
    def stride(forward, back):
        pose = np.tile(rot.IDENTITY, (COUNT, 1))
        pose[INDEX[f"{forward}_hip"]] = rot.from_rotvec([-0.4, 0, 0])
        pose[INDEX[f"{back}_hip"]] = rot.from_rotvec([0.4, 0, 0])
        return pose

    for seed in range(5):
        for ahead, behind, toe in (("left", "right", 1), ("right", "left", 3)):
            plan = gait.plan(straight(1.2), BODY, np.random.default_rng(seed), keys=[(90, stride(ahead, behind))])
            touch = strikes(plan[:, toe])
            assert np.abs(touch - 90).min() <= 4, (seed, ahead)
