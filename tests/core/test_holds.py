"""Hands that a couple would hold: which, when, and where they are let be."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blender_motiondiff.core.constraints.holds import HELD, LONG, NEAR, held
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS, positions, turned
from blender_motiondiff.core.request import Character, Contact, Request, Solo, Words, from_json
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_constraints import poses_of
from .samples import standing

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "requests"
FRAMES = 60
FREE = np.ones((2, FRAMES, 2))
LEFT, RIGHT = INDEX["left_wrist"], INDEX["right_wrist"]
ASKED = Request((Character("Ann", average_body()), Character("Ben", average_body())), 2.0)
SPAN = slice(10, 40)


def facing(gap=0.2, span=SPAN):
    """Poses of two who face each other a metre apart, her left hand `gap` metres from his right one for a while."""
    one, other = standing(FRAMES), turned(standing(FRAMES), np.pi)
    poses = poses_of(one, replace(other, root=other.root + [0.0, -1.0, 0.0]))
    poses.places[1, span, RIGHT] = poses.places[0, span, LEFT] + [0.0, -gap, 0.0]
    return poses


def test_hands_that_stay_near_are_held_for_as_long():
    (hold,) = held(facing(), FREE, ASKED)
    assert (hold.first, hold.second) == ((0, "left_wrist"), (1, "right_wrist"))
    assert hold.distance == pytest.approx(HELD, rel=0.02) and np.isinf(hold.weight)
    assert (hold.start, hold.end) == pytest.approx((10 / FPS, 39 / FPS))


def test_what_is_far_or_short_or_fixed_is_let_be():
    assert held(facing(NEAR + 0.02), FREE, ASKED) == ()
    assert held(facing(span=slice(10, 10 + int(LONG * FPS) - 2)), FREE, ASKED) == ()
    assert held(facing(), 0 * FREE, ASKED) == ()
    only = FREE.copy()
    only[0] = 0.0
    assert len(held(facing(), only, ASKED)) == 1  # one arm that can give way is enough


@pytest.mark.parametrize(("solo", "holds"), [
    (Solo(), 0), (Solo(weight=0.4), 1), (Solo(end=0.2), 1), (Solo(start=0.5, end=0.9), 0), (Solo(("head",)), 1),
    (Solo(("right_wrist",)), 0),
])  # fmt: skip
def test_who_moves_alone_holds_no_hands(solo, holds):
    assert len(held(facing(), FREE, replace(ASKED, solos=(solo,)))) == holds


def test_hands_that_miss_each_other_are_not_held():
    poses = facing()
    elbow = INDEX["right_elbow"]
    poses.places[1, SPAN, elbow] = 0.5 * (poses.places[0, SPAN, LEFT] + poses.places[0, SPAN, INDEX["left_elbow"]])
    assert held(poses, FREE, ASKED) == ()


def test_a_hand_does_not_change_over_at_once():
    def over(gap):
        poses = facing(span=slice(2, 20))
        later = slice(20 + gap, FRAMES)
        poses.places[1, later, LEFT] = poses.places[0, later, LEFT] + [0.0, -0.2, 0.0]
        return [hold.second[1] for hold in held(poses, FREE, ASKED)]

    assert over(2) == ["left_wrist"] and sorted(over(16)) == ["left_wrist", "right_wrist"]


def test_every_hand_holds_one_other_and_what_is_asked_for_comes_first():
    both = facing()
    both.places[1, SPAN, LEFT] = both.places[0, SPAN, LEFT] + [0.0, -0.25, 0.0]
    assert [hold.second for hold in held(both, FREE, ASKED)] == [(1, "right_wrist")]
    own = Contact((0, "left_wrist"), (1, "left_shoulder"), 0.1)
    assert held(facing(), FREE, replace(ASKED, contacts=(own,))) == ()


@pytest.mark.parametrize(("text", "count"), [("salsa", 1), ("talk", 0), ("boxing", 0), ("they ignore each other", 0)])
def test_words_may_keep_hands_apart(text, count):
    assert len(held(facing(), FREE, replace(ASKED, words=(Words(text),)))) == count


def test_a_partner_takes_a_hand_that_is_held_out():
    asked = {"file": "../leader_b.bvh"}
    text = {"schema": 2, "duration": 3.0, "takes": 2, "characters": [{"name": "Ann", "motion": asked}, {"name": "Ben"}]}
    request = from_json(json.dumps(text), EXAMPLES)
    share = []
    for take in generate(request, onnx_backend.load(threads=1)):
        hers, his = (positions(m)[:, [LEFT, RIGHT]] for m in take.motions)
        nearest = np.linalg.norm(hers[:, :, None] - his[:, None], axis=-1).min((1, 2))
        share.append((np.abs(nearest - HELD) < 0.01).mean())
        assert not take.report["relaxed"] and not take.report["constraints"]
    assert max(share) > 0.15
