"""Two bodies kept out of each other: nearly no overlap is left, smoothly, and what must stay stays."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import apart
from blender_motiondiff.core.constraints.bodies import penetration
from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS, positions, turned
from blender_motiondiff.core.request import HARD, Character, Contact, Path, Request
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

from .made_constraints import poses_of
from .samples import standing

FRAMES = 90
FREE = np.ones((2, FRAMES)), np.ones((2, FRAMES, 2))
GIVEN = np.array([0.0, 1.0])[:, None]  # of the first person nothing moves
NOT_STEPPED = np.zeros((2, FRAMES, 3))


def passing(gap=0.1):
    """Two standing bodies, the second of which glides past the first, through its body at `gap` metres."""
    a = standing(FRAMES)
    local = a.rotations.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[:, INDEX[f"{side}_shoulder"]] = rot.from_rotvec(np.array([0.0, sign * 1.3, 0.0]))  # arms hang
    a = replace(a, rotations=local)
    b = turned(a, np.pi)
    root = b.root.copy()
    root[:, 0], root[:, 1] = gap, np.linspace(-2.0, 2.0, FRAMES)
    return a, replace(b, root=root)


def reaching(sway=0.0):
    """Two who face each other at arm's length, both with their left forearm through the other's right one."""
    a = standing(FRAMES)
    local = a.rotations.copy()
    t = np.arange(FRAMES) / FPS
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[:, INDEX[f"{side}_shoulder"]] = rot.from_rotvec(np.array([0.0, 0.0, -sign * 1.45]))
        bend = np.stack([np.full(FRAMES, -0.3), np.zeros(FRAMES), sway * np.sin(3 * t)], -1)
        local[:, INDEX[f"{side}_elbow"]] = rot.from_rotvec(bend)
    a = replace(a, rotations=local)
    b = turned(a, np.pi)
    return a, replace(b, root=b.root + [0.0, -1.0, 0.0])


def moved_by(motion, shift):
    return replace(motion, root=motion.root + shift)


def jerk(motion):
    return np.abs(np.diff(positions(motion), n=3, axis=0)).max()


def test_who_would_walk_through_somebody_walks_past():
    a, b = passing()
    before = poses_of(a, b)
    shift = apart.aside(before, FREE[0] * GIVEN, FREE[1] * 0.0)
    after = penetration(poses_of(a, moved_by(b, shift[1])))
    # Legs stand apart, and so a body would have to go farther than it may for none of them to touch.
    assert penetration(before).max() > 0.15 and after.max() < 0.09 and after.sum() < 0.5 * penetration(before).sum()
    assert (shift[0] == 0).all() and (shift[..., 2] == 0).all()
    assert np.abs(np.diff(shift[1], n=2, axis=0)).max() * FPS**2 < 5.0  # metres a second squared
    assert (shift[1, [0, -1]] == 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_stepping_aside_leads_into_nothing_else(seed):
    """Somebody who goes round another one closely, whichever way; what is met on the way aside counts as well."""
    a, b = passing()
    rng, t = np.random.default_rng(seed), np.arange(FRAMES) / FRAMES
    angle, far = (
        rng.uniform(0, 6.28) + rng.uniform(-9, 9) * t,
        rng.uniform(0.1, 0.4) + 0.3 * np.cos(rng.uniform(2, 6) * t),
    )
    b = turned(b, 0.0)
    root = b.root.copy()
    root[:, :2] = far[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
    rotations = b.rotations.copy()
    rotations[:, 0] = rot.multiply(rot.about_z(rng.uniform(-4, 4) * t), rotations[:, 0])
    b = replace(b, root=root, rotations=rotations)
    before = poses_of(a, b)
    shift = apart.aside(before, FREE[0] * GIVEN, FREE[1] * 0.0)
    assert penetration(poses_of(a, moved_by(b, shift[1]))).sum() < 0.7 * penetration(before).sum()


def test_two_who_can_step_aside_share_the_way():
    poses = poses_of(*passing())
    alone = apart.aside(poses, FREE[0] * GIVEN, FREE[1] * 0.0)
    both = apart.aside(poses, FREE[0], FREE[1] * 0.0)
    far = [np.abs(s).max() for s in (alone[1], *both)]
    assert far[1] == pytest.approx(far[2]) and 0.3 * far[0] < far[1] < 0.7 * far[0]


def test_nobody_moves_where_nobody_is_near_or_nothing_may():
    a, b = passing(1.5)
    assert (apart.aside(poses_of(a, b), *FREE) == 0).all()
    motions, _ = apart.give_way((a, b), poses_of(a, b), FREE[1], NOT_STEPPED)
    assert motions[0] is a and motions[1] is b
    a, b = passing()
    assert (apart.aside(poses_of(a, b), FREE[0] * 0.0, FREE[1] * 0.0) == 0).all()
    assert apart.give_way((a, b), poses_of(a, b), FREE[1] * 0.0, NOT_STEPPED)[0] == [a, b]


@pytest.mark.parametrize("sway", [0.0, 0.2])
def test_arms_give_way_to_arms(sway):
    a, b = reaching(sway)
    before = penetration(poses_of(a, b))
    (one, other), poses = apart.give_way((a, b), poses_of(a, b), FREE[1] * GIVEN[..., None], NOT_STEPPED)
    assert before.max() > 0.03
    left = penetration(poses)
    assert left.max() < 0.03 and left.mean() < 0.2 * before.mean()
    assert one is a and (other.root == b.root).all()
    arms = [j for j in range(COUNT) if j in apart.ARMS[:, :2]]
    rest = np.setdiff1d(np.arange(COUNT), arms)
    assert (other.rotations[:, rest] == b.rotations[:, rest]).all()
    assert jerk(other) < 0.05


def test_poses_that_come_with_the_motions_are_theirs():
    a, b = reaching(0.2)
    motions, poses = apart.give_way((a, b), poses_of(a, b), FREE[1], NOT_STEPPED)
    own = poses_of(*motions)
    assert np.allclose(own.places, poses.places, atol=1e-9)
    assert np.allclose(rot.angle_between(own.turns, poses.turns), 0.0, atol=1e-6)


def test_hands_that_are_near_stay_while_the_body_steps_aside():
    a, b = reaching()
    b = moved_by(b, np.array([0.0, -0.1, 0.0]))
    stepped = NOT_STEPPED + np.array([0.0, 0.05])[:, None, None] * [1.0, 0.0, 0.0]
    gone = moved_by(b, stepped[1])
    (_, back), _ = apart.give_way((a, gone), poses_of(a, gone), FREE[1] * GIVEN[..., None], stepped)
    wrist = INDEX["left_wrist"]
    off = [np.linalg.norm(positions(m)[:, wrist] - positions(b)[:, wrist], axis=-1).max() for m in (gone, back)]
    assert off[0] == pytest.approx(0.05) and off[1] < 0.02


@pytest.mark.parametrize("seed", [1, 4])
def test_arms_end_up_in_nothing_else_wherever_they_were_held_or_pushed(seed):
    rng = np.random.default_rng(seed)
    a, b = reaching(0.3)
    b = moved_by(b, np.array([rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.25), 0.0]))
    stepped = NOT_STEPPED.copy()
    stepped[1, :, 0] = rng.uniform(-0.4, 0.4)
    _, poses = apart.give_way((a, b), poses_of(a, b), FREE[1] * GIVEN[..., None], stepped)
    assert penetration(poses).max() < apart.TOLERANCE + 0.003


def test_joints_that_a_contact_binds_may_touch():
    a, b = reaching()
    pairs = [((0, f"{s}_{j}"), (1, f"{o}_{k}")) for s, o in (("left", "right"), ("right", "left"))
             for j in ("elbow", "wrist") for k in ("elbow", "wrist")]  # fmt: skip
    contacts = tuple(Contact(*pair) for pair in pairs)
    assert apart.give_way((a, b), poses_of(a, b), FREE[1], NOT_STEPPED, contacts)[0] == [a, b]


def test_room_ends_smoothly_at_what_stays():
    frozen = np.zeros((2, FRAMES, COUNT + 1), bool)
    frozen[0] = True
    frozen[1, 40, apart.ROOT], frozen[1, 20, INDEX["left_elbow"]] = True, True
    free, yielding = apart.room(frozen)
    assert (free[0] == 0).all() and (yielding[0] == 0).all() and (yielding[1, :, 1] == 1).all()
    assert free[1, 40] == 0 and free[1, 60] == 1 and np.abs(np.diff(free[1])).max() < 0.2
    assert yielding[1, 20, 0] == 0 and yielding[1, 0, 0] == 1


# --- in takes ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def denoiser():
    return back_ends.load(threads=1)


def crossing(weight, apart_by=0.05):
    """Two walkers whose ways cross at the same time."""
    t = np.linspace(0.0, 3.0, 10)
    ways = np.stack([1.5 - t, 0.0 * t], -1), np.stack([apart_by + 0.0 * t, 1.5 - t], -1)
    people = [Character(n, average_body(), path=Path(t, w, weight=weight)) for n, w in zip("AB", ways, strict=True)]
    return Request(tuple(people), 3.0, seed=2, steps=1)


def test_takes_keep_bodies_apart_and_say_so(denoiser, monkeypatch):
    leader = standing(61)
    near = Path(np.array([0.0, 1.0, 2.0]), np.array([[0.0, -1.6], [0.15, 0.0], [0.3, 1.6]]), weight=0.1)
    people = Character("A", leader.body, motion=leader), Character("B", leader.body, path=near)
    request = Request(people, 2.0, seed=1, takes=4, steps=1)
    takes = generate(request, denoiser)
    monkeypatch.setattr(apart, "aside", lambda poses, free, *_: np.zeros((*free.shape, 3)))
    monkeypatch.setattr(apart, "give_way", lambda motions, poses, *_: (list(motions), poses))
    before = generate(request, denoiser)
    overlaps = [sum(penetration(poses_of(*t.motions)).sum() for t in found) for found in (before, takes)]
    assert overlaps[1] < 0.8 * overlaps[0]
    deepest = [np.mean([t.report["deepest_penetration_cm"] for t in found]) for found in (before, takes)]
    assert deepest[1] < deepest[0]


def test_paths_that_bind_are_walked_all_the_same(denoiser):
    (take,) = generate(crossing(HARD), denoiser)
    assert max(c["path_worst_cm"] for c in take.report["characters"]) < 0.1
