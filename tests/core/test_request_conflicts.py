"""Hard things that contradict each other, and what means nothing: refused; what can be relaxed is let through."""

import re
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.request import (
    GIVEN,
    HARD,
    Character,
    Contact,
    Facing,
    Key,
    LookAt,
    Obstacle,
    Path,
    Pin,
    Request,
    RequestError,
    Solo,
    Spacing,
    Sphere,
    Sync,
    Target,
    Vary,
    Words,
    validate,
)
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_requests import LEADER, ONE, PLACES, POSE, ROOT, WORLD, places

NAN = np.nan
RAISED = POSE.copy()
RAISED[INDEX["left_shoulder"]] = rot.multiply(POSE[INDEX["left_shoulder"]], rot.from_rotvec(np.array([0, 0.01, 0])))
CHAIN = ("pelvis", "spine1", "spine2", "spine3", "left_collar", "left_shoulder")
WRIST = PLACES[INDEX["left_wrist"]]
FULL = Key(1.0, POSE, root=ROOT)


def ann(**fields):
    body = fields.pop("body", average_body())
    return Request((Character("Ann", body, **fields),), 2.0)


def pair(**fields):
    two = tuple(Character(n, average_body(), keys=(Key(0.0, POSE, root=ROOT),)) for n in ("Ann", "Ben"))
    return Request(two, 2.0, **fields)


def pinned(**fields):
    return Pin("left_wrist", **fields)


def both(first, second):
    return Contact((0, first), (1, second), 0.0)


