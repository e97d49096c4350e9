import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import (
    Motion,
    forward_kinematics,
    global_rotations,
    local_rotations,
    mirror,
    positions,
    resample,
    scaled,
    turned,
)
from blender_motiondiff.core.skeleton import COUNT, INDEX, MIRROR, PARENTS, average_body, make_body

from .samples import bodies, quaternions, random_motion, seeds, standing


def assert_same_motion(a, b, tolerance=1e-9):
    assert np.allclose(a.root, b.root, atol=tolerance)
    assert rot.angle_between(a.rotations, b.rotations).max() < max(tolerance, 1e-6)
    assert np.allclose(a.body.offsets, b.body.offsets, atol=tolerance)


def test_the_rest_pose_is_the_body():
    motion = standing(3)
    assert np.allclose(positions(motion)[1] - motion.root[1], motion.body.rest_positions)


@given(seeds)
@settings(max_examples=25)
def test_forward_kinematics_is_the_chain_of_matrices(seed):
    motion = random_motion(seed, 2)
    places, world = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    for j in range(1, COUNT):
        chain, place, k = [], motion.root[0], j
        while k >= 0:
            chain.insert(0, k)
            k = PARENTS[k]
        matrix = np.eye(3)
        for parent, child in zip(chain[:-1], chain[1:], strict=True):
            matrix = matrix @ rot.to_matrix(motion.rotations[0, parent])
            place = place + matrix @ motion.body.offsets[child]
        assert np.allclose(places[0, j], place)
        assert np.allclose(rot.to_matrix(world[0, j]), matrix @ rot.to_matrix(motion.rotations[0, j]))


@given(seeds)
@settings(max_examples=25)
def test_local_and_world_rotations_are_inverses(seed):
    local = quaternions(seed, 3, COUNT)
    assert np.allclose(local_rotations(global_rotations(local)), local)


@given(seeds, bodies)
@settings(max_examples=25)
def test_mirroring_twice_changes_nothing(seed, measures):
    motion = random_motion(seed, 4, make_body(measures))
    assert_same_motion(mirror(mirror(motion)), motion)


@given(seeds)
@settings(max_examples=25)
def test_a_mirrored_motion_is_the_reflection(seed):
    motion = random_motion(seed, 4)
    reflected = positions(motion)[:, MIRROR] * np.array([-1.0, 1, 1])
    assert np.allclose(positions(mirror(motion)), reflected)


@given(seeds, st.floats(-3, 3))
@settings(max_examples=25)
def test_a_turned_motion_turns_every_joint(seed, angle):
    motion = random_motion(seed, 3)
    moved = turned(motion, angle, (1.0, -2.0, 0.5))
    assert np.allclose(positions(moved), rot.rotate(rot.about_z(angle), positions(motion)) + [1.0, -2.0, 0.5])
    assert_same_motion(turned(turned(motion, angle), -angle), motion)


def test_a_scaled_motion_scales_every_joint():
    motion = random_motion(5, 3)
    assert np.allclose(positions(scaled(motion, 1.7)), 1.7 * positions(motion))


@given(seeds, st.integers(1, 9))
@settings(max_examples=25)
def test_resampling_at_its_own_frames_changes_nothing(seed, frames):
    motion = random_motion(seed, frames)
    same = resample(motion, np.arange(frames) / motion.fps)
    assert_same_motion(same, motion)
    assert np.isclose(same.fps, motion.fps)


def test_resampling_between_frames_meets_both_half_way():
    motion = random_motion(1, 4)
    half = resample(motion, np.array([0.5, 1.5, 2.5]) / motion.fps)
    assert np.allclose(half.root, (motion.root[1:] + motion.root[:-1]) / 2)
    before, after = motion.rotations[:-1], motion.rotations[1:]
    assert np.allclose(rot.angle_between(before, half.rotations), rot.angle_between(before, after) / 2, atol=1e-6)


def test_resampling_holds_the_ends_and_takes_uneven_times():
    motion = random_motion(2, 3)
    held = resample(motion, np.array([-1.0, 9.0]))
    assert np.allclose(held.root, motion.root[[0, 2]])
    uneven = resample(motion, np.array([0.0, 1.5, 3.0]), own_times=np.array([0.0, 1.0, 3.0]))
    assert np.allclose(uneven.root[1], 0.75 * motion.root[1] + 0.25 * motion.root[2])


def test_a_change_of_rate_there_and_back_keeps_a_smooth_motion():
    t = np.arange(61) / 30
    turn = np.zeros((61, COUNT, 3))
    turn[:, INDEX["left_shoulder"], 1] = np.sin(3 * t)
    motion = Motion(np.stack([t, np.sin(t), 0 * t], -1), rot.from_rotvec(turn), average_body())
    fast = resample(motion, np.arange(0, 2.0001, 1 / 120))
    back = resample(fast, t)
    assert np.isclose(fast.fps, 120)
    assert_same_motion(back, motion, 1e-6)
    assert np.isclose(motion.duration, 2)
