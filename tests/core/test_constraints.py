"""Every kind of constraint: its derivatives, what it says when met, and that it says the same wherever it happens."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import (
    bodies,
    collect,
    facing,
    keys,
    obstacles,
    paths,
    pins,
    spacing,
    together,
    touch,
)
from blender_motiondiff.core.constraints.rows import LEVER, Poses, gradient, join
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.motion import FPS, forward_kinematics, mirror, turned
from blender_motiondiff.core.request import (
    GIVEN,
    HARD,
    Box,
    Capsule,
    Character,
    Contact,
    Facing,
    Grid,
    Ground,
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
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_motion import swinging
from .samples import quaternions, seeds, standing

STEP = 1e-6
FRAMES = 40
UP = np.array([0.0, 0.0, 1.0])
# Where the turn that a row speaks of is one about the vertical only: see facing.
UPRIGHT = {"facing", "path"}


def poses_of(*motions):
    both = [forward_kinematics(m.root, m.rotations, m.body.offsets) for m in motions]
    places, turns = (np.stack(v) for v in zip(*both, strict=True))
    times = np.arange(len(motions[0].root)) / FPS
    return Poses(times, places, turns, np.array([m.body.size for m in motions]))


def two(frames=FRAMES, seed=0):
    """Two characters that move about a metre apart, the second a little larger."""
    a, b = swinging(frames, seed), swinging(frames, seed + 1, body=average_body().scaled(1.1))
    shift = [np.append(-m.root[0, :2], 0.0) for m in (a, b)]
    return turned(a, 0.0, shift[0]), turned(b, 0.0, shift[1] + [0.7, 0.5, 0.0])


def grid_of_ball(centre, radius, angle=0.3):
    """A sphere as a grid of 20 cm, turned."""
    axis = np.arange(-0.8, 0.81, 0.2)
    values = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1), axis=-1) - radius
    origin = centre + rot.rotate(rot.about_z(angle), np.full(3, -0.8))
    return Grid(origin, 0.2, values, angle)


HILLS = Ground(np.array([-4.0, -4.0]), 0.5, 0.3 + 0.2 * np.random.default_rng(3).random((18, 18)), 0.4)
BOX = Box(np.array([0.2, 0.1, 0.9]), np.array([0.4, 0.3, 0.5]), rot.from_rotvec([0.3, 0.2, 0.5]))
NOD = quaternions(4, 22)


def asked(frames=FRAMES, **of_first):
    """A request with one item of each kind and more, that the two characters of `two` meet nowhere."""
    end = (frames - 1) / FPS
    ways = np.array([[0.5, 0.3], [1.0, -0.5], [0.8, -1.5]])
    times, heights = np.array([0.0, 10 / FPS, end]), np.array([0.9, 1.0, 1.2])
    path = Path(times, ways, raw=True, heading=GIVEN, headings=np.array([0.2, 0.4, 1.0]), heights=heights)
    full, part = Key(5 / FPS, NOD, root=np.array([0.3, 0.2, 1.0])), Key(9 / FPS, NOD, ("left_elbow", "spine2"))
    first = Character("A", average_body(), path, (full, part), (
        Pin("left_wrist", 0.2, 0.6, np.array([0.5, 0.5, 1.5]), rot.from_rotvec([0.4, 1.0, -2.0])),
    ))  # fmt: skip
    loose = Key(7 / FPS, NOD, root=np.array([0.3, 0.2, 1.0]), tolerance=0.05)
    placed = np.full((22, 3), np.nan)
    placed[INDEX["right_wrist"]] = [0.4, 0.4, 1.4]
    marks = Path(
        np.array([2, 20]) / FPS, ways[:2], True, heading=GIVEN, headings=times[:2], heights=heights[:2], raw=True
    )
    second = Character("B", average_body().scaled(1.1), marks, keys=(loose, replace(loose, root=None), Key(
        11 / FPS, NOD, (), places=placed)))  # fmt: skip
    everybody = {"start": 0.1, "weight": 2.0}
    return Request(
        (replace(first, **of_first), second), end,
        contacts=(Contact((0, "left_wrist"), (1, "right_wrist"), 0.0, 0.2, 0.5), Contact(
            (0, "right_wrist"), (1, "spine3"), 0.2, 0.2, 0.5, 1.0), Contact((1, "left_wrist"), (1, "head"), 0.1)),
        spacings=(Spacing(3.0, 4.0), Spacing(0.0, 0.1, 0.3, 0.6, HARD)),
        facings=(Facing(0, Target(partner=True)), Facing(1, Target(point=np.array([1.0, 2.0, 0.5]))),
                 Facing(0, Target(direction=np.array([1.0, -1.0, 0.3])), weight=HARD)),
        look_ats=(LookAt(1, Target(partner=True)), LookAt(0, Target(point=np.array([1.0, 2.0, 0.5]))),
                  LookAt(0, Target(direction=np.array([1.0, -1.0, 0.3])), weight=HARD)),
        syncs=(Sync(), Sync(mirror=True)),
        obstacles=(Obstacle(Sphere(np.array([0.1, 0.1, 1.0]), 0.3), 0.02, **everybody), Obstacle(BOX, 0.02),
                   Obstacle(Capsule(np.array([0.0, 0.0, 1.2]), np.array([1.0, 0.3, 1.4]), 0.2), weight=HARD),
                   Obstacle(grid_of_ball(np.array([0.1, 0.1, 0.7]), 0.6), 0.02, ("left_wrist", "right_ankle"))),
        ground=HILLS,
    )  # fmt: skip


def only(request, item):
    """The request with one of its items alone."""
    alone = [replace(c, path=None, keys=(), pins=()) for c in request.characters]
    if item.person >= 0:
        change = {"path": item.what} if item.kind == "path" else {item.kind + "s": (item.what,)}
        alone[item.person] = replace(alone[item.person], **change)
    shared = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles")
    kept = {name: (item.what,) if item.field.startswith(name) else () for name in shared}
    return replace(request, characters=tuple(alone), ground=item.what if item.kind == "ground" else None, **kept)


def frames_of_keys(request):
    return tuple(tuple(round(k.time * FPS) for k in c.keys) for c in request.characters)


def gathered(request, poses, **options):
    return collect.gather(request, poses, frames_of_keys(request), **options)


def nudged(poses, person, frame, joint, step, turning):
    """The poses with one joint moved by `step [3]` metres, or turned by it in the world."""
    places, turns = poses.places.copy(), poses.turns.copy()
    if turning:
        turns[person, frame, joint] = rot.multiply(rot.from_rotvec(step), turns[person, frame, joint])
    else:
        places[person, frame, joint] += step
    return replace(poses, places=places, turns=turns)


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


def turned_by_rows(rows, poses):
    """Poses after each turning row's joint was turned, in the world, by the least-squares answer to its rows."""
    turns = poses.turns.copy()
    for person, frame, joint in {*zip(rows.person, rows.frame, rows.joint, strict=True)}:
        mine = (rows.person == person) & (rows.frame == frame) & (rows.joint == joint) & rows.turning
        turn = np.linalg.lstsq(rows.normal[mine], -rows.residual[mine], rcond=None)[0]
        turns[person, frame, joint] = rot.multiply(rot.from_rotvec(turn), turns[person, frame, joint])
    return replace(poses, turns=turns)


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


