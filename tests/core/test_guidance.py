"""Wishes as pushes on joint places; estimates under several conditions combined."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core.constraints.rows import Poses, join, make_rows
from blender_motiondiff.core.diffusion.guidance import push, push_away
from blender_motiondiff.core.diffusion.kernels import skeleton_kernel, spread, time_kernel
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request.data import HARD
from blender_motiondiff.core.skeleton import INDEX

from .made_motion import swinging
from .samples import seeds

WRIST, ELBOW = INDEX["left_wrist"], INDEX["left_elbow"]


def two_walkers(frames=60, dtype=float):
    places = np.stack([positions(swinging(frames, seed=s)) for s in (1, 2)]).astype(dtype)
    turns = np.zeros((*places.shape[:3], 4))
    turns[..., 0] = 1.0
    return Poses(np.arange(frames) / 30.0, places, turns, np.ones(2))


def to_height(frames, height, weight=1.0):
    """Wrists of the first person at a height over some frames."""

    def gather(poses):
        residual = poses.places[0, frames, WRIST, 2] - height
        return make_rows(frames, 0, WRIST, [0, 0, 1.0], residual, weight, 0)

    return gather


def worst(gather, poses, places):
    return np.abs(gather(replace(poses, places=places)).residual).max()


@pytest.mark.parametrize("frames", [np.array([30]), np.arange(20, 22), np.arange(60)])
def test_strength_1_halves_a_residual_that_neighbours_share(frames):
    poses = two_walkers()
    flat = poses.places.copy()
    flat[0, :, WRIST, 2] = 1.0
    poses = replace(poses, places=flat)
    gather = to_height(frames, 1.4)
    left = worst(gather, poses, push(poses, gather))
    assert 0.15 < left < 0.35
    assert worst(gather, poses, push(poses, gather, steps=6)) < 0.12


@given(seeds, st.floats(0.05, 20.0), st.integers(1, 8))
def test_no_push_overshoots_into_more(seed, weight, steps):
    poses = two_walkers()
    rng = np.random.default_rng(seed)
    frames, joints = rng.integers(0, 60, 40), rng.integers(0, 22, 40)
    normal = rng.normal(size=(40, 3))
    start = rng.normal(0, 0.2, 40)

    def gather(p):
        residual = start + (normal * (p.places - poses.places)[1, frames, joints]).sum(-1)
        return make_rows(frames, 1, joints, normal, residual, weight, 0)

    def energy(places):
        return float((gather(replace(poses, places=places)).residual ** 2).sum())

    assert energy(push(poses, gather, steps=steps)) < energy(poses.places)


def test_neighbours_in_body_and_time_follow():
    poses, gather = two_walkers(), to_height(np.array([30]), 2.5)
    move = push(poses, gather, strength=3.0) - poses.places
    pulled = move[0, :, :, 2]
    assert pulled[30, WRIST] == pulled.max() > 0.1
    assert 0.6 < pulled[30, ELBOW] / pulled[30, WRIST] < 1.0
    assert 0.9 < pulled[29, WRIST] / pulled[30, WRIST] < 1.0
    assert (move[0, 0] == 0).all() and (move[1] == 0).all()
    step = np.linalg.norm(np.diff(move[0], axis=0), axis=-1).max()
    assert step < 0.15 * np.abs(move).max()  # of half a second's way there: no joint is torn out


def test_distances_of_two_people_move_both_or_only_who_may_yield():
    poses = two_walkers()

    def gather(p):
        apart = p.places[0, :, WRIST] - p.places[1, :, WRIST]
        length = np.linalg.norm(apart, axis=-1)
        way = apart / length[:, None]
        return make_rows(np.arange(60), 0, WRIST, way, length - 0.1, 1.0, 0, (1, WRIST, -way))

    before, both = worst(gather, poses, poses.places), push(poses, gather, steps=8)
    assert worst(gather, poses, both) < 0.3 * before
    assert np.abs(both - poses.places).max((1, 2, 3)).min() > 0.05
    movable = np.ones((2, 60, 22))
    movable[0] = 0.0
    one = push(poses, gather, steps=8, movable=movable)
    assert np.array_equal(one[0], poses.places[0]) and worst(gather, poses, one) < 0.3 * before
    assert np.array_equal(push(poses, gather, movable=np.zeros((2, 60, 22))), poses.places)


def test_only_wishes_about_places_push():
    poses = two_walkers()
    hard = make_rows(5, 0, WRIST, [0, 0, 1.0], [1.0], HARD, 0)
    turn = make_rows(5, 0, WRIST, [0, 0, 1.0], [1.0], 1.0, 0, turning=True)
    idle = make_rows(5, 0, WRIST, [0, 0, 1.0], [1.0], 0.0, 0)
    for rows in (join([]), join([hard, turn, idle])):
        assert push(poses, lambda p, rows=rows: rows) is poses.places
    assert push(poses, to_height(np.arange(9), 2.0), strength=0.0) is poses.places


def test_weights_and_strength_count_alike_and_precision_is_kept():
    poses = two_walkers(dtype=np.float32)
    frames = np.arange(20, 40)
    moved = push(poses, to_height(frames, 2.0, weight=0.5), strength=2.0)
    assert moved.dtype == np.float32
    assert np.allclose(moved, push(poses, to_height(frames, 2.0, weight=2.0), strength=0.5), atol=1e-6)
    weak = push(poses, to_height(frames, 2.0, weight=0.1)) - poses.places
    assert 0 < np.abs(weak).max() < 0.3 * np.abs(moved - poses.places).max()


@given(seeds, st.integers(1, 90))
def test_spreading_is_the_product_of_both_kernels(seed, frames):
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(2, frames, 22, 2)) * (rng.random((1, frames, 1, 1)) < 0.1)
    body = skeleton_kernel()
    apart = np.arange(frames)[:, None] - np.arange(frames)
    dense = np.einsum("ts,ij,psjc->ptic", time_kernel(apart, 15.0), body, field)
    assert np.allclose(spread(field, body, 15.0), dense, atol=1e-12)


@given(seeds, st.floats(-3, 5), st.floats(-3, 5))
def test_scales_are_separate(seed, constraint, text):
    u, w, f = np.random.default_rng(seed).normal(size=(3, 4, 5))
    assert push_away(f, None, None, 1.0, 1.0) is f and np.allclose(push_away(f, u, w, 1.0, 1.0), f)
    assert np.allclose(push_away(f, u, None, 0.0, 9.0), u) and np.allclose(push_away(f, None, w, 9.0, 0.0), w)
    assert np.allclose(push_away(f, u, None, constraint, 9.0), u + constraint * (f - u))
    both = push_away(f, u, w, constraint, text) - f
    assert np.allclose(both, push_away(f, u, None, constraint, 1) + push_away(f, None, w, 1, text) - 2 * f)
