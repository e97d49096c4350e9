"""Joint places moved onto linear observations: exactly, smoothly, nearby only, at a cost linear in the length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core.diffusion import projection as pro
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.skeleton import COUNT, INDEX, PARENTS

from .made_motion import swinging
from .samples import seeds

WRIST, ELBOW, TOE = (INDEX[n] for n in ("left_wrist", "left_elbow", "right_foot"))


def walkers(frames=60, seeds=(1, 2)):
    return np.stack([positions(swinging(frames, seed=s)) for s in seeds])


def any_observations(rng, frames, count=30, exact=False):
    """Places, free axes, variances and distances between joints of two people, in no order, none twice."""
    flat = rng.choice(frames * 2 * COUNT, count, replace=False)
    frame, person, joint = np.unravel_index(flat, (frames, 2, COUNT))
    wanted = rng.normal(size=(count, 3))
    wanted[rng.random((count, 3)) < 0.2] = np.nan
    variance = 0.0 if exact else rng.choice([0.0, 0.3, pro.FREE], (count, 3))
    single = pro.observe(frame, joint, wanted, variance, person)
    met = ((person == 0) & (joint == WRIST)) | ((person == 1) & (joint == ELBOW))
    single = pro.select(single, ~met)  # the distance between these two is bound below
    apart = np.unique(rng.integers(0, frames, 5))
    both = pro.observe(apart, WRIST, rng.normal(size=(len(apart), 3)), 0.0, 0, (1, ELBOW))
    return pro.merge([single, both])


@given(seeds, st.integers(1, 200), st.sampled_from([(), (3,), (2, 2)]))
def test_exact_observations_are_met_in_any_number_of_takes(seed, frames, takes):
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(*takes, 2, frames, COUNT, 3))
    observations = any_observations(rng, frames)
    moved = pro.apply(pro.precompute(observations), places)
    left = pro.residual(observations, moved)
    assert moved.shape == places.shape and np.abs(left[..., observations.variance == 0]).max() < 1e-9


@settings(max_examples=12)
@given(seeds, st.integers(1, 70))
def test_the_block_system_solves_the_dense_one(seed, frames):
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(2, frames, COUNT, 3))
    observations = any_observations(rng, frames)
    apart = (np.arange(frames)[:, None] - np.arange(frames)) / FPS
    kernel = np.kron(np.kron(np.eye(2), pro.time_kernel(apart, pro.REACH)), pro.skeleton_kernel())
    rows = np.zeros((len(observations), 2, frames, COUNT))
    number = np.arange(len(observations))
    o, two = observations, observations.other_joint >= 0
    rows[number, o.person, o.frame, o.joint] = 1.0
    rows[number[two], o.other_person[two], o.frame[two], o.other_joint[two]] -= 1.0
    rows, expected = rows.reshape(len(o), -1), places.copy()
    for axis in range(3):
        bound = np.isfinite(o.variance[:, axis])
        m, x = rows[bound], places[..., axis].ravel()
        system = m @ kernel @ m.T + np.diag(o.variance[bound, axis])
        gain = kernel @ m.T @ np.linalg.lstsq(system, o.wanted[bound, axis] - m @ x, rcond=1e-12)[0]
        expected[..., axis] += gain.reshape(2, frames, COUNT)
    assert np.allclose(pro.apply(pro.precompute(o), places), expected, atol=1e-6)


def test_projecting_twice_changes_nothing_more():
    rng = np.random.default_rng(3)
    projector = pro.precompute(any_observations(rng, 90, exact=True))
    once = pro.apply(projector, walkers(90))
    assert np.abs(pro.apply(projector, once) - once).max() < 1e-9


def test_variance_1_leaves_about_half_and_more_leaves_more():
    places, left = walkers()[0], []
    for variance in (0.0, 0.1, 1.0, 10.0, 1e4):
        wanted = places[30, WRIST] + 0.2
        moved = pro.project(places, [30], [WRIST], wanted[None], variance)
        left.append(np.abs(wanted - moved[30, WRIST]).max() / 0.2)
    assert left[0] < 1e-9 and 0.3 < left[2] < 0.7 and left[-1] > 0.999 and np.all(np.diff(left) > 0)


def test_free_axes_are_left_alone():
    places = walkers()[0]
    moved = pro.project(places, [30], [0], [[5.0, np.nan, 1.0]])
    assert np.array_equal(moved[..., 1], places[..., 1])
    assert np.allclose(moved[30, 0, [0, 2]], [5.0, 1.0], atol=1e-12)


@given(st.integers(0, 119), st.integers(0, COUNT - 1))
def test_neighbours_follow_and_what_is_far_stays_bit_by_bit(frame, joint):
    places = walkers(120)
    o = pro.observe(frame, joint, places[0, [frame], joint] + [0.1, 0.0, 0.0])
    move = pro.correction(pro.precompute(o), places)
    far = np.abs(np.arange(120) - frame) >= pro.REACH * FPS
    assert (move[1] == 0).all() and (move[0, far] == 0).all() and (move[..., 1:] == 0).all()
    x = move[0, :, :, 0]
    assert (x >= 0).all() and x[:, joint].argmax() == frame
    # Along the body: a bone is changed by no more than its own length's share of the correction.
    torn = np.abs(x[frame, 1:] - x[frame, PARENTS[1:]])
    assert torn.max() < 0.6 * 0.1
    # In time: the correction comes and goes within 30 frames, with 4 times what the slowest such curve needs.
    assert np.abs(np.diff(x[:, joint])).max() < 4 * 0.1 / 30
    assert np.abs(np.diff(x[:, joint], 2)).max() < 0.1 * 25 / 30**2


def test_a_hand_that_is_pulled_brings_the_arm():
    x = pro.skeleton_kernel()[WRIST] / pro.skeleton_kernel()[WRIST, WRIST]
    order = [x[INDEX[n]] for n in ("left_wrist", "left_elbow", "left_shoulder", "spine3", "pelvis", "left_ankle")]
    assert np.all(np.diff(order) < 0) and 0.4 < order[2] < 0.7 and order[-1] < 0.3


def test_a_contact_moves_both_and_an_own_pair_as_well():
    places = walkers()
    frame = np.arange(20, 40)
    o = pro.observe(frame, WRIST, np.tile([0.0, 0.1, 0.0], (20, 1)), person=0, other=(1, TOE))
    own = pro.observe([50], WRIST, [[0.0, 0.0, 0.0]], person=1, other=(1, INDEX["right_wrist"]))
    both = pro.merge([o, own])
    moved = pro.apply(pro.precompute(both), places)
    assert np.abs(pro.residual(both, moved)).max() < 1e-9
    assert np.abs(moved - places).max((1, 2, 3)).min() > 0.1
    assert np.allclose(moved[1, 50, WRIST], moved[1, 50, INDEX["right_wrist"]])


def test_who_does_not_yield_stays_and_the_other_goes_the_whole_way():
    places, movable = walkers(), np.ones((2, 60, COUNT))
    movable[0] = 0.0
    movable[1, 30:] = np.linspace(1.0, 0.2, 30)[:, None]
    o = pro.merge([
        pro.observe(np.arange(20, 40), WRIST, np.zeros((20, 3)), person=0, other=(1, WRIST)),
        pro.observe([10], TOE, [[9.0, 9.0, 9.0]], person=0),
    ])  # fmt: skip
    moved = pro.apply(pro.precompute(o, movable=movable), places)
    assert np.array_equal(moved[0], places[0])
    assert np.allclose(moved[1, 20:40, WRIST], places[0, 20:40, WRIST], atol=1e-9)
    movable[:] = 0.0
    assert np.array_equal(pro.apply(pro.precompute(o, movable=movable), places), places)


def test_what_is_said_twice_is_met_and_contradictions_are_shared():
    places = walkers()
    a, b = places[0, 10, WRIST] + 0.1, places[1, 10, WRIST] + 0.2
    pins = pro.observe([10, 10], WRIST, np.stack([a, b]), person=[0, 1])
    held = pro.observe([10], WRIST, (a - b)[None], person=0, other=(1, WRIST))
    three = pro.merge([pins, pins, held])
    assert np.abs(pro.residual(three, pro.apply(pro.precompute(three), places))).max() < 1e-9
    torn = pro.observe([10, 10], WRIST, np.stack([a, a + 0.3]))
    assert np.allclose(pro.apply(pro.precompute(torn), places)[0, 10, WRIST], a + 0.15, atol=1e-4)


def test_single_precision_stays_and_nothing_is_written_into_what_came():
    places = walkers().astype(np.float32)
    before = places.copy()
    o = pro.observe(np.arange(60), WRIST, np.tile([1.0, 2.0, 3.0], (60, 1)))
    moved = pro.apply(pro.precompute(o), places)
    assert moved.dtype == np.float32 and np.abs(pro.residual(o, moved)).max() < 1e-5
    assert np.array_equal(places, before)
    turned = np.asfortranarray(walkers())
    assert np.allclose(pro.correction(pro.precompute(o), turned), pro.correction(pro.precompute(o), walkers()))
    assert np.array_equal(pro.apply(pro.precompute(pro.select(o, slice(0, 0))), places), places)


def long_pin(places, joints, share=0.2):
    """Pins of joints over all frames, part of the way to where another smooth motion has them."""
    frames = places.shape[1]
    other = positions(swinging(frames, seed=9))
    other += places[0].mean((0, 1)) - other.mean((0, 1))
    frame, joint = np.tile(np.arange(frames), len(joints)), np.repeat(joints, frames)
    return pro.observe(frame, joint, (1 - share) * places[0, frame, joint] + share * other[frame, joint])


@pytest.mark.parametrize(("most", "apart", "share"), [(150, 3, 3e-4), (90, 4, 1e-3), (85, 5, 3e-3)])
def test_thinned_pins_are_still_met_between(most, apart, share):
    places = walkers(300, (1,))
    o = long_pin(places, [WRIST, ELBOW, TOE, 0, 4, 7, 15, 19, 21])
    kept = pro.thin(o, most=most)
    assert np.bincount(o.frame[kept] // 30).max() <= most
    assert {0, 1, 2, 297, 298, 299} <= set(o.frame[kept]) and np.diff(np.unique(o.frame[kept])).max() == apart
    moved = pro.apply(pro.precompute(pro.select(o, kept)), places)
    left = np.linalg.norm(pro.residual(o, moved), axis=-1)
    assert left[kept].max() < 1e-9
    assert left.max() < share * np.linalg.norm(pro.residual(o, places), axis=-1).max()


def test_what_is_short_or_alone_is_not_thinned():
    o = pro.observe([0, *range(7, 20), 40], WRIST, np.zeros((15, 3)))
    assert np.array_equal(pro.thin(o), np.arange(15))
    assert set(o.frame[pro.thin(o, most=2)]) == {0, 7, 8, 9, 17, 18, 19, 40}
    other = pro.observe([7, 8], WRIST, np.zeros((2, 3)), other=(0, TOE))
    assert len(pro.thin(pro.merge([o, other]), most=2)) == 8 + 2
    assert len(pro.thin(pro.merge([o, o]), most=2)) == 2 * 8
    assert len(pro.thin(pro.select(o, slice(0, 0)))) == 0


def test_pseudo_observations_lie_between_sparse_keys_and_fade():
    places = walkers(120, (1,))
    frames = [0, 6, 60, 119]
    wanted = places[0, frames, 0] + [[0, 0, 0], [0.1, 0, 0], [0.5, 0, 0], [0, 0, np.nan]]
    o = pro.observe(frames, 0, wanted)
    noisy, later = pro.with_pseudo(o, 0.0), pro.with_pseudo(o, 0.8)
    assert len(noisy) > len(o) and pro.with_pseudo(o, 0.95) is o
    between = noisy.frame[len(o) :]
    assert not np.isin(between, frames).any() and (between > 6).all()
    assert (np.isinf(noisy.variance[len(o) :, 2]) == (between > 60)).all()
    assert (later.variance[len(o) :, 0] > noisy.variance[len(o) :, 0]).all()
    exact = pro.apply(pro.precompute(noisy), places)
    assert np.abs(pro.residual(o, exact)).max() < 1e-9
    # Midway between two keys that ask for 0.1 and 0.5 m more, the pelvis follows the line between them by a part.
    moved = (exact - places)[0, 33, 0, 0]
    alone = pro.correction(pro.precompute(o), places)[0, 33, 0, 0]
    assert alone < moved < 0.35


def test_cost_and_memory_grow_linearly_with_the_length():
    # Every step multiplies by each of these arrays three times at most, whatever the machine.
    def held(seconds):
        o = long_pin(walkers(60, (1,)), [WRIST, TOE])
        every = pro.merge(pro.observe(o.frame + 60 * k, o.joint, o.wanted) for k in range(seconds // 2))
        projector = pro.precompute(pro.select(every, pro.thin(every)))
        blocks = [
            a for s in projector.systems for part in (s.inverse, s.across, s.whole) for a in part if a is not None
        ]
        pieces = [a for p in projector.pieces for a in (p.over_body, p.over_time)]
        return sum(a.size for a in blocks + pieces), max(a.size for a in blocks)

    (short, block), (long, same) = held(20), held(200)
    assert same == block <= pro.MOST**2 and long == pytest.approx(10 * short, rel=0.05)