# --- paths ------------------------------------------------------------------------------------------------------------


def carried(path, poses):
    """The poses with the pelvis moved by the residuals of a path's rows."""
    rows, places = paths.rows(path, poses, 0, 0), poses.places.copy()
    shift = rows.normal * rows.residual[:, None]
    np.add.at(places, (0, rows.frame[~rows.turning], 0), -shift[~rows.turning])
    return replace(poses, places=places)


@pytest.mark.parametrize("raw", [False, True])
def test_moving_by_the_rows_meets_heights_and_soft_paths(raw):
    poses = poses_of(*two(90))
    end = poses.times[-1]
    ways, heights = np.array([[0.0, 0], [2.0, 1.0]]), np.array([1.0, 1.4])
    path = Path(np.array([0.0, end]), ways, heights=heights, raw=raw, weight=0.5)
    met = carried(path, poses)
    assert paths.errors(path, poses, 0)[0].max() > 0.1
    assert paths.errors(path, met, 0)[0].max() < 1e-7
    hard = paths.rows(replace(path, weight=HARD), poses, 0, 0)
    assert (hard.normal[:, :2] != 0).any() == raw
    if not raw:
        sway = met.places[0, :, 0] - smooth_pelvis(met.places[0, :, 0])
        assert np.allclose(sway, poses.places[0, :, 0] - smooth_pelvis(poses.places[0, :, 0]), atol=1e-7)


