"""Planned steps: a cycle that fits the speed, and the keys."""

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import gait
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

BODY = average_body()


def straight(speed, frames=180):
    return np.stack([np.zeros(frames), -speed * np.arange(frames) / 30.0], -1)


def planned(place, body, rng, **options):
    """Contacts along a path."""
    return gait.contacts_at(gait.plan_phase(place, body, rng, **options), gait.path_speed(place, body.size))


def strikes(flags):
    return np.flatnonzero(np.diff(flags) > 0)


@pytest.mark.parametrize(("speed", "cycle", "stance"), [(0.65, 1.17, 0.58), (1.25, 1.10, 0.49), (3.8, 0.66, 0.16)])
def test_cycle_and_stance_follow_the_speed(speed, cycle, stance):
    contacts = planned(straight(speed), BODY, np.random.default_rng(0))
    beats = np.diff(strikes(contacts[:, 1])) / 30.0
    assert beats.mean() == pytest.approx(cycle, rel=0.1)
    assert contacts[:, 1].mean() == pytest.approx(stance, abs=0.08)


def test_feet_take_turns():
    contacts = planned(straight(1.2), BODY, np.random.default_rng(1))
    left, right = strikes(contacts[:, 1]), strikes(contacts[:, 3])
    gaps = [np.abs(right - frame).min() / 30.0 for frame in left[1:-1]]
    assert np.allclose(gaps, 0.55, atol=0.1)


def test_standing_feet_stand():
    assert planned(straight(0.0), BODY, np.random.default_rng(0)).all()


def test_takes_differ():
    plans = [planned(straight(1.0), BODY, np.random.default_rng(seed)) for seed in range(4)]
    assert len({p.tobytes() for p in plans}) == 4


def test_a_keyed_stride_is_met_in_step():
    def stride(forward, back):
        pose = np.tile(rot.IDENTITY, (COUNT, 1))
        pose[INDEX[f"{forward}_hip"]] = rot.from_rotvec([-0.4, 0, 0])
        pose[INDEX[f"{back}_hip"]] = rot.from_rotvec([0.4, 0, 0])
        return pose

    for seed in range(5):
        for ahead, behind, toe in (("left", "right", 1), ("right", "left", 3)):
            plan = planned(straight(1.2), BODY, np.random.default_rng(seed), keys=[(90, stride(ahead, behind))])
            touch = strikes(plan[:, toe])
            assert np.abs(touch - 90).min() <= 4, (seed, ahead)


def out_of_step(phase, other, where):
    return np.abs((phase - other + 0.5) % 1.0 - 0.5)[where].max()


def test_two_walk_in_step():
    other = gait.plan_phase(straight(1.3), BODY, np.random.default_rng(0))
    alone = gait.plan_phase(straight(1.0), BODY, np.random.default_rng(1))
    together = gait.plan_phase(straight(1.0), BODY, np.random.default_rng(1), phase_from=other)
    assert out_of_step(alone, other, slice(None)) > 0.2
    assert out_of_step(together, other, slice(None)) < 1e-9
    contacts = planned(straight(1.0), BODY, np.random.default_rng(1), phase_from=other)
    theirs = gait.contacts_at(other, gait.path_speed(straight(1.3), BODY.size))
    assert np.array_equal(strikes(contacts[:, 1]), strikes(theirs[:, 1]))
    mirrored = planned(straight(1.0), BODY, np.random.default_rng(1), phase_from=other + 0.5)
    assert np.array_equal(strikes(mirrored[:, 3]), strikes(theirs[:, 1]))


@pytest.mark.parametrize("turned", [False, True])
def test_the_phase_of_recorded_steps_is_told_by_where_feet_come_down(turned):
    place = straight(1.25)
    phase = gait.plan_phase(place, BODY, np.random.default_rng(3))
    contacts = gait.contacts_at(phase, gait.path_speed(place, BODY.size))
    contacts[50, :2] = 0.0  # one frame that was missed is no step
    found = gait.phase_of_contacts(contacts[:, [2, 3, 0, 1]] if turned else contacts)
    off = (found - phase - 0.5 * turned + 0.5) % 1.0 - 0.5
    assert np.abs(off).max() < 0.06


def test_fewer_than_two_steps_have_no_phase():
    assert gait.phase_of_contacts(np.ones((60, 4))) is None


def test_who_walks_on_alone_keeps_their_own_pace_and_falls_in_again():
    pause = np.concatenate([straight(1.2, 60), np.tile(straight(1.2, 60)[-1], (50, 1))])
    pause = np.concatenate([pause, pause[-1] + straight(1.2, 70)])
    other = gait.plan_phase(pause, BODY, np.random.default_rng(0))
    phase = gait.plan_phase(straight(1.0), BODY, np.random.default_rng(1), phase_from=other)
    assert out_of_step(phase, other, slice(0, 58)) < 1e-9 and out_of_step(phase, other, slice(114, 180)) < 1e-9
    rate = np.diff(phase) * 30
    assert rate.min() > 0.2 and rate.max() < 1.6
    still = gait.plan_phase(straight(0.0), BODY, np.random.default_rng(0))
    free = gait.plan_phase(straight(1.0), BODY, np.random.default_rng(1))
    assert np.array_equal(gait.plan_phase(straight(1.0), BODY, np.random.default_rng(1), phase_from=still), free)


def test_a_key_is_met_and_the_step_found_again():
    pose = np.tile(rot.IDENTITY, (COUNT, 1))
    pose[INDEX["left_hip"]], pose[INDEX["right_hip"]] = rot.from_rotvec([-0.4, 0, 0]), rot.from_rotvec([0.4, 0, 0])
    for seed in range(5):
        other = gait.plan_phase(straight(1.2), BODY, np.random.default_rng(seed))
        keyed = gait.plan_phase(straight(1.2), BODY, np.random.default_rng(9), [(90, pose)], phase_from=other)
        contacts = gait.contacts_at(keyed, np.full(180, 1.2))
        assert np.abs(strikes(contacts[:, 1]) - 90).min() <= 4
        assert out_of_step(keyed, other, np.r_[0:45, 136:180]) < 1e-9


def test_two_feet_that_come_down_at_once_are_one_step():
    contacts = np.ones((60, 4))
    contacts[20:30] = 0.0
    assert gait.phase_of_contacts(contacts) is None
    contacts[40:48] = 0.0
    found = gait.phase_of_contacts(contacts)
    assert np.isfinite(found).all() and (np.diff(found) > 0).all()
