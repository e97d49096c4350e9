"""Splines go through their keys smoothly; partners stand where the leader has them, on the body that was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, Motion, positions, turned
from blender_motiondiff.core.reference import PARTNER_DISTANCE
from blender_motiondiff.core.skeleton import COUNT, average_body
from evaluation import baselines
from tests.core.made_motion import swinging

FRAMES = np.array([0, 31, 80, 119])


def at(motion, frames):
    return replace(motion, root=motion.root[frames], rotations=motion.rotations[frames])


def made_pairs(seeds=(0, 1, 2), frames=200):
    """Couples in which the partner is the leader's mirror image."""
    parts = []
    for k, seed in enumerate(seeds):
        leader = swinging(frames, seed)
        parts.append(baselines._entry(leader, baselines.mirrored_leader(leader, leader.body), k, f"take {seed}"))
    return baselines.Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def error(a, b):
    return np.linalg.norm(positions(a) - positions(b), axis=-1).max()


def spin(motion):
    return rot.to_rotvec(rot.multiply(rot.conjugate(motion.rotations[:-1]), motion.rotations[1:])) * FPS


def test_a_spline_goes_through_its_keys_and_turns_without_a_jerk():
    motion = swinging(120)
    made = baselines.spline(FRAMES, at(motion, FRAMES), 120)
    assert made.frames == 120 and error(at(made, FRAMES), at(motion, FRAMES)) < 1e-9
    for rates in (spin(made), np.diff(made.root, axis=0) * FPS):
        steps = np.abs(np.diff(rates, axis=0)).reshape(118, -1).max(1)
        at_keys = np.abs(np.diff(rates, axis=0))[FRAMES[1:-1] - 1].max()
        assert at_keys < 2 * np.sort(steps)[-20]  # no more than between the keys


def test_a_spline_keeps_a_steady_turn_and_is_held_beyond_its_keys():
    turns = np.tile(rot.IDENTITY, (120, COUNT, 1))
    turns[:, 3] = rot.from_rotvec(np.arange(120)[:, None] * 0.02 * np.array([0.6, 0.0, 0.8]))
    steady = Motion(np.arange(120)[:, None] * [0.01, 0.02, 0.0], turns, average_body())
    assert error(baselines.spline(FRAMES, at(steady, FRAMES), 120), steady) < 1e-9
    inner = baselines.spline([40, 60], at(steady, [40, 60]), 120)
    assert error(at(inner, [0, 40, 50, 60, 119]), at(steady, [40, 40, 50, 60, 60])) < 1e-9
    assert error(baselines.spline([40], at(steady, [40]), 3), at(steady, [40, 40, 40])) < 1e-9


def test_a_known_leader_gets_the_partner_who_was_there_wherever_the_couple_stands():
    leader = at(swinging(200, 1), np.arange(40, 160))
    there = at(baselines.mirrored_leader(swinging(200, 1), leader.body), np.arange(40, 160))
    moved, wanted = (turned(m, 2.0, (5.0, -3.0, 0.0)) for m in (leader, there))
    pairs = made_pairs()  # frames near a cut's ends are smoothed a little otherwise
    assert error(baselines.nearest_partner(moved, leader.body, pairs), wanted) < 0.01
    near = baselines.pose_neighbours(moved, leader.body, pairs, count=1)
    inner = np.arange(15, 105)
    assert error(at(near, inner), at(wanted, inner)) < 0.01
    blurred = baselines.pose_neighbours(moved, leader.body, pairs, count=8)
    assert 0.01 < error(blurred, wanted) < 0.5
    assert error(baselines.nearest_partner(moved, leader.body, made_pairs((0, 2))), wanted) > 0.1


def test_a_leader_longer_than_every_recording_is_answered_throughout():
    pairs, leader = made_pairs(frames=70), swinging(120, 0)
    made = baselines.nearest_partner(leader, leader.body, pairs)
    assert made.frames == 120 and np.isfinite(positions(made)).all()
    assert error(at(made, np.arange(69, 120)), at(made, np.full(51, 69))) < 1e-9


def test_the_mirror_image_faces_the_leader():
    leader = swinging(120)
    image = baselines.mirrored_leader(leader, leader.body)
    apart = np.linalg.norm((image.root - leader.root)[:, :2], axis=1)
    assert abs(np.median(apart) - PARTNER_DISTANCE) < 0.05
    leaders = rot.heading(leader.rotations[:, 0])
    ahead = np.stack([np.sin(leaders), -np.cos(leaders)], -1)
    assert ((image.root - leader.root)[:, :2] * ahead).sum(-1).min() > 0.5
    theirs = rot.heading(image.rotations[:, 0])
    assert (np.stack([np.sin(theirs), -np.cos(theirs)], -1) * ahead).sum(-1).max() < -0.8
    right, left = positions(leader)[:, 21], positions(image)[:, 20]
    np.testing.assert_allclose(right[:, 2], left[:, 2], atol=1e-9)


@pytest.mark.parametrize("known", [False, True])
def test_somebody_stands_still_before_the_leader(known):
    leader = swinging(120, speed=0.2)
    made = baselines.still(leader, leader.body, made_pairs() if known else None)
    places = positions(made)
    assert made.frames == 120 and np.ptp(places, axis=0).max() == 0.0
    assert abs(np.linalg.norm(places[0, 0, :2] - leader.root[:, :2].mean(0)) - PARTNER_DISTANCE) < 0.15
    assert places[0, 20:, 2].max() < places[0, 15, 2] and abs(places[0, [10, 11], 2].min() - 0.02) < 0.03


@pytest.mark.parametrize("answer", [baselines.nearest_partner, baselines.pose_neighbours, baselines.still])
def test_answers_are_on_the_body_that_was_asked_for(answer):
    leader, body = swinging(90), average_body().scaled(0.7)
    made, adult = (answer(leader, b, made_pairs()) for b in (body, leader.body))
    assert made.body is body and made.frames == 90 and made.fps == FPS
    np.testing.assert_allclose(made.root[:, 2], 0.7 * adult.root[:, 2], rtol=1e-6)


def test_takes_can_be_left_out():
    pairs = made_pairs()
    rest = baselines.without(pairs, "take 1")
    assert set(rest.take) == {"take 0", "take 2"} and len(rest.root) == 400


def test_a_folder_without_motion_data_is_named(tmp_path):
    with pytest.raises(FileError, match=r"holds no motion data") as raised:
        baselines.load_pairs(tmp_path)
    assert str(tmp_path) in str(raised.value) and "\n" not in str(raised.value)


def test_recorded_couples_are_those_of_training_and_their_mirror_images(data):
    pairs = baselines.load_pairs(data)
    assert not {"060_03", "060_14", "060_06"} & set(pairs.take) and len(set(pairs.take)) >= 6
    plain, flipped = (pairs.stretch == k for k in (0, 1))
    np.testing.assert_allclose(pairs.root[plain] * [-1, 1, 1], pairs.root[flipped], atol=1e-6)
    assert 0.4 < np.linalg.norm(pairs.root[:, :2], axis=1).mean() < 1.2
