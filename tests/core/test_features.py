"""Motion -> features -> relative features, and back."""

import numpy as np
import pytest

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.features import CONTACTS, POSITIONS, SIZE, VELOCITIES, decode, encode
from blender_motiondiff.core.motion import positions

from .made_motion import swinging


def features_of(motion, contacts=None):
    contacts = np.zeros((motion.frames, 4)) if contacts is None else contacts
    return encode(motion.root, motion.rotations, motion.body.offsets, contacts)


@pytest.mark.parametrize("seed", range(4))
def test_motion_to_features_and_back(seed):
    motion = swinging(seed=seed)
    stands = np.random.default_rng(seed).integers(0, 2, (motion.frames, 4)).astype(float)
    features = features_of(motion, stands)
    assert features.shape == (motion.frames, SIZE) and SIZE == 268
    back, contacts = decode(features, motion.body)
    assert np.abs(back.root - motion.root).max() < 1e-4
    assert rot.angle_between(back.rotations, motion.rotations).max() < 1e-4
    assert (contacts == stands).all()
    assert np.abs(positions(back) - features[:, POSITIONS].reshape(-1, 22, 3)).max() < 1e-4


def test_velocities_are_metres_a_second_and_the_last_is_repeated():
    features = features_of(swinging(speed=1.5))
    pelvis = features[:, VELOCITIES][:, :2]
    assert np.allclose(np.linalg.norm(pelvis, axis=1), 1.5, atol=1e-6)
    assert (features[-1, VELOCITIES] == features[-2, VELOCITIES]).all()


@pytest.mark.parametrize("seed", range(3))
def test_relative_features_and_back(seed):
    features = features_of(swinging(seed=seed))
    rng = np.random.default_rng(seed)
    place, heading = rng.normal(size=(60, 2)), rng.uniform(-9, 9, 60)
    relative = ref.to_relative(features, place, heading)
    assert np.abs(ref.to_world(relative, place, heading) - features).max() < 1e-4


def test_relative_features_do_not_know_where_in_the_world_they_are():
    motion = swinging(seed=5)
    own = ref.own_frames(motion.root[:, :2], rot.heading(motion.rotations[:, 0]))
    relative = ref.to_relative(features_of(motion), *own)
    from blender_motiondiff.core.motion import turned

    moved = turned(motion, 1.1, (4.0, -2.0, 0.0))
    frames = ref.own_frames(moved.root[:, :2], rot.heading(moved.rotations[:, 0]))
    again = ref.to_relative(features_of(moved), *frames)
    assert np.abs(again - relative).max() < 1e-6


def test_interpolation_passes_observations_and_fades_to_the_mean():
    observed, mask, mean = np.zeros((90, 2)), np.zeros((90, 2), bool), np.array([1.0, -1.0])
    for frame, value in ((10, 3.0), (70, 5.0)):
        observed[frame, 0], mask[frame, 0] = value, True
    base = ref.interpolate(observed, mask, mean)
    assert base[10, 0] == 3.0 and base[70, 0] == 5.0 and base[40, 0] == pytest.approx(4.0)
    assert abs(base[89, 0] - 1.0) < abs(base[75, 0] - 1.0) < 4.0
    assert (base[:, 1] == -1.0).all()
    walking = ref.interpolate(observed, mask, mean, walking=True)
    assert walking[10, 0] == 3.0 and walking[70, 0] == 5.0 and abs(walking[40, 0] - 1.0) < 0.5


def test_distance_to_the_nearest_observation():
    mask = np.zeros((200, 1), bool)
    assert (ref.nearest_distance(mask) == ref.NO_OBSERVATION).all()
    mask[5] = True
    distance = ref.nearest_distance(mask)[:, 0]
    assert distance[5] == 0 and distance[0] == 5 and distance[12] == 7
    assert distance[199] == ref.DISTANCES[-1]


def test_spread_takes_the_table_of_the_source_at_the_distance():
    table = np.arange(3 * 14 * SIZE, dtype=float).reshape(3, 14, SIZE)
    tables = ref.Tables(np.zeros((3, SIZE)), np.ones(SIZE), table)
    mask = np.zeros((2, 30, SIZE), bool)
    mask[1, 10] = True
    spread = ref.spread(tables, np.array([ref.PATH, ref.OWN]), mask)
    assert (spread[0] == table[ref.PATH, 13]).all()
    assert (spread[1, 12] == table[ref.OWN, 1]).all()
    assert np.allclose(spread[1, 15], 0.5 * (table[ref.OWN, 3] + table[ref.OWN, 4]))


def test_every_group_is_led_by_one_of_its_channels():
    groups = ref.GROUPS
    assert len(groups) == SIZE and groups.max() == len(ref.LEADS) - 1
    assert all(groups[channel] == g for g, channel in enumerate(ref.LEADS))
    assert (groups[CONTACTS] == len(ref.LEADS) - 1).all()


def test_the_partner_stands_in_front_and_looks_back():
    place, heading = ref.facing(np.zeros((1, 2)), np.zeros(1))
    assert np.allclose(place, [[0.0, -ref.PARTNER_DISTANCE]])
    toward = np.array([np.sin(heading[0]), -np.cos(heading[0])])
    assert np.allclose(toward, [0.0, 1.0])


def test_a_standing_path_is_headed_by_what_moves_around_it():
    points = np.concatenate([np.zeros((30, 2)), np.stack([np.linspace(0, 2, 60), np.zeros(60)], -1)])
    assert np.allclose(ref.path_heading(points)[:20], np.pi / 2, atol=0.05)
