"""Feet that are put near each other, or swing through the other leg."""

import numpy as np

from blender_motiondiff.core.cleanup.legs_apart import APART, across, stances_apart, swings_apart
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.segments import closest
from blender_motiondiff.core.skeleton import INDEX

from .samples import standing

FRAMES = 60
ONE = np.ones(2)


def legs(metres, frames=FRAMES):
    """Knees, ankles and toes `[2, T, 3]` of somebody whose feet are so far apart, and the direction across."""
    places = positions(standing(frames))
    leg = [np.stack([places[:, INDEX[f"{side}_{joint}"]] for side in ("left", "right")]) for joint in
           ("knee", "ankle", "foot")]  # fmt: skip
    for joint in leg:
        joint[..., 0] += np.array([[0.5 * metres], [-0.5 * metres]]) - joint[:, :1, 0]
    return leg, across(places[None])


def gap(leg):
    """Metres `[T]` between both feet, as lines."""
    left, right = (np.stack([joint[side].T for joint in leg[1:]]) for side in (0, 1))
    return np.linalg.norm(closest(left, right)[2], axis=0)


def test_feet_that_stand_in_each_other_are_moved_apart_each_as_one():
    leg, aside = legs(0.02)
    stands, free = np.ones((2, FRAMES), bool), np.zeros((2, FRAMES), bool)
    moved = stances_apart(leg[1:], stands, free, aside, ONE)
    assert np.ptp(moved, axis=1).max() < 1e-12
    assert np.allclose(gap([joint + moved for joint in leg]), APART)
    assert np.allclose(moved[0], -moved[1])
    fixed = free.copy()
    fixed[0, 3] = True
    moved = stances_apart(leg[1:], stands, fixed, aside, ONE)
    assert not moved[0].any() and np.allclose(gap([joint + moved for joint in leg]), APART)
    assert not stances_apart(leg[1:], stands, ~free, aside, ONE).any()


def test_feet_beside_each_other_stay():
    leg, aside = legs(0.12)
    nothing = np.zeros((2, FRAMES), bool)
    assert not stances_apart(leg[1:], ~nothing, nothing, aside, ONE).any()
    assert not swings_apart(leg, nothing, aside, ONE).any()


def test_a_foot_swings_around_the_leg_that_stands():
    leg, aside = legs(0.03)
    for joint in leg:
        joint[0, :, 1] += np.linspace(0.6, -0.6, FRAMES)  # past the other foot
    stands = np.ones((2, FRAMES), bool)
    stands[0, 10:-10] = False
    moved = swings_apart(leg, stands, aside, ONE)
    assert not moved[1].any() and not moved[0][stands[0]].any()
    assert gap(leg).min() < 0.04 and gap([joint + moved for joint in leg]).min() > 0.95 * APART
    assert np.abs(np.diff(moved, 2, axis=1)).max() < 0.02
    assert (moved[0, :, 0] >= 0).all()  # to its own side
