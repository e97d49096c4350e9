"""What is settled before the network runs: times, frames, steps, and what is kept."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.diffusion.course import flattened, settle
from blender_motiondiff.core.diffusion.timing import with_times
from blender_motiondiff.core.reference import OWN, PARTNER, PATH
from blender_motiondiff.core.request import (
    Character,
    Facing,
    Ground,
    Key,
    Path,
    Pin,
    Request,
    Spacing,
    Sync,
    Target,
    Vary,
)  # fmt: skip
from blender_motiondiff.core.skeleton import COUNT, average_body

from .made_motion import swinging

BODY = average_body()
SECONDS = 4.0


def straight(speed=1.0, aside=0.0):
    t = np.linspace(0, SECONDS, 41)
    return Path(t, np.stack([np.full(41, aside), -speed * t], -1))


def course_of(request, take=0):
    return settle(with_times(request), take + 1)[take]


def alone(**known):
    return Request((Character("A", BODY, **known),), SECONDS)


def reaction(**changes):
    leader = swinging(121, speed=0.4)
    return replace(Request((Character("A", BODY, motion=leader), Character("B", BODY)), SECONDS), **changes)


def test_keys_and_waypoints_lie_exactly_on_frames():
    pose = swinging(2)
    keys = tuple(Key(t, pose.rotations[0], root=pose.root[0]) for t in (0.517, 2.018))
    path = Path(np.array([0.0, 1.234, 4.0]), np.array([[0, 0], [0.5, -1.0], [0, -4.0]]), sparse=True)
    course = course_of(alone(path=path, keys=keys))
    for when in (0.517, 2.018, 1.234):
        assert np.abs(course.times - when).min() < 1e-9
    assert [course.times[f] for f in course.people[0].key_frames] == pytest.approx([0.517, 2.018])
    frames, points = course.people[0].waypoints
    assert np.allclose(course.times[frames], path.times) and np.array_equal(points, path.points)
    assert np.abs(np.diff(course.times) - 1 / 30).max() < 0.5 / 30


def test_waypoints_without_a_time_get_one_within_their_bounds():
    nan = np.nan
    path = Path(np.array([0.0, nan, 4.0]), np.array([[0, 0], [0, -1.0], [0, -4.0]]), sparse=True)
    even = with_times(alone(path=path)).characters[0].path.times[1]
    assert 0.5 < even < 1.8
    late = with_times(alone(path=replace(path, earliest=np.array([nan, 2.5, nan])))).characters[0].path.times[1]
    assert late >= 2.5 - 1e-9


@pytest.mark.parametrize(
    ("known", "source"),
    [
        ({"path": straight()}, PATH),
        ({"keys": (Key(1.0, swinging(2).rotations[0], root=np.array([1.0, 2.0, 0.9])),)}, OWN),
        ({"pins": (Pin("left_wrist", place=np.array([2.0, 0.0, 1.2])),)}, OWN),
        ({"motion": swinging(121), "vary": Vary(0.5)}, OWN),
    ],
)
def test_frames_come_from_what_is_known(known, source):
    assert course_of(alone(**known)).people[0].source == source


def test_a_partner_stands_in_front_and_keeps_the_spacing():
    course = course_of(reaction())
    leader, partner = course.people
    assert partner.source == PARTNER
    apart = np.linalg.norm(partner.place - leader.place, axis=1)
    assert np.allclose(apart, apart[0]) and 0.5 < apart[0] < 1.0
    wide = course_of(reaction(spacings=(Spacing(1.5, 2.0),)))
    assert np.linalg.norm(wide.people[1].place - wide.people[0].place, axis=1).min() > 1.5 - 1e-9


def test_a_partner_steps_beside_somebody_on_a_path_and_dances_freely_with_who_is_given():
    walker, partner = Character("A", BODY, path=straight()), Character("B", BODY)
    leader, beside = course_of(Request((walker, partner), SECONDS)).people
    assert beside.contacts.shape == (121, 4) and not np.isnan(beside.contacts).any()
    assert 0.2 < beside.contacts.mean() < 0.9 and not np.array_equal(beside.contacts, leader.contacts)
    assert course_of(reaction()).people[1].contacts is None


def test_facing_turns_the_frames_while_it_is_asked_for():
    target = Target(point=np.array([10.0, -2.0, 0.0]))
    course = course_of(replace(alone(path=straight()), facings=(Facing(0, target, 2.0, 4.0),)))
    heading = course.people[0].heading
    assert np.abs(heading[:30]).max() < 0.1
    place = course.people[0].place[90]
    wanted = np.arctan2(10.0 - place[0], -(-2.0 - place[1]))
    assert heading[90] == pytest.approx(wanted, abs=0.05)


def test_somebody_who_is_kept_at_the_beginning_goes_on_from_there():
    motion = swinging(121, speed=1.2)
    keep = np.zeros((121, COUNT))
    keep[:40] = 1.0
    person = course_of(alone(motion=motion, keep=keep)).people[0]
    assert np.array_equal(person.known, keep > 0.5)
    assert np.linalg.norm(person.place[:40] - motion.root[:40, :2], axis=1).max() < 0.1
    onward = np.linalg.norm(np.diff(person.place[38:], axis=0), axis=1) * 30
    assert onward[1] > 0.8 and onward[-1] < 0.2 and np.all(np.diff(onward[2:]) < 1e-6)
    assert not np.isnan(person.contacts).any()
    assert 0.2 < person.contacts[40:80].mean() < 0.9, "steps go on while the place does"


def test_sync_puts_steps_in_step_and_mirror_the_other_foot():
    people = (Character("A", BODY, path=straight()), Character("B", BODY, path=straight(aside=1.0)))
    request = Request(people, SECONDS, seed=4)
    apart = course_of(request).people
    assert (apart[0].contacts != apart[1].contacts).any(1).mean() > 0.2
    together = course_of(replace(request, syncs=(Sync(),))).people
    assert (together[0].contacts != together[1].contacts).any(1).mean() < 0.05
    mirrored = course_of(replace(request, syncs=(Sync(mirror=True),))).people
    assert (mirrored[0].contacts[:, [2, 3, 0, 1]] != mirrored[1].contacts).any(1).mean() < 0.05


def test_what_is_asked_over_a_slope_is_asked_over_flat_ground():
    x = np.arange(-10.0, 11.0)
    slope = Ground(np.array([-10.0, -10.0]), 1.0, np.broadcast_to(0.2 * x[:, None], (21, 21)))
    key = Key(1.0, swinging(2).rotations[0], root=np.array([3.0, 1.0, 1.5]))
    pin = Pin("left_wrist", place=np.array([-2.0, 0.0, 1.0]))
    flat = flattened(replace(alone(keys=(key,), pins=(pin,)), ground=slope)).characters[0]
    assert flat.keys[0].root[2] == pytest.approx(0.9) and flat.pins[0].place[2] == pytest.approx(1.4)


def test_takes_begin_with_other_feet():
    plans = {course_of(alone(path=straight()), take).people[0].contacts.tobytes() for take in range(4)}
    assert len(plans) == 4


def test_a_given_leader_shows_which_foot_stands():
    leader = course_of(reaction()).people[0]
    assert not np.isnan(leader.contacts).any()
    turned = np.unwrap(rot.heading(leader.motion.rotations[:, 0]))
    assert np.allclose(leader.heading, turned, atol=0.2)
