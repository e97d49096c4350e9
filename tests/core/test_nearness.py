"""Two bodies come as near as contacts and spacings want them, smoothly, and only who may move does."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.constraints import nearness
from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS, positions, turned
from blender_motiondiff.core.request import Character, Contact, Path, Request, Spacing
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_constraints import poses_of
from .samples import standing

FRAMES = 120
BOTH, SECOND = np.ones((2, FRAMES)), np.repeat([[0.0], [1.0]], FRAMES, 1)
HANDS = Contact((0, "left_wrist"), (1, "right_wrist"), 0.05, 1.5, 2.5)
HELD = slice(45, 76)
ARM = sum(np.linalg.norm(average_body().offsets[INDEX[f"left_{name}"]]) for name in ("elbow", "wrist"))


def opposite(metres):
    """Poses of two who stand facing each other, `metres` from pelvis to pelvis."""
    one = standing(FRAMES)
    other = turned(one, np.pi)
    return poses_of(one, replace(other, root=other.root + [0.0, -metres, 0.0]))


def shoulders(poses, moved):
    """Metres along the ground between the shoulders whose hands are to touch, `[T]`."""
    places = poses.places + moved[:, :, None]
    return np.linalg.norm((places[0, :, INDEX["left_shoulder"]] - places[1, :, INDEX["right_shoulder"]])[:, :2], axis=1)


def pelvises(poses, moved):
    """Metres along the ground between both pelvises, `[T]`."""
    way = (poses.places[1] + moved[1, :, None] - poses.places[0] - moved[0, :, None])[:, 0, :2]
    return np.linalg.norm(way, axis=1)


@pytest.mark.parametrize("free", [BOTH, SECOND], ids=["both", "second"])
def test_hands_that_are_to_touch_come_within_bent_arms(free):
    poses = opposite(1.5)
    moved = nearness.approach(poses, free, [HANDS], [])
    assert shoulders(poses, moved)[HELD].max() < 0.8 * 2 * ARM < shoulders(poses, 0 * moved).min()
    assert not moved[free == 0].any() and not moved[..., 2].any()
    assert np.abs(moved[:, [0, -1]]).max() < 0.01  # they come and go
    assert np.abs(np.diff(moved, axis=1)).max() * FPS < 1.5
    assert np.abs(np.diff(moved, n=2, axis=1)).max() * FPS**2 < 12.0


def test_to_a_hand_that_stays_where_it_is_they_come_within_one_arm():
    poses = opposite(1.2)
    moved = nearness.approach(poses, SECOND, [HANDS], [], still=(True, False))
    hand, shoulder = poses.places[0, HELD, INDEX["left_wrist"]], poses.places[1, HELD, INDEX["right_shoulder"]]
    assert np.linalg.norm(hand - shoulder, axis=1).min() > 1.3 * ARM
    assert np.linalg.norm(hand - shoulder - moved[1, HELD], axis=1).max() < ARM + HANDS.distance
    near = nearness.approach(poses, SECOND, [HANDS], [])
    assert np.linalg.norm(hand - shoulder - near[1, HELD], axis=1).min() > ARM + HANDS.distance


def test_who_is_near_enough_stays():
    assert not nearness.approach(opposite(0.6), BOTH, [HANDS], []).any()


def test_wishes_and_touches_of_oneself_move_nobody():
    poses = opposite(1.8)
    assert not nearness.approach(poses, BOTH, [replace(HANDS, weight=1.0)], []).any()
    assert not nearness.approach(poses, BOTH, [replace(HANDS, second=(0, "head"))], []).any()


def test_nobody_moves_who_may_not():
    assert not nearness.approach(opposite(1.8), 0 * BOTH, [HANDS], [Spacing(0.3, 0.5)]).any()


@pytest.mark.parametrize(("metres", "spacing"), [(2.0, Spacing(0.5, 1.2)), (0.4, Spacing(0.9, 1.5))])
def test_a_distance_is_walked_or_stepped_back(metres, spacing):
    poses = opposite(metres)
    between = pelvises(poses, nearness.approach(poses, BOTH, [], [spacing]))
    assert (between > spacing.least - 1e-6).all() and (between < spacing.most + 1e-6).all()


def test_a_contact_takes_nobody_nearer_than_a_spacing_lets_them():
    poses = opposite(1.8)
    moved = nearness.approach(poses, BOTH, [HANDS], [Spacing(1.4)])
    assert 1.4 - 1e-6 < pelvises(poses, moved).min() < 1.4 + 2 * nearness.INSIDE


def test_touching_low_does_not_bring_bodies_into_each_other():
    moved = nearness.approach(opposite(1.8), BOTH, [replace(HANDS, second=(1, "pelvis"))], [])
    assert 0.2 < pelvises(opposite(1.8), moved).min() < 0.8


def test_a_partner_of_somebody_who_walks_takes_a_hand_with_bent_arms_and_steps():
    t = np.linspace(0.0, 4.9, 15)
    path = Path(t, np.stack([0.8 * np.sin(0.7 * t), -0.8 * t], -1))
    hold = Contact((0, "left_wrist"), (1, "right_wrist"), 0.06, 2.4, 3.4)
    people = Character("Ann", average_body(), path=path), Character("Bob", average_body())
    take = generate(Request(people, 4.9, seed=1, contacts=(hold,)), back_ends.load(threads=1))[0]
    places = positions(take.motions[1])
    arm = np.linalg.norm(places[75:100, INDEX["right_shoulder"]] - places[75:100, INDEX["right_wrist"]], axis=1)
    assert arm.max() < 0.98 * ARM
    assert not take.report["relaxed"]
    assert take.report["characters"][1]["foot_skating_ratio"] < 0.2  # 0.34 without steps of its own