HELD = tuple(Character(n, average_body(), pins=(pinned(place=ONE + x),)) for n, x in (("Ann", 0), ("Ben", 1)))
KEPT = Character("Ann", LEADER.body, motion=LEADER, keep=np.r_[np.ones((31, 22)), np.zeros((30, 22))])
AGAINST = {
    "two poses at one time": (ann(keys=(FULL, Key(1.0, RAISED, ("left_shoulder",)))), "keys[1].rotations"),
    "two places at one time": (ann(keys=(FULL, Key(1.0, POSE, ("head",), ROOT + 0.002))), "keys[1]"),
    "a key's own place": (ann(keys=(replace(FULL, places=places(left_wrist=WRIST + 0.002)),)), "keys[0].places"),
    "a key's place and another's pose": (
        ann(keys=(FULL, Key(1.0, POSE, (), places=places(left_wrist=WRIST + 0.002)))), "keys[1]",
    ),
    "a pin's place and a pose": (ann(keys=(FULL,), pins=(pinned(place=WRIST + 0.002),)), "pins[0].place"),
    "a pin's rotation and a pose": (
        ann(keys=(FULL,), pins=(pinned(rotation=rot.multiply(rot.about_z(0.01), WORLD[INDEX["left_wrist"]])),)),
        "pins[0].rotation",
    ),
    "a pin's rotation and a part of a pose": (
        ann(keys=(Key(1.0, POSE, CHAIN),), pins=(Pin("left_shoulder", rotation=POSE[3]),)), "pins[0].rotation",
    ),
    "a pin and a keyed place": (
        ann(keys=(Key(1, POSE, (), places=places(left_wrist=ONE)),), pins=(pinned(place=ONE + 0.1),)), "pins[0].place",
    ),
    "two pins' places": (ann(pins=(pinned(place=ONE, end=1.0), pinned(place=ONE + 0.1, start=0.9))), "pins[1].place"),
    "two pins' rotations": (ann(pins=(pinned(rotation=POSE[0]), pinned(rotation=POSE[1]))), "pins[1].rotation"),
    "a key and what is kept": (
        Request((replace(KEPT, keys=(Key(0.5, POSE, ("head",)),)),), 2.0), "keys[0].rotations",
    ),
    "a keyed pelvis and what is kept": (
        Request((replace(KEPT, keys=(Key(0.5, POSE, (), LEADER.root[15] + 0.1),)),), 2.0), "keys[0].root",
    ),
    "two contacts": (
        pair(contacts=(both("head", "head"), Contact((1, "head"), (0, "head"), 0.5))), "contacts[1].distance",
    ),
    "a contact of pinned joints": (
        Request(HELD, 2.0, contacts=(both("left_wrist", "left_wrist"),)), "contacts[0].distance",
    ),
    "two spacings": (
        pair(spacings=(Spacing(0, 1, weight=HARD), Spacing(1.5, 2, weight=HARD))), "spacings[1]",
    ),
    "two facings": (
        pair(facings=tuple(Facing(0, Target(direction=np.array(d)), weight=HARD) for d in ([1.0, 0, 0], [0.0, 1, 0]))),
        "facings[1].target",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AGAINST)
def test_two_that_disagree_are_refused(case):
    asked, path = AGAINST[case]
    with pytest.raises(RequestError) as refusal:
        validate(asked)
    message = str(refusal.value)
    assert re.match(r"(characters\[\d\]\.)?" + re.escape(path) + ": ", message) and "disagree by" in message
    assert "characters" not in message.split(":", maxsplit=1)[0] or "Ann" in message


AGREE = {
    "the same key twice": ann(keys=(FULL, FULL)),
    "different joints at one time": ann(keys=(Key(1.0, POSE, ("head",), ROOT), Key(1.0, RAISED, ("left_shoulder",)))),
    "a rough key": ann(keys=(FULL, Key(1.0, RAISED, tolerance=0.1))),
    "a pin where the pose is": ann(keys=(FULL,), pins=(pinned(place=WRIST + 0.0005),)),
    "a pin that is over": ann(keys=(FULL,), pins=(pinned(place=WRIST + 1, end=0.9),)),
    "a pin that is a wish": ann(keys=(FULL,), pins=(pinned(place=WRIST + 1, weight=1.0),)),
    "a pin that the pose leaves open": ann(keys=(Key(1.0, POSE, ("head",), ROOT),), pins=(pinned(place=WRIST + 1),)),
    "pins one after the other": ann(pins=(pinned(place=ONE, end=0.9), pinned(place=ONE + 1, start=1.0))),
    "a key outside what is kept": Request((replace(KEPT, keys=(Key(1.5, POSE, ("head",)),)),), 2.0),
    "an obstacle around a key": replace(ann(keys=(FULL,)), obstacles=(Obstacle(Sphere(ROOT, 0.5), weight=HARD),)),
    "a path beside a key": ann(path=Path(np.array([0.0, 2]), np.array([[3.0, 0], [3, -2]])), keys=(FULL,)),
    "a pin out of reach": ann(keys=(FULL,), pins=(pinned(place=ONE + 50, start=1.5),)),
    "contacts one after the other": pair(
        contacts=(replace(both("head", "head"), end=0.9), Contact((1, "head"), (0, "head"), 0.5, 1.0))
    ),
    "standing, turning": ann(path=Path(np.array([0.0, 2]), np.zeros((2, 2)), heading=GIVEN, headings=np.array([0, 1]))),
}


@pytest.mark.parametrize("case", AGREE)
def test_what_can_be_met_or_relaxed_is_let_through(case):
    assert validate(AGREE[case]) is AGREE[case]


GIVEN_ANN = Character("Ann", LEADER.body, motion=LEADER)
LEFT_OVER = {
    "a key on one who is given": (replace(pair(), characters=(replace(GIVEN_ANN, keys=(FULL,)), HELD[1])), "[0].keys"),
    "a facing of one who is given": (
        replace(pair(facings=(Facing(0, Target(partner=True)),)), characters=(GIVEN_ANN, HELD[1])), "character:",
    ),
    "a contact within one who is given": (
        replace(pair(contacts=(Contact((0, "head"), (0, "neck")),)), characters=(GIVEN_ANN, HELD[1])), "contacts[0]",
    ),
    "keeping nothing": (ann(path=AGREE["a path beside a key"].characters[0].path, keep=np.ones((61, 22))), "keep"),
    "varying nothing": (ann(keys=(FULL,), vary=Vary(0.5)), "vary"),
    "all of it kept": (Request((replace(KEPT, keep=np.ones((61, 22))),), 2.0), "animated already"),
    "a partner where there is none": (replace(ann(keys=(FULL,)), look_ats=(LookAt(0, Target(True)),)), "needs two"),
    "spacing of one": (replace(ann(keys=(FULL,)), spacings=(Spacing(1.0),)), "two characters"),
    "a solo of one": (replace(ann(keys=(FULL,)), solos=(Solo(),)), "two characters"),
    "syncing one": (replace(ann(keys=(FULL,)), syncs=(Sync(),)), "two characters"),
    "a pin that holds nothing": (ann(pins=(pinned(),)), "holds nothing"),
    "a key that binds nothing": (ann(keys=(Key(1.0, POSE, ()),)), "binds nothing"),
    "words alone": (replace(ann(), words=(Words("walk"),)), "no path and no keys"),
    "two without anything": (replace(pair(), characters=(ann().characters[0],) * 2), "no path and no keys"),
    "no time left for a waypoint": (
        ann(path=Path(np.array([0.0, NAN, 2]), np.eye(3)[:, :2], earliest=np.array([NAN, 2.0, NAN]))), "no time left",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFT_OVER)
def test_what_means_nothing_is_refused(case):
    asked, words = LEFT_OVER[case]
    with pytest.raises(RequestError, match=re.escape(words)):
        validate(asked)
