import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot

from .samples import quaternions, seeds, vectors

ABOUT_X = np.array([np.cos(0.3), np.sin(0.3), 0, 0])  # 0.6 radians


def same_turn(a, b):
    return np.abs(np.abs((a * b).sum(-1)) - 1).max() < 1e-9


def test_a_positive_turn_about_z_takes_x_to_y():
    assert np.allclose(rot.rotate(rot.about_z(np.pi / 2), np.array([1.0, 0, 0])), [0, 1, 0])


def test_products_apply_the_second_factor_first():
    q = rot.multiply(rot.about_z(np.pi / 2), ABOUT_X)
    assert np.allclose(rot.rotate(q, np.array([1.0, 0, 0])), [0, 1, 0])
    assert np.allclose(rot.to_matrix(q), rot.to_matrix(rot.about_z(np.pi / 2)) @ rot.to_matrix(ABOUT_X))


@given(seeds)
def test_matrices_and_quaternions_are_inverses(seed):
    q = quaternions(seed, 50)
    assert same_turn(rot.from_matrix(rot.to_matrix(q)), q)


def test_matrices_of_half_turns_come_back():
    half = np.array([[0, 1.0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0], [0, 0.6, 0.8, 0]])
    assert same_turn(rot.from_matrix(rot.to_matrix(half)), half)


@given(seeds)
def test_six_numbers_and_quaternions_are_inverses(seed):
    q = quaternions(seed, 50)
    assert same_turn(rot.from_6d(rot.to_6d(q)), q)


@given(seeds)
def test_six_numbers_of_any_length_give_a_rotation(seed):
    x = rot.to_6d(quaternions(seed, 20))
    assert same_turn(rot.from_6d(x * np.array([3, 3, 3, 0.2, 0.2, 0.2])), rot.from_6d(x))


@given(vectors)
def test_rotation_vectors_up_to_half_a_turn_come_back(v):
    assert np.allclose(rot.to_rotvec(rot.from_rotvec(3 / np.sqrt(3) * v)), 3 / np.sqrt(3) * v, atol=1e-9)


@given(seeds)
def test_turning_forth_and_back_changes_nothing(seed):
    q, v = quaternions(seed, 20), np.random.default_rng(seed).normal(size=(20, 3))
    assert np.allclose(rot.rotate(rot.conjugate(q), rot.rotate(q, v)), v)
    assert np.allclose(rot.rotate(q, v), (rot.to_matrix(q) @ v[..., None])[..., 0])


@given(vectors, vectors)
def test_the_shortest_arc_leads_from_one_direction_to_the_other(a, b):
    a, b = a + [0, 0, 1.5], b + [0, 0, 1.5]
    q = rot.shortest_arc(a, b)
    assert np.allclose(rot.rotate(q, rot.normalize(a)), rot.normalize(b))
    angle = np.arccos(np.clip(rot.normalize(a) @ rot.normalize(b), -1, 1))
    assert np.isclose(rot.angle_between(rot.IDENTITY, q), angle, atol=1e-6)


def test_the_shortest_arc_is_a_rotation_for_vectors_of_any_length():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, -3.0 + 1e-3])
    for length in (1e-9, 1e-6, 1.0, 1e6):
        q = rot.shortest_arc(length * a, length * b)
        assert np.isclose(np.linalg.norm(q), 1.0) and np.allclose(rot.rotate(q, rot.normalize(a)), rot.normalize(b))
    assert np.allclose(rot.shortest_arc(np.zeros(3), a), rot.IDENTITY)


def test_the_shortest_arc_between_opposites_is_half_a_turn():
    for axis in np.eye(3):
        assert np.allclose(rot.rotate(rot.shortest_arc(axis, -axis), axis), -axis)


@given(seeds, st.floats(0, 1))
def test_slerp_goes_evenly_along_the_shorter_arc(seed, t):
    a, b = quaternions(seed, 2, 30)
    whole = rot.angle_between(a, b)
    assert np.allclose(rot.angle_between(a, rot.slerp(a, b, np.full(30, t))), t * whole, atol=1e-6)
    assert same_turn(rot.slerp(a, b, np.ones(30)), b)


def test_aligned_signs_keep_neighbours_on_one_side():
    q = quaternions(3, 40, 22)
    aligned = rot.align_signs(q)
    assert ((aligned[1:] * aligned[:-1]).sum(-1) >= 0).all()
    assert same_turn(aligned, q)


@given(st.floats(-3.1, 3.1))
def test_heading_is_the_turn_about_the_vertical_axis(angle):
    assert np.isclose(rot.heading(rot.about_z(angle)), angle)


def test_one_rotation_stays_one():
    q = rot.from_matrix(np.eye(3))
    assert q.shape == (4,) and rot.rotate(q, np.ones(3)).shape == (3,)
    assert rot.to_6d(q).shape == (6,) and rot.from_6d(rot.to_6d(q)).shape == (4,) and rot.to_matrix(q).shape == (3, 3)
    assert rot.to_rotvec(q).shape == (3,) and rot.normalize(np.ones(3)).shape == (3,)
