import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.request import (
    Character,
    Key,
    Path,
    Request,
    RequestError,
    from_json,
    moved,
    to_json,
    validate,
    with_bodies_scaled,
)
from blender_motiondiff.core.skeleton import Body, average_body

from .samples import quaternions, random_motion, seeds
from .test_request_checks import everything

PATH = Path(np.array([0.0, 1.0, 2.0]), np.array([[0.0, 0], [0, -1], [0.5, -2]]))
KEY = Key(1.0, quaternions(1, 22))
WALKER = Character("Anna", average_body(), path=PATH, keys=(KEY,))


def request(**changes):
    return replace(Request((WALKER,), 2.0), **changes)


def walker(**changes):
    return request(characters=(replace(WALKER, **changes),))


def assert_same(a, b):
    assert (a.duration, a.seed, a.takes, a.steps, a.cleanup) == (b.duration, b.seed, b.takes, b.steps, b.cleanup)
    assert len(a.characters) == len(b.characters)
    for x, y in zip(a.characters, b.characters, strict=True):
        assert x.name == y.name
        assert np.array_equal(x.body.offsets, y.body.offsets)
        assert (x.path is None) == (y.path is None)
        assert (x.motion is None) == (y.motion is None)
        if x.path is not None:
            assert np.array_equal(x.path.times, y.path.times)
            assert np.array_equal(x.path.points, y.path.points)
        if x.motion is not None:
            assert np.array_equal(x.motion.root, y.motion.root)
            assert np.array_equal(x.motion.rotations, y.motion.rotations)
        for k, m in zip(x.keys, y.keys, strict=True):
            assert (k.time, k.joints) == (m.time, m.joints)
            assert np.array_equal(k.rotations, m.rotations)
            assert (k.root is None and m.root is None) or np.array_equal(k.root, m.root)


@given(seeds, st.floats(0.5, 5), st.integers(1, 64), st.booleans())
@settings(max_examples=25)
def test_json_gives_the_same_request_back(seed, duration, takes, cleanup):
    keys = (replace(KEY, time=duration / 3), Key(0.0, quaternions(seed, 22), ("head", "left_wrist"), np.ones(3) / 3))
    partner = Character("Ben", average_body().scaled(1.1), motion=random_motion(seed, 61))
    people = (replace(WALKER, keys=keys), partner)
    asked = Request(people, duration, seed % 1000, takes, steps=4, cleanup=cleanup)
    assert_same(from_json(to_json(asked)), asked)


def test_a_valid_request_comes_back_as_it_is():
    asked = request()
    assert validate(asked) is asked
    assert asked.frames == 61


BAD = {
    "the clip has no length": (request(duration=0.0), "lasts 0.00 s"),
    "the clip is too long": (request(duration=601.0), "lasts 601.00 s"),
    "nobody": (request(characters=()), "0 characters"),
    "three": (request(characters=(WALKER,) * 3), "3 characters"),
    "no takes": (request(takes=0), "0 takes"),
    "too many takes": (request(takes=65), "65 takes"),
    "no steps": (request(steps=0), "0 sampling steps"),
    "everybody moves": (walker(path=None, keys=(), motion=random_motion(0, 61)), "animated already"),
    "nothing to go by": (walker(path=None, keys=()), "no path and no keys"),
    "no legs": (walker(body=Body(np.zeros((22, 3)))), "no usable body"),
    "half a body": (walker(body=Body(np.ones((21, 3)))), r"body.offsets: an array \[21, 3\]"),
    "a ragged body": (walker(body=Body([[0.0, 1.0], [1.0]])), "body.offsets: .*ndarray"),
    "one point": (walker(path=Path(PATH.times[:1], PATH.points[:1])), "two or more points"),
    "times that fall": (walker(path=Path(PATH.times[::-1], PATH.points)), "rising times"),
    "a time too few": (walker(path=Path(PATH.times[:2], PATH.points)), "two or more points"),
    "no number": (walker(path=Path(PATH.times, PATH.points * np.nan)), "no number"),
    "no way": (walker(path=Path(PATH.times, PATH.points * 0)), "no length"),
    "a late key": (walker(keys=(replace(KEY, time=2.5),)), r"keys\[0\]\.time: 2.50 s lies outside the clip"),
    "an early key": (walker(keys=(replace(KEY, time=-0.5),)), r"keys\[0\]\.time: -0.50 s lies outside the clip"),
    "a tail": (walker(keys=(replace(KEY, joints=("head", "tail")),)), "unknown joint: tail"),
    "frames that don't fit": (
        request(characters=(WALKER, Character("Ben", average_body(), motion=random_motion(0, 60)))),
        "60 frames where the clip has 61",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_met_is_refused_with_the_reason(case):
    asked, words = BAD[case]
    with pytest.raises(RequestError, match=words):
        validate(asked)


def test_messages_about_a_character_name_it():
    with pytest.raises(RequestError, match="Anna"):
        validate(walker(path=None, keys=()))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100000, '{"schema": 1'])
def test_other_texts_are_no_requests(text):
    with pytest.raises(RequestError, match="not a MotionDiff request"):
        from_json(text)


def test_a_newer_schema_is_named():
    data = json.loads(to_json(request())) | {"schema": 99}
    with pytest.raises(RequestError, match="schema 99"):
        from_json(json.dumps(data))


@given(st.floats(0.1, 10))
def test_scaling_there_and_back_changes_nothing(factor):
    keyed = replace(KEY, root=np.array([1.0, 2.0, 3.0]))
    asked = request(
        characters=(replace(WALKER, keys=(keyed,)), Character("B", average_body(), motion=random_motion(1)))
    )
    large = with_bodies_scaled(asked, factor)
    assert np.allclose(large.characters[0].path.points, factor * PATH.points)
    assert np.allclose(large.characters[0].keys[0].root, factor * keyed.root)
    assert np.allclose(large.characters[1].motion.root, factor * asked.characters[1].motion.root)
    back = with_bodies_scaled(large, 1 / factor)
    assert np.allclose(back.characters[0].body.offsets, average_body().offsets)
    assert np.allclose(back.characters[1].motion.root, asked.characters[1].motion.root)


@given(st.floats(-4, 4), st.tuples(*[st.floats(-3, 3)] * 3))
def test_a_request_that_is_moved_there_and_back_is_the_same(angle, shift):
    asked = everything()
    away = moved(asked, angle, shift)
    validate(away)
    back = moved(moved(away, -angle, np.zeros(3)), 0.0, -rot.rotate(rot.about_z(-angle), np.array(shift)))
    assert_near(back, asked)
    # Heights go up with everything else.
    assert np.allclose(away.ground.heights - asked.ground.heights, shift[2])
    assert np.allclose(away.characters[0].path.heights[1:] - asked.characters[0].path.heights[1:], shift[2])


def assert_near(a, b, path="request"):
    if is_dataclass(a):
        for f in fields(a):
            assert_near(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")
    elif isinstance(a, tuple):
        assert len(a) == len(b), path
        for x, y in zip(a, b, strict=True):
            assert_near(x, y, path)
    elif isinstance(a, np.ndarray | float):
        assert np.allclose(a, b, atol=1e-9, equal_nan=True), path
    else:
        assert a == b, path
