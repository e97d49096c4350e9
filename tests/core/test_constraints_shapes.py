"""Obstacles' shapes and the ground: distances, gradients, and grids baked from meshes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.ground import heights_at
from blender_motiondiff.core.constraints.shapes import bake_grid, distance
from blender_motiondiff.core.request import Box, Capsule, Grid, Ground, Sphere

from .samples import seeds

STEP = 1e-6
TURN = rot.from_rotvec([0.3, -0.8, 0.5])
SHAPES = {
    "sphere": Sphere(np.array([0.1, -0.2, 0.3]), 0.5),
    "capsule": Capsule(np.array([-0.3, 0.0, 0.1]), np.array([0.5, 0.2, 0.4]), 0.2),
    "point": Capsule(np.array([0.1, 0.2, 0.1]), np.array([0.1, 0.2, 0.1]), 0.2),
    "box": Box(np.array([0.1, 0.0, -0.1]), np.array([0.4, 0.2, 0.6]), TURN),
    "grid": Grid(np.array([-0.5, -0.6, -0.4]), 0.25, np.random.default_rng(1).normal(0, 0.2, (5, 4, 6)), 0.7),
    "slice": Grid(np.array([-0.5, -0.6, 0.0]), 0.25, np.random.default_rng(2).normal(0, 0.2, (5, 4, 1)), 0.7),
}


def points_near(seed, count=20):
    return np.random.default_rng(seed).uniform(-1.2, 1.2, (count, 3))


@pytest.mark.parametrize("name", SHAPES)
@given(seeds)
@settings(max_examples=10)
def test_gradients_are_those_of_finite_differences(name, seed):
    points = points_near(seed)
    _, slope = distance(SHAPES[name], points)
    steps = STEP * np.eye(3)
    rise = [distance(SHAPES[name], points + s)[0] - distance(SHAPES[name], points - s)[0] for s in steps]
    found = np.stack(rise, -1) / (2 * STEP)
    # Edges of boxes and faces of cells have no one gradient; a point on one of them by chance is let off.
    assert (np.abs(found - slope).max(-1) < 1e-5).mean() > 0.9


@pytest.mark.parametrize("name", ["sphere", "capsule", "point", "box"])
@given(seeds)
@settings(max_examples=10)
def test_a_step_of_the_distance_against_the_gradient_reaches_the_surface(name, seed):
    points = points_near(seed)
    far, slope = distance(SHAPES[name], points)
    assert np.allclose(np.linalg.norm(slope, axis=-1), 1)
    assert np.abs(distance(SHAPES[name], points - far[:, None] * slope)[0]).max() < 1e-9


def test_known_distances():
    box = Box(np.zeros(3), np.array([1.0, 2.0, 3.0]), rot.about_z(np.pi / 2))
    points = np.array([[0.0, 0, 0], [0, 2, 0], [5, 0, 0], [2 + 3, 1 + 4, 0], [0, 0, 2.5]])
    assert np.allclose(distance(box, points)[0], [-1, 1, 3, 5, -0.5])
    capsule = Capsule(np.zeros(3), np.array([0, 0, 2.0]), 0.5)
    assert np.allclose(distance(capsule, [[1.0, 0, 1], [0, 0, 3], [0.2, 0, 1]])[0], [0.5, 0.5, -0.3])
    ball = Sphere(np.zeros(3), 1.0)
    assert np.allclose(distance(ball, np.zeros((2, 4, 3)))[0], -1)
    assert np.isfinite(distance(ball, np.zeros(3))[1]).all()


def test_a_grid_gives_its_own_values_at_its_points_and_grows_beyond_its_edges():
    grid = SHAPES["grid"]
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.values.shape), indexing="ij"), -1)
    places = grid.origin + rot.rotate(rot.about_z(grid.angle), index * grid.cell)
    assert np.allclose(distance(grid, places)[0], grid.values)
    out = grid.origin + rot.rotate(rot.about_z(grid.angle), np.array([-0.3, -0.4, 0.0]))
    assert distance(grid, out)[0] == pytest.approx(grid.values[0, 0, 0] + 0.5)


# --- meshes -----------------------------------------------------------------------------------------------------------

CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
FACES = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6], [0, 2, 6],
                  [0, 6, 4], [1, 5, 7], [1, 7, 3]])  # fmt: skip


def grid_points(grid):
    axes = [grid.origin[k] + grid.cell * np.arange(grid.values.shape[k]) for k in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1)


@given(st.floats(-3, 3), st.booleans())
@settings(max_examples=6)
def test_a_baked_box_is_the_box(angle, inside_out):
    turn, half, centre = rot.from_rotvec([angle, 0.4, -0.2]), np.array([0.3, 0.5, 0.2]), np.array([2.0, 1.0, 0.5])
    corners = rot.rotate(turn, CORNERS * half) + centre
    grid = bake_grid(corners, FACES[:, ::-1] if inside_out else FACES, 0.07, 0.2)
    wanted, _ = distance(Box(centre, half, turn), grid_points(grid))
    assert np.abs(grid.values - wanted).max() < 1e-9
    assert (grid.values < 0).any()
    assert (grid_points(grid)[0, 0, 0] <= corners.min(0) - 0.2 + 1e-9).all()
    assert (grid_points(grid)[-1, -1, -1] >= corners.max(0) + 0.2 - 1e-9).all()


def test_a_mesh_on_the_grids_own_lines_is_filled():
    grid = bake_grid(CORNERS * 0.5, FACES, 0.125, 0.25)
    wanted, _ = distance(Box(np.zeros(3), np.full(3, 0.5)), grid_points(grid))
    assert np.abs(grid.values - wanted).max() < 1e-9


def test_a_missing_face_does_not_turn_the_inside_out():
    holed = bake_grid(CORNERS * 0.5, FACES[1:], 0.11, 0.2)
    wanted, _ = distance(Box(np.zeros(3), np.full(3, 0.5)), grid_points(holed))
    deep = np.abs(wanted) > 0.02
    assert ((holed.values < 0) == (wanted < 0))[deep].all()


def test_two_boxes_in_each_other_are_one_inside():
    corners = np.concatenate([CORNERS * 0.5, CORNERS * 0.5 + [0.4, 0.1, 0.2]])
    grid = bake_grid(corners, np.concatenate([FACES, FACES + 8]), 0.09, 0.1)
    points = grid_points(grid)
    boxes = [Box(c, np.full(3, 0.5)) for c in (np.zeros(3), np.array([0.4, 0.1, 0.2]))]
    within = np.minimum(*(distance(b, points)[0] for b in boxes))
    assert ((grid.values < 0) == (within < 0))[np.abs(within) > 1e-6].all()


@pytest.mark.parametrize(
    ("faces", "cell", "words"), [(FACES[:0], 0.1, "no triangles"), (FACES, 0.0, "0.0 m were asked")]
)
def test_what_cannot_be_baked_is_refused(faces, cell, words):
    with pytest.raises(ValueError, match=words):
        bake_grid(CORNERS, faces, cell, 0.1)


# --- ground -----------------------------------------------------------------------------------------------------------


@given(seeds)
@settings(max_examples=10)
def test_heights_and_slopes_of_the_ground(seed):
    rng = np.random.default_rng(seed)
    ground = Ground(rng.normal(size=2), 0.5, rng.normal(size=(6, 4)), float(rng.uniform(-3, 3)))
    points = rng.uniform(-3, 3, (20, 2))
    _, slope = heights_at(ground, points)
    rise = [heights_at(ground, points + s)[0] - heights_at(ground, points - s)[0] for s in STEP * np.eye(2)]
    assert (np.abs(np.stack(rise, -1) / (2 * STEP) - slope).max(-1) < 1e-5).mean() > 0.9
    index = np.stack(np.meshgrid(np.arange(6), np.arange(4), indexing="ij"), -1) * 0.5
    places = rot.rotate(rot.about_z(ground.angle), np.concatenate([index, 0 * index[..., :1]], -1))[..., :2]
    assert np.allclose(heights_at(ground, ground.origin + places)[0], ground.heights)


def test_ground_of_one_height_is_flat_everywhere():
    ground = Ground(np.zeros(2), 1.0, np.array([[0.4]]))
    height, slope = heights_at(ground, np.array([[0.0, 0.0], [5.0, -3.0]]))
    assert np.allclose(height, 0.4)
    assert np.allclose(slope, 0)
