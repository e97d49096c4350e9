"""All constraints of a request together, their figures in the report, and bodies that are in each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from blender_motiondiff.core.constraints import bodies, collect
from blender_motiondiff.core.constraints.rows import join
from blender_motiondiff.core.motion import turned
from blender_motiondiff.core.request import HARD, Character, Contact, Facing, Ground, Pin, Request, Spacing, Target
from blender_motiondiff.core.skeleton import INDEX

from .made_constraints import asked, gathered, poses_of, two
from .samples import seeds, standing


def test_items_name_their_fields_and_rows_their_items():
    request = asked()
    listed = collect.items(request)
    assert [number for number, *_ in listed] == list(range(len(listed)))
    named = {field: (kind, weight) for _, field, kind, weight in listed}
    assert named["characters[0].pins[0]"] == ("pin", HARD)
    assert named["characters[1].keys[2]"] == ("key", HARD)
    assert named["look_ats[1]"] == ("look-at", 1.0)
    rows = gathered(request, poses_of(*two()))
    assert all(set(rows.weight[rows.number == n]) <= {weight} for n, _, _, weight in listed)


def test_what_lies_outside_a_window_gives_no_rows_in_it():
    request, poses = asked(), poses_of(*two())
    later = replace(poses, times=poses.times + 60)
    alone = tuple(replace(c, path=None, keys=()) for c in request.characters)
    timed = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles")
    early = {name: tuple(replace(i, start=0.1, end=0.5) for i in getattr(request, name)) for name in timed}
    request = replace(request, characters=alone, ground=None, **early)
    assert len(collect.gather(request, poses, ((), ()))) > 0
    assert len(collect.gather(request, later, ((), ()))) == 0
    assert all("worst_cm" not in e and "worst_deg" not in e for e in collect.residuals(request, later, ((), ())))


def test_hard_rows_alone_are_those_that_bind():
    request, poses = asked(), poses_of(*two())
    request = replace(request, facings=request.facings[::-1])
    rows, hard = gathered(request, poses), gathered(request, poses, hard_only=True)
    assert np.isinf(hard.weight).all()
    assert len(hard) == np.isinf(rows.weight).sum()
    assert np.array_equal(hard.residual, rows.residual[np.isinf(rows.weight)])


def test_nothing_asked_gives_no_rows():
    a, _ = two()
    request = Request((Character("A", a.body),), 1.0)
    assert collect.items(request) == []
    assert len(gathered(request, poses_of(a))) == 0
    assert len(join([])) == 0


def test_reported_figures_are_those_that_were_put_in():
    a = standing(31)
    b = turned(a, np.pi, (0.0, -2.0, 0.0))
    poses = poses_of(a, b)
    place = poses.places[0, 0, INDEX["left_wrist"]] + [0.0, 0.0, 0.04]
    request = Request(
        (Character("A", a.body, pins=(Pin("left_wrist", place=place),)), Character("B", b.body)), 1.0,
        contacts=(Contact((0, "pelvis"), (1, "pelvis"), 1.9),), spacings=(Spacing(2.1, 3.0), Spacing(1.0, 1.5)),
        facings=(Facing(0, Target(partner=True)), Facing(1, Target(direction=np.array([1.0, 0, 0])))),
        ground=Ground(np.zeros(2), 1.0, np.full((2, 2), 0.03)),
    )  # fmt: skip
    found = {e["field"]: e for e in collect.residuals(request, poses, ((), ()))}
    assert found["characters[0].pins[0]"]["worst_cm"] == pytest.approx(4)
    assert found["contacts[0]"]["mean_cm"] == pytest.approx(10)
    assert found["spacings[0]"]["worst_cm"] == pytest.approx(10)
    assert found["spacings[1]"]["worst_cm"] == pytest.approx(50)
    assert found["facings[0]"]["worst_deg"] == pytest.approx(0, abs=1e-5)
    assert found["facings[1]"]["mean_deg"] == pytest.approx(90)
    assert found["ground"]["worst_cm"] == pytest.approx(3)


# --- bodies -----------------------------------------------------------------------------------------------------------


@given(seeds)
def test_closest_points_are_no_farther_than_any_others(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 2, 3))
    if seed % 4 == 0:
        b = a + rng.normal(size=3)  # parallel
    s, t, way = bodies.closest(a, b)
    u = np.linspace(0, 1, 41)
    points, others = (x[0] + u[:, None] * (x[1] - x[0]) for x in (a, b))
    best = np.linalg.norm(points[:, None] - others[None], axis=-1).min()
    assert np.allclose(way, a[0] + s * (a[1] - a[0]) - b[0] - t * (b[1] - b[0]))
    assert np.linalg.norm(way) <= best + 1e-9


def test_bodies_part_along_their_ways_out():
    a = standing(4)
    apart, near = turned(a, 0.0, (0.0, 1.5, 0.0)), turned(a, 0.3, (0.05, 0.2, 0.0))
    assert (bodies.penetration(poses_of(a, apart)) == 0).all()
    assert (bodies.penetration(poses_of(a)) == 0).all()
    poses = poses_of(a, near)
    deepest = bodies.penetration(poses)
    assert (deepest > 0.03).all()
    pairs = bodies.near_pairs(poses)
    depth, _, way, flesh = bodies.depths(poses.places, poses.sizes, pairs)
    assert np.allclose(np.linalg.norm(way, axis=1), 1.0) and (flesh > depth - 1e-9).all()
    out = np.zeros((4, 3))
    for frame in range(4):
        own = (pairs[0] == frame) & (depth > 0)
        out[frame] = (way[own] * depth[own, None]).mean(0)
    places = poses.places + np.stack([out, -out])[:, :, None]
    assert (bodies.penetration(replace(poses, places=places)) < deepest).all()


def test_what_is_in_contact_may_touch():
    a, b = standing(4), standing(4)
    reached = 2 * abs(a.body.rest_positions[INDEX["left_wrist"], 0])
    poses = poses_of(a, turned(b, 0.0, (reached, 0.0, 0.0)))
    assert (bodies.penetration(poses) > 0.03).all()
    assert (bodies.penetration(poses, (Contact((0, "left_wrist"), (1, "right_wrist")),)) == 0).all()
