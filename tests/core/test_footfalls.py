"""Steps settled between full keys: who stands, who steps first, who walks."""

import numpy as np
import pytest

from blender_motiondiff.core.constraints.footfalls import (
    OVER_STRIDE,
    PLAIN,
    SAME_PLACE,
    STRIDE,
    beside_pinned,
    between_keys,
)
from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.reference import keyed_frames
from blender_motiondiff.core.request import Pin
from blender_motiondiff.core.skeleton import COUNT, FEET

from .made_motion import swinging

BODY = swinging(2).body
REST = np.tile([1.0, 0, 0, 0], (2, COUNT, 1))
TOES = [FEET[1], FEET[3]]


def places_of(roots, rotations=REST):
    places, _ = forward_kinematics(np.asarray(roots, float), rotations, BODY.offsets)
    places[..., 2] -= places[0, TOES, 2].min() - BODY.foot_heights[1]
    return places


def planned(places, frames=41, rotations=REST):
    return between_keys(frames, [0, frames - 1], rotations, places, BODY)


def test_two_keys_on_one_frame_have_nothing_between_them():
    places = places_of([[0, 0, 1.0], [0.5, 0, 1.0]])
    assert np.isnan(between_keys(10, [4, 4], REST, places, BODY)).all()


def test_feet_keyed_twice_in_one_place_stand():
    assert planned(places_of([[0, 0, 1.0], [0.01, 0, 1.0]])).all()


def test_a_foot_keyed_in_two_places_takes_one_step_amid_the_gap():
    places = places_of([[0, 0, 1.0], [0, 0, 1.0]])
    places[1, list(FEET[:2]), 1] -= 3 * SAME_PLACE
    out = planned(places)
    (steps,) = np.nonzero(np.diff(out[:, 1]))
    assert len(steps) == 2 and out[:, 2:].all() and not out[20, 0]
    assert abs(steps.mean() - 19.5) <= 1 and 0.3 < np.diff(steps)[0] / 30 < 0.5


@pytest.mark.parametrize("way", [-1.0, 1.0])
def test_of_two_feet_that_move_the_one_left_behind_steps_first(way):
    places = places_of([[0, 0, 1.0], [0, way * 0.3, 1.0]])
    places[0, list(FEET[:2]), 1] -= way * 0.2  # the left foot is behind where way leads
    out = planned(places)
    left, right = (np.flatnonzero(out[:, c] == 0) for c in (1, 3))
    assert left.max() < right.min() and len(left) > 5 and len(right) > 5


def test_a_travelling_pelvis_walks_with_both_feet():
    motion = swinging(61)
    rotations = motion.rotations[[0, 60]]
    places = places_of([[0, 0, 0.9], [0, -2.4, 0.9]], rotations)
    out = between_keys(61, [0, 60], rotations, places, BODY)
    assert np.isfinite(out).all() and 0.2 < out[:, [1, 3]].mean() < 0.9
    assert (np.abs(np.diff(out[:, [1, 3]], axis=0)).sum(0) >= 2).all()


def test_what_is_not_plain_stays_open():
    places = places_of([[0, 0, 1.0], [0, 0, 1.0]])
    frames = int(PLAIN * 30) + 10
    assert np.isnan(planned(places, frames)).all()
    out = between_keys(80, [20, 50], REST, places, BODY)
    assert np.isnan(out[:20]).all() and np.isnan(out[51:]).all() and np.isfinite(out[20:51]).all()
    lying = places_of([[0, 0, 1.0], [0, -2.0, 1.0]])
    lying[:, 0, 2] = 0.2
    assert np.isnan(planned(lying)).all()


def test_a_foot_in_the_air_at_one_key_comes_down_half_way():
    places = places_of([[0, 0, 1.0], [0, 0, 1.0]])
    places[1, list(FEET[2:]), 2] += 0.3
    out = planned(places)
    assert out[:20, 2:].all() and not out[21:, 2:].any() and out[:, :2].all()


TIMES = np.arange(91) / 30
KEYED = np.array([0, 90]), np.array([[0.0, 0.0], [0.0, -2.0]])  # two metres on in three seconds


def farthest(pin, at, places):
    """How far the way through places is from the pin while it holds, metres."""
    way, _ = keyed_frames(len(TIMES), at, places, (), ())
    return np.linalg.norm(way[round(pin.start * 30) : round(pin.end * 30) + 1] - pin.place[:2], axis=1).max()


def test_who_is_to_walk_on_waits_for_a_pinned_foot():
    pin = Pin("left_ankle", 0.0, 2.0, place=np.array([0.1, 0.0, 0.08]))
    assert farthest(pin, *KEYED) > 1.0
    at, places = beside_pinned((pin,), TIMES, *KEYED, [0.97, 0.97], BODY)
    assert farthest(pin, at, places) < (STRIDE + 2 * OVER_STRIDE) * BODY.size
    assert (np.diff(at) > 0).all() and {0, 90} < set(at)
    assert np.allclose(places[[0, -1]], KEYED[1])


def test_hips_that_are_low_may_be_farther_from_it():
    pin = Pin("left_ankle", 0.0, 2.0, place=np.array([0.1, 0.0, 0.08]))
    upright, low = (farthest(pin, *beside_pinned((pin,), TIMES, *KEYED, [height] * 2, BODY)) for height in (0.97, 0.3))
    assert upright + 0.2 < low < BODY.leg


@pytest.mark.parametrize("asked", [{"joint": "right_wrist"}, {"weight": 0.0}, {"place": None}, {"end": 0.4}])
def test_only_feet_that_would_be_left_behind_change_the_way(asked):
    pin = {"joint": "left_ankle", "start": 0.0, "end": 2.0, "place": np.array([0.1, 0.0, 0.08])} | asked
    if pin["place"] is None:
        pin["rotation"] = np.array([1.0, 0.0, 0.0, 0.0])
    at, places = beside_pinned((Pin(**pin),), TIMES, *KEYED, [0.97, 0.97], BODY)
    assert len(at) == 2 and np.array_equal(places, KEYED[1])
