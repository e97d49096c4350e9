"""Whoever has no place of their own goes with a partner who walks: where, with whom, and whom it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.company import BEHIND, BESIDE, MET, TOUCHING, with_company
from blender_motiondiff.core.constraints.trajectory import sample_path
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.reference import path_heading
from blender_motiondiff.core.request import (
    GIVEN,
    Character,
    Contact,
    Facing,
    Key,
    Path,
    Pin,
    Request,
    Spacing,
    Sync,
    Target,
    Words,
    validate,
)  # fmt: skip  # fmt: skip
from blender_motiondiff.core.skeleton import COUNT

from .made_motion import swinging

FRAMES = 91
BODY = swinging(2).body


def walker(speed=1.1, turn=0.0, facing=0.0):
    """Somebody who glides at `speed`, turns by `turn` in all, and faces `facing` radians off their way."""
    heading = np.linspace(0.0, turn, FRAMES)
    step = np.stack([np.sin(heading), -np.cos(heading)], -1) * speed / FPS
    motion = swinging(FRAMES)
    root, rotations = motion.root.copy(), motion.rotations.copy()
    root[:, :2] = np.cumsum(step, axis=0)
    rotations[:, 0] = rot.about_z(heading + facing)
    return Character("Ann", BODY, motion=replace(motion, root=root, rotations=rotations))


def in_step(take, other_foot=False):
    """Share of the frames in which a foot of both stands or swings alike, the same or the other one."""
    ann, ben = (c.reshape(-1, 2, 2).max(-1) > 0.5 for c in (take.contacts[0], take.contacts[1]))
    return float((ann == (ben[:, ::-1] if other_foot else ben)).mean())


def asked(text="", leader=None, partner=None, **wishes):
    who = (leader or walker(), partner or Character("Ben", BODY))
    return validate(Request(who, 3.0, words=(Words(text),) if text else (), **wishes))


def way(request):
    path = with_company(request).characters[1].path
    return None if path is None else path.points


def place(request):
    return request.characters[0].motion.root[:, :2]


def test_beside_who_walks_and_as_fast():
    request = asked()
    assert with_company(request).characters[1].path.weight == 0.0
    gap = way(request) - place(request)
    assert np.allclose(gap, [-BESIDE, 0.0], atol=0.02)  # who faces -Y has their right at -X


@pytest.mark.parametrize(
    ("text", "turn", "side"),
    [("", 2.0, -1), ("", -2.0, 1), ("walk on the left", 2.0, 1), ("walk together, right", -2.0, -1), ("", -0.5, -1)],
)
def test_on_the_side_that_is_said_or_outside_of_the_curve(text, turn, side):
    request = asked(text, walker(turn=turn))
    heading, gap = path_heading(place(request)), way(request) - place(request)
    left = np.stack([np.cos(heading), np.sin(heading)], -1)
    assert np.allclose((gap * left).sum(-1), side * BESIDE, atol=0.1)


def test_where_they_touch_says_the_side_and_brings_them_near():
    hands = Contact((0, "left_wrist"), (1, "right_wrist"), 0.06)
    assert np.allclose(way(asked(contacts=(hands,))) - place(asked()), [TOUCHING, 0.0], atol=0.02)
    own = Contact((1, "left_wrist"), (1, "head"), 0.2)
    assert np.allclose(way(asked(contacts=(own,))) - place(asked()), [-BESIDE, 0.0], atol=0.02)


def test_who_follows_goes_where_the_other_went():
    request = asked("follow", walker(turn=1.0))
    path, led = way(request), place(request)
    apart = np.linalg.norm(path - led, axis=-1)
    assert apart.max() < BEHIND + 0.01 and apart.min() > 0.9 * BEHIND
    late = path[-10:]
    assert np.linalg.norm(late[:, None] - led[None], axis=-1).min(1).max() < 0.03


def test_who_meets_comes_from_ahead_and_is_there_at_the_end():
    request = asked("meet")
    gap = (way(request) - place(request)) @ [0.0, -1.0]
    assert gap[-1] == pytest.approx(MET, abs=0.02) and gap[0] == pytest.approx(MET + 2 * 1.1 * 3.0, abs=0.1)


@pytest.mark.parametrize("given", [True, False])
def test_who_meets_somebody_that_stops_comes_from_ahead_as_well(given):
    gone = np.minimum(1.4 * np.arange(FRAMES) / FPS, 2.5)
    leader = walker()
    root = leader.motion.root.copy()
    root[:, :2] = gone[:, None] * [0.0, -1.0]
    if given:
        leader = replace(leader, motion=replace(leader.motion, root=root))
    else:
        leader = Character("Ann", BODY, path=Path(np.arange(FRAMES) / FPS, root[:, :2]))
    gap = (way(asked("meet", leader)) - root[:, :2]) @ [0.0, -1.0]
    assert gap[-1] == pytest.approx(MET, abs=0.1) and gap[0] > 5.0


def test_spacings_are_kept_to():
    request = asked(spacings=(Spacing(1.0, 1.5),))
    assert np.allclose(np.linalg.norm(way(request) - place(request), axis=-1), 1.0, atol=0.02)


def test_along_with_who_is_generated_on_a_path():
    path = Path(np.array([0.0, 1.5, 3.0]), np.array([[0.0, 0.0], [0.3, -1.6], [0.0, -3.2]]))
    drawn = Character("Ann", BODY, path=path)
    request = asked(leader=drawn)
    gap = np.linalg.norm(way(request) - sample_path(path, np.arange(FRAMES) / FPS), axis=-1)
    assert gap.min() > 0.9 * BESIDE and gap.max() < 1.1 * BESIDE
    assert with_company(request).characters[0] is drawn
    backwards = replace(path, heading=GIVEN, headings=np.full(3, np.pi))
    assert way(asked(leader=replace(drawn, path=backwards))) is None


@pytest.mark.parametrize(
    "leader", [walker(0.1), walker(0.25), walker(1.1, facing=np.pi), walker(0.8, turn=0, facing=1.5)]
)
def test_who_does_not_walk_ahead_is_left_to_the_model(leader):
    assert way(asked("", leader)) is None and way(asked("together", leader)) is None


def test_other_words_and_places_of_their_own_are_left_alone():
    for text in ("dance", "salsa", "wave", "pass", "talk", "dance together", "salsa, pair, follower", "meet and fight"):
        assert way(asked(text)) is None, text
    turns = np.tile(rot.IDENTITY, (COUNT, 1))
    key = Key(1.0, turns, joints=("pelvis",), root=np.array([1.0, 0.0, 0.9]))
    own = Path(np.array([0.0, 3.0]), np.array([[1.0, 0.0], [1.0, -2.0]]))
    pin = Pin("left_wrist", place=np.array([0.5, -1.0, 1.0]))
    for partner in (Character("Ben", BODY, keys=(key,)), Character("Ben", BODY, pins=(pin,))):
        assert way(asked(partner=partner)) is None
    assert with_company(asked(partner=Character("Ben", BODY, path=own))).characters[1].path is own
    assert way(asked(facings=(Facing(1, Target(partner=True)),))) is None
    assert way(asked(syncs=(Sync(mirror=True),))) is None and way(asked(syncs=(Sync(),))) is not None
    alone = validate(Request((Character("Ben", BODY, path=own),), 3.0))
    assert with_company(alone) is alone


def test_the_partner_of_a_walk_walks_along_on_feet_that_stand():
    path = Path(np.array([0.0, 1.5, 3.0]), np.array([[0.0, 0.0], [0.3, -1.6], [0.0, -3.2]]))
    denoiser = onnx_backend.load(threads=1)
    (walk,) = generate(Request((Character("Ann", BODY, path=path),), 3.0, seed=2), denoiser)
    both = (Character("Ann", BODY, motion=walk.motions[0]), Character("Ben", BODY))
    hold = Contact((0, "left_wrist"), (1, "right_wrist"), 0.06, 0.5, 2.5)
    (hand_in_hand,) = generate(Request(both, 3.0, seed=4, contacts=(hold,)), denoiser)
    assert in_step(hand_in_hand, other_foot=True) > 0.9
    own = Contact((1, "left_wrist"), (1, "right_elbow"), 0.1, 0.5, 2.5)  # who folds their own arms holds nobody's hand
    (folded,) = generate(Request(both, 3.0, seed=4, contacts=(own,)), denoiser)
    assert in_step(folded) > 0.9
    for take in generate(Request(both, 3.0, seed=4, takes=2), denoiser):
        assert in_step(take) > 0.9
        apart = np.linalg.norm((take.motions[1].root - take.motions[0].root)[:, :2], axis=-1)
        assert apart.min() > 0.6 and apart.max() < 1.0
        assert take.report["characters"][1]["foot_skating_ratio"] < 0.1
        assert take.report["deepest_penetration_cm"] < 2.0
        assert not take.report["constraints"]  # nobody drew that way