def test_turning_by_the_rows_meets_a_given_heading_and_keeps_the_sway_of_the_hips():
    a, b = two(90)
    poses = poses_of(a, b)
    path = Path(poses.times[[0, -1]], np.zeros((2, 2)), heading=GIVEN, headings=np.array([0.5, 1.5]))
    met = turned_by_rows(paths.rows(path, poses, 0, 0), poses)
    assert paths.errors(path, poses, 0)[1].max() > 0.2
    assert paths.errors(path, met, 0)[1].max() < 1e-6
    before, after = (np.unwrap(rot.heading(p.turns[0, :, 0])) for p in (poses, met))
    sway = before - smooth_pelvis(before[:, None])[:, 0]
    assert np.allclose(after - smooth_pelvis(after[:, None])[:, 0], sway, atol=1e-6)


def test_heights_bind_only_between_points_that_have_one():
    poses = poses_of(*two(61))
    path = Path(np.array([0.0, 1.0, 2.0]), np.zeros((3, 2)), heights=np.array([np.nan, 1.0, 1.2]), raw=True)
    rows = paths.rows(path, poses, 0, 0)
    assert list(rows.frame[rows.normal[:, 2] != 0]) == list(range(30, 61))


def test_waypoints_bind_at_their_own_times_alone():
    poses = poses_of(*two(61))
    path = Path(np.array([0.0, 1.01, 2.0]), np.zeros((3, 2)), sparse=True, raw=True)
    rows = paths.rows(path, poses, 0, 0)
    assert sorted(set(rows.frame)) == [0, 30, 60]
    assert len(rows) == 6
    assert len(paths.rows(replace(path, raw=False), poses, 0, 0)) == 0
    assert paths.errors(replace(path, raw=False), poses, 0)[0].shape == (3,)


def test_a_waypoint_without_a_time_binds_the_nearest_pass_within_its_bounds():
    times = np.arange(91) / FPS
    places = np.stack([np.sin(times * np.pi), 0 * times], -1)  # at x = 1 after 0.5 s and 2.5 s
    path = Path(np.array([0.0, np.nan, 3.0]), np.array([[0.0, 0], [1.0, 0], [0, 0]]), sparse=True)
    early = replace(path, latest=np.array([np.nan, 1.0, np.nan]))
    late = replace(path, earliest=np.array([np.nan, 1.5, np.nan]))
    assert paths.waypoint_times(early, times, places)[1] == pytest.approx(0.5)
    assert paths.waypoint_times(late, times, places)[1] == pytest.approx(2.5)
    between = replace(path, times=np.array([0.6, np.nan, 2.0]))
    assert 0.6 <= paths.waypoint_times(between, times, places)[1] <= 2.0


def test_given_headings_are_measured_the_short_way_round():
    a, b = two()
    whole = rot.heading(a.rotations[:, 0]) + 2 * np.pi
    path = Path(np.arange(FRAMES) / FPS, a.root[:, :2], heading=GIVEN, headings=whole)
    for some in (path, replace(path, raw=True), replace(path, sparse=True, raw=True)):
        assert paths.errors(some, poses_of(a, b), 0)[1].max() < 1e-6
        off = replace(some, headings=whole + 0.1)
        assert np.allclose(paths.errors(off, poses_of(a, b), 0)[1], 0.1, atol=1e-6)


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


def test_bodies_part_along_their_rows():
    a = standing(4)
    apart, near = turned(a, 0.0, (0.0, 1.5, 0.0)), turned(a, 0.3, (0.05, 0.2, 0.0))
    assert (bodies.penetration(poses_of(a, apart)) == 0).all()
    assert len(bodies.rows(poses_of(a, apart), 0, 1.0)) == 0
    assert (bodies.penetration(poses_of(a)) == 0).all()
    poses = poses_of(a, near)
    depth = bodies.penetration(poses)
    assert (depth > 0.03).all()
    slope = gradient(bodies.rows(poses, 0, 1.0), poses.places.shape)
    assert (bodies.penetration(replace(poses, places=poses.places - 0.05 * slope)) < depth).all()


def test_what_is_in_contact_may_touch():
    a, b = standing(4), standing(4)
    reached = 2 * abs(a.body.rest_positions[INDEX["left_wrist"], 0])
    poses = poses_of(a, turned(b, 0.0, (reached, 0.0, 0.0)))
    assert (bodies.penetration(poses) > 0.03).all()
    assert (bodies.penetration(poses, (Contact((0, "left_wrist"), (1, "right_wrist")),)) == 0).all()


# --- all together -----------------------------------------------------------------------------------------------------


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
