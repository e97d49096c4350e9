"""Every kind of constraint: its derivatives, what it says when met, and that it says the same wherever it happens."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import collect, facing, keys, obstacles, pins, spacing, together, touch
from blender_motiondiff.core.constraints.rows import LEVER, gradient
from blender_motiondiff.core.motion import FPS, mirror, turned
from blender_motiondiff.core.request import (
    GIVEN,
    Character,
    Contact,
    Facing,
    Key,
    LookAt,
    Obstacle,
    Path,
    Pin,
    Request,
    Spacing,
    Sphere,
    Sync,
    Target,
    moved,
)  # fmt: skip
from blender_motiondiff.core.skeleton import INDEX

from .made_constraints import (
    FRAMES,
    HILLS,
    NOD,
    asked,
    frames_of_keys,
    gathered,
    grid_of_ball,
    nudged,
    only,
    poses_of,
    turned_by_rows,
    two,
)  # fmt: skip
from .made_motion import swinging
from .samples import seeds, standing

STEP = 1e-6
UP = np.array([0.0, 0.0, 1.0])
# Where the turn that a row speaks of is one about the vertical only: see facing.
UPRIGHT = {"facing", "path"}


def test_derivatives_are_those_of_finite_differences():
    request, poses, rng = asked(), poses_of(*two()), np.random.default_rng(0)
    for number, item in enumerate(collect.constraints(request)):
        alone = only(request, item)
        rows = gathered(alone, poses)
        assert len(rows), item.field
        # The heading along a whole path is about all frames together: see the tests of paths.
        checked = np.flatnonzero(~rows.turning) if number == 0 else np.arange(len(rows))
        for r in rng.choice(checked, 6):
            upright = rows.turning[r] and item.kind in UPRIGHT
            ends = [(rows.person[r], rows.joint[r], rows.normal[r])]
            if rows.other_joint[r] >= 0:
                ends.append((rows.other_person[r], rows.other_joint[r], rows.other_normal[r]))
            for person, joint, normal in ends:
                for axis in (UP,) if upright else np.eye(3):
                    ahead, behind = (
                        gathered(
                            alone, nudged(poses, person, rows.frame[r], joint, s * axis, rows.turning[r])
                        ).residual[r]
                        for s in (STEP, -STEP)
                    )
                    found = (ahead - behind) / (2 * STEP)
                    assert found == pytest.approx(normal @ axis, abs=2e-6), (item.field, joint, axis)


def test_a_motion_that_does_what_is_asked_has_no_residual():
    """Everything is asked for as it happens: the rows of equalities are 0, inequalities have none."""
    a, b = two()
    poses = poses_of(a, b)
    wrist, other = poses.places[0, :, INDEX["left_wrist"]], poses.places[1, :, INDEX["right_wrist"]]
    path = Path(poses.times, a.root[:, :2], raw=True, heights=a.root[:, 2], heading=GIVEN,
                headings=rot.heading(a.rotations[:, 0]))  # fmt: skip
    forward = rot.rotate(poses.turns[1, 8, INDEX["head"]], facing.FORWARD)
    request = Request((
        Character("A", a.body, path, (Key(5 / FPS, a.rotations[5], root=a.root[5]),), (
            Pin("left_wrist", 0.2, 0.2, wrist[6], poses.turns[0, 6, INDEX["left_wrist"]]),)),
        Character("B", b.body, keys=(Key(9 / FPS, b.rotations[9], ("head", "spine1"), places=poses.places[1, 9]),)),
    ), poses.times[-1],
        contacts=(Contact((0, "left_wrist"), (1, "right_wrist"), float(np.linalg.norm((wrist - other)[6])), 0.2, 0.2),),
        look_ats=(LookAt(1, Target(direction=forward), 8 / FPS, 8 / FPS),),
    )  # fmt: skip
    rows = gathered(request, poses)
    assert set(rows.number) == set(range(len(collect.items(request))))
    assert np.abs(rows.residual).max() < 1e-7
    for entry in collect.residuals(request, poses, frames_of_keys(request)):
        assert entry.get("worst_cm", 0) < 1e-5
        assert entry.get("worst_deg", 0) < 1e-5


def test_inequalities_that_hold_give_no_rows():
    request, (a, b) = asked(), two()
    poses = poses_of(a, b)
    loose = Key(5 / FPS, a.rotations[5], root=a.root[5] + [0.03, 0, 0], tolerance=0.05)
    held = Request(
        (Character("A", a.body, keys=(loose,)), request.characters[1]), request.duration,
        spacings=(Spacing(0.0, 20.0),), obstacles=(Obstacle(Sphere(np.array([9.0, 0, 0]), 1.0)),),
        ground=replace(HILLS, heights=HILLS.heights - 9),
    )  # fmt: skip
    held = replace(held, characters=(held.characters[0], replace(held.characters[1], keys=(), path=None)))
    assert len(gathered(held, poses)) == 0
    assert all(entry.get("worst_cm", 0) == 0 for entry in collect.residuals(held, poses, ((5,), ())))


def strength(rows):
    """Size of the residuals of each item on each frame: axes may be others elsewhere, their length is the same."""
    out = {}
    for number, frame, joint, residual in zip(rows.number, rows.frame, rows.joint, rows.residual, strict=True):
        key = (int(number), int(frame), int(joint))
        out[key] = out.get(key, 0.0) + float(residual) ** 2
    return out


@given(seeds, st.floats(-3, 3), st.floats(-5, 5), st.floats(-5, 5))
@settings(max_examples=8)
def test_the_same_request_in_another_place_has_the_same_residuals(seed, angle, x, y):
    request, motions = asked(), two(seed=seed % 1000)
    shift = np.array([x, y, 0.0])
    there = poses_of(*(turned(m, angle, shift) for m in motions))
    here, far = gathered(request, poses_of(*motions)), gathered(moved(request, angle, shift), there)
    first, second = strength(here), strength(far)
    assert first.keys() == second.keys()
    assert max(abs(first[k] - second[k]) for k in first) < 1e-8
    pairs = zip(
        *(collect.residuals(r, p, frames_of_keys(request)) for r, p in
          ((request, poses_of(*motions)), (moved(request, angle, shift), there))), strict=True,
    )  # fmt: skip
    assert all(one == pytest.approx(other, abs=1e-4) for one, other in pairs)


def test_a_step_along_the_gradient_lessens_what_is_left():
    request, poses = replace(asked(), syncs=()), poses_of(*two())  # who leads in a sync counts as given

    def left(p):
        rows = gathered(request, p)
        weight = np.where(np.isinf(rows.weight), 1.0, rows.weight)
        return 0.5 * (weight * rows.residual**2)[~rows.turning].sum()

    slope = gradient(gathered(request, poses), poses.places.shape)
    step = 1e-8
    gained = (left(poses) - left(replace(poses, places=poses.places - step * slope))) / step
    assert gained == pytest.approx((slope**2).sum(), rel=1e-3)


@pytest.mark.parametrize("item", [
    Facing(1, Target(partner=True)), LookAt(0, Target(partner=True)), LookAt(1, Target(point=np.zeros(3))),
    LookAt(1, Target(direction=-UP)), Facing(0, Target(direction=np.array([-1.0, 0.2, 4.0]))),
])  # fmt: skip
def test_turning_once_by_the_rows_faces_the_target(item):
    poses = poses_of(*two())
    assert facing.errors(item, poses)[1].max() > 0.3
    met = turned_by_rows(facing.rows(item, poses, 0), poses)
    # A pelvis that leans does not keep its yaw's rate under a turn about the vertical; a head's turn is exact.
    assert facing.errors(item, met)[1].max() < 1e-6


def test_a_pinned_rotation_is_met_by_one_turn_from_anywhere():
    poses = poses_of(*two())
    pin = Pin("head", rotation=rot.from_rotvec([2.0, 1.0, -1.0]))
    met = turned_by_rows(pins.rows(pin, poses, 0, 1), poses)
    assert pins.errors(pin, poses, 1)[1].max() > 1
    assert pins.errors(pin, met, 1)[1].max() < 1e-6


def test_a_partial_key_binds_joints_against_their_parents():
    a, b = two()
    key = Key(5 / FPS, a.rotations[5], ("left_elbow", "left_wrist"))
    bent = a.rotations.copy()
    bent[5, INDEX["spine2"]] = rot.multiply(rot.from_rotvec([0.5, 0.2, 0.1]), bent[5, INDEX["spine2"]])
    poses = poses_of(replace(a, rotations=bent), b)
    assert np.abs(keys.rows(key, poses, 0, 0, 5, a.body).residual).max() < 1e-9
    rows = keys.rows(replace(key, rotations=NOD), poses, 0, 0, 5, a.body)
    assert sorted(set(rows.other_joint)) == [INDEX["left_shoulder"], INDEX["left_elbow"]]


def test_a_key_with_a_tolerance_asks_only_for_what_is_beyond_it():
    a, b = two()
    poses = poses_of(a, b)
    key = Key(5 / FPS, a.rotations[5], root=a.root[5] + [0.2, 0, 0], tolerance=0.05)
    rows = keys.rows(key, poses, 0, 0, 5, a.body)
    assert len(rows) == 22
    assert np.allclose(rows.residual, 0.15)
    assert np.allclose(rows.normal, [-1, 0, 0])
    off = Key(5 / FPS, a.rotations[5].copy(), ("head",), tolerance=0.05)
    off.rotations[INDEX["head"]] = rot.multiply(off.rotations[INDEX["head"]], rot.from_rotvec([0, 0.5, 0]))
    rows = keys.rows(off, poses, 0, 0, 5, a.body)
    assert len(rows) == 1
    assert rows.residual[0] == pytest.approx(LEVER * 0.5 - 0.05)


def test_joints_in_one_place_can_still_be_told_to_part():
    poses = poses_of(standing(3), standing(3))
    rows = touch.rows(Contact((0, "head"), (1, "head"), 0.3), poses, 0)
    assert np.allclose(rows.residual, -0.3)
    assert np.allclose(np.linalg.norm(rows.normal, axis=-1), 1)
    rows = spacing.rows(Spacing(0.5), poses, 0)
    assert np.allclose(rows.residual, -0.5)
    assert np.isfinite(rows.normal).all()


def test_who_mirrors_is_met_by_the_mirrored_motion_and_no_other():
    a = swinging(FRAMES, 2)
    b = turned(mirror(a), 1.0, (1.0, 2.0, 0.0))
    assert together.errors(Sync(mirror=True), poses_of(a, b))[0].max() < 1e-9
    assert together.errors(Sync(), poses_of(a, b))[0].max() > 0.05
    assert together.errors(Sync(), poses_of(a, turned(a, 2.0, (1, 0, 0))))[0].max() < 1e-9
    large = replace(a, root=a.root * 1.3, body=a.body.scaled(1.3))
    assert together.errors(Sync(), poses_of(a, large))[0].max() < 1e-9


def test_the_follower_of_a_character_that_is_there_already_is_the_other():
    a, b = two()
    request = Request((Character("A", a.body), Character("B", b.body, motion=b)), 1.0, syncs=(Sync(),))
    assert set(gathered(request, poses_of(a, b)).person) == {0}
    request = replace(request, characters=(Character("A", a.body, motion=a), Character("B", b.body)))
    assert set(gathered(request, poses_of(a, b)).person) == {1}


def test_obstacles_see_the_middle_of_bones():
    motion = standing(2)
    poses = poses_of(motion)
    knee, hip = (poses.places[0, 0, INDEX[f"left_{n}"]] for n in ("knee", "hip"))
    ball = Obstacle(Sphere((knee + 2 * hip) / 3 + [0.0, 0.1, 0.0], 0.04), 0.0, ("left_knee",))
    rows = obstacles.rows(ball, poses, 0)
    assert len(rows) == 2
    assert (rows.joint == INDEX["left_knee"]).all() and (rows.other_joint == INDEX["left_hip"]).all()
    assert np.allclose(rows.normal, [0, -1 / 3, 0]) and np.allclose(rows.other_normal, [0, -2 / 3, 0])
    assert not len(obstacles.rows(replace(ball, joints=("right_knee",)), poses, 0))


def test_an_obstacle_is_not_missed_for_being_far_from_the_pelvis():
    poses = poses_of(*two())
    for joint in ("left_wrist", "right_foot", "head"):
        place = poses.places[1, 7, INDEX[joint]]
        for shape in (Sphere(place, 0.01), grid_of_ball(place, 0.1)):
            rows = obstacles.rows(Obstacle(shape), poses, 0)
            assert ((rows.person == 1) & (rows.frame == 7) & (rows.joint == INDEX[joint])).any()


def test_of_a_body_that_is_inside_the_deepest_points_are_pushed_out():
    poses = poses_of(standing(3))
    ball = Obstacle(Sphere(poses.places[0, 0, 0], 5.0))
    rows = obstacles.rows(ball, poses, 0)
    assert (np.bincount(rows.frame) == obstacles.MOST).all()
    assert rows.residual.min() == pytest.approx(-obstacles.errors(ball, poses)[0].max())
