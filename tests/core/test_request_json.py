"""A request as JSON and back: every kind, generated from the dataclasses themselves."""

import dataclasses
import json
import time
import types
import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files import bvh, npz
from blender_motiondiff.core.motion import Motion, positions
from blender_motiondiff.core.request import (
    HARD,
    Character,
    Key,
    Request,
    RequestError,
    Take,
    data,
    from_json,
    to_json,
    validate,
)
from blender_motiondiff.core.skeleton import INDEX, JOINTS, Body, average_body, measures_of

from .made_motion import swinging
from .samples import bodies, quaternions, seeds

numbers = st.floats(allow_nan=False, width=64)
arrays = hnp.arrays(
    float, hnp.array_shapes(max_dims=3, max_side=3), elements=st.floats(allow_infinity=False, width=64)
).filter(lambda a: a.shape[-1] != 4)
names = st.lists(st.sampled_from(JOINTS), unique=True, max_size=4).map(tuple)
rest_or_full = st.one_of(st.just(JOINTS), names)


@st.composite
def keys(draw):
    turned = quaternions(draw(seeds), 22)
    joints = draw(rest_or_full)
    if draw(st.booleans()):
        turned[[j for j in range(22) if JOINTS[j] not in joints]] = rot.IDENTITY
    places = quaternions(draw(seeds), 22)[:, :3] * 3
    places[draw(st.integers(0, 22)) :] = np.nan
    places[0, 1] = draw(st.sampled_from([1.0, np.nan]))
    return Key(
        draw(numbers), turned, joints, draw(st.none() | hnp.arrays(float, 3)), draw(st.none() | st.just(places)),
        draw(numbers),
    )  # fmt: skip


@st.composite
def motions(draw):
    body = draw(st.just(average_body()) | bodies.map(lambda m: Body(np.array([[v] * 3 for v in vars(m).values()]))))
    frames = draw(st.integers(1, 3))
    return Motion(draw(hnp.arrays(float, (frames, 3))), quaternions(draw(seeds), frames, 22), body, draw(numbers))


def built(kind, name=""):
    """A strategy for anything of a field's type."""
    if kind in (np.ndarray, Body, Motion, Key):
        bodies_ = st.just(average_body()) | hnp.arrays(float, (22, 3), elements=numbers).map(Body)
        return {np.ndarray: arrays, Body: bodies_, Motion: motions(), Key: keys()}[kind]
    if kind in (float, int, bool, str):
        weights = st.sampled_from([HARD, 0.0, 1.0]) | numbers
        plain = {
            float: weights if name == "weight" else numbers,
            int: st.integers(),
            bool: st.booleans(),
            str: st.text(),
        }
        return plain[kind]
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return st.one_of([st.none() if a is types.NoneType else built(a, name) for a in arguments])
    if typing.get_origin(kind) is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(built(arguments[0]), max_size=2).map(tuple)
        return st.tuples(*(built(a) for a in arguments))
    fields = {f.name: built(f.type, f.name) for f in dataclasses.fields(kind)}
    if kind is data.Box:
        fields["rotation"] = seeds.map(lambda s: quaternions(s, 4)[0])
    if kind is data.Pin:
        fields["rotation"] = st.none() | seeds.map(lambda s: quaternions(s, 4)[0])
    return st.builds(kind, **fields)


def assert_same(a, b, path="request"):
    assert type(a) is type(b), path
    if dataclasses.is_dataclass(a):
        for f in dataclasses.fields(a):
            assert_same(getattr(a, f.name), getattr(b, f.name), f"{path}.{f.name}")
    elif isinstance(a, tuple):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{path}[{i}]")
    elif isinstance(a, np.ndarray):
        assert np.array_equal(a, b, equal_nan=True), path
    else:
        assert a == b, path


@given(built(Request))
@settings(max_examples=120)
def test_json_gives_every_kind_back_exactly(asked):
    assert_same(from_json(to_json(asked)), asked)


@pytest.mark.parametrize("kind", [k for k in vars(data).values() if dataclasses.is_dataclass(k)])
def test_every_kind_of_constraint_is_part_of_a_request(kind):
    """A new dataclass must be reachable from Request, so that the test above covers it."""
    reached, todo = set(), [Request]
    while todo:
        now = todo.pop()
        if dataclasses.is_dataclass(now) and now not in reached:
            reached.add(now)
            todo += [f.type for f in dataclasses.fields(now)]
        todo += typing.get_args(now)
    assert kind in reached or kind is Take


def test_no_number_that_is_none_becomes_the_end_of_the_clip():
    asked = Request((Character("A", average_body(), pins=(data.Pin("head", end=np.nan, place=np.zeros(3)),)),), 2.0)
    with pytest.raises(RequestError, match=r"^characters\[0\]\.pins\[0\]\.end: "):
        validate(from_json(to_json(asked)))


# --- what people write ------------------------------------------------------------------------------------------------


def character(**fields):
    return {"name": "Ann", **fields}


def read(folder=None, duration=2.0, top=(), **fields):
    text = json.dumps({"schema": 2, "duration": duration, "characters": [character(**fields)], **dict(top)})
    return from_json(text, folder)


def test_a_key_of_two_joints_rests_elsewhere():
    (key,) = (
        read(keys=[{"time": 1, "rotations": {"head": [0.92, 0.39, 0, 0], "neck": [1, 0, 0, 0]}}]).characters[0].keys
    )
    assert key.joints == ("head", "neck")
    assert np.array_equal(key.rotations[INDEX["left_knee"]], rot.IDENTITY)
    # Written with two digits: brought to length 1.
    assert np.linalg.norm(key.rotations[INDEX["head"]]) == pytest.approx(1, abs=1e-12)


def test_a_key_of_places_alone_binds_no_rotation():
    (key,) = read(keys=[{"time": 1, "places": {"left_wrist": [0, -1, 1]}}]).characters[0].keys
    assert key.joints == () and np.isnan(key.places).sum() == 63
    assert np.array_equal(key.places[INDEX["left_wrist"]], [0, -1, 1])


def test_a_list_of_rotations_binds_all_joints():
    (key,) = read(keys=[{"time": 1, "rotations": [[1, 0, 0, 0]] * 22}]).characters[0].keys
    assert key.joints == JOINTS


def test_bodies_by_measures():
    assert np.array_equal(read().characters[0].body.offsets, average_body().offsets)
    tall = read(body={"height_scale": 1.1}).characters[0].body
    assert tall.leg == pytest.approx(1.1 * average_body().leg)
    long_arms = measures_of(read(body={"forearm": 0.3, "upper_arm": 0.4}).characters[0].body)
    assert (long_arms.forearm, long_arms.upper_arm) == pytest.approx((0.3, 0.4))
    assert long_arms.thigh == pytest.approx(measures_of(average_body()).thigh)


def test_a_mask_is_written_out_with_soft_edges():
    spans = [{"end": 0.5, "fade": 0.2}, {"start": 1.5, "joints": ["left_elbow", "left_wrist"], "fade_bones": 1}]
    motion = swinging(61)
    arrays_ = {"root": motion.root.tolist(), "rotations": motion.rotations.tolist()}
    keep = read(motion=arrays_, keep=spans).characters[0].keep
    assert keep.shape == (61, 22)
    assert (keep[:16] == 1).all() and keep[18, 0] == pytest.approx(0.5) and (keep[22:45] == 0).all()
    assert np.all(keep[45:, [INDEX["left_elbow"], INDEX["left_wrist"]]] == 1)
    assert np.all(keep[45:, INDEX["left_shoulder"]] == 0.5) and np.all(keep[45:, INDEX["left_collar"]] == 0)


@pytest.mark.parametrize("kind", ["bvh", "npz"])
def test_a_motion_may_lie_in_a_file(tmp_path, kind):
    body = average_body().scaled(1.1)
    motion = swinging(100, body=body)
    if kind == "bvh":
        bvh.write(tmp_path / "clip.bvh", motion)
    else:
        times = np.arange(100) / 30
        npz.write(tmp_path / "clip.npz", Take((swinging(100), motion), times, np.zeros((2, 100, 4))))
    entry = {"file": f"clip.{kind}", "start": 0.5} | ({"person": 1} if kind == "npz" else {})
    who = read(tmp_path, motion=entry).characters[0]
    assert who.motion.frames == 61
    assert np.abs(positions(who.motion) - positions(motion)[15:76]).max() < 1e-4
    assert np.allclose(who.body.offsets, body.offsets, atol=1e-6) and who.motion.body is who.body
    onto = read(tmp_path, motion=entry, body={}).characters[0]
    assert np.allclose(onto.motion.root, who.motion.root / 1.1, atol=1e-4)
    assert onto.motion.body is onto.body and np.array_equal(onto.body.offsets, average_body().offsets)


def test_the_first_schema_is_still_read():
    pose = swinging(61)
    old = {
        "schema": 1, "duration": 2.0, "seed": 3, "takes": 2, "steps": 4, "cleanup": False,
        "characters": [{
            "name": "Ann", "body": average_body().offsets.tolist(),
            "path": {"times": [0, 2], "points": [[0, 0], [0, -2]]},
            "keys": [{"time": 1.0, "rotations": pose.rotations[0].tolist(), "joints": ["head"], "root": None}],
        }, {
            "name": "Ben", "body": average_body().offsets.tolist(),
            "motion": {"root": pose.root.tolist(), "rotations": pose.rotations.tolist()},
        }],
    }  # fmt: skip
    asked = validate(from_json(json.dumps(old)))
    assert (asked.seed, asked.takes, asked.steps, asked.cleanup) == (3, 2, 4, False)
    assert asked.characters[0].keys[0].joints == ("head",) and asked.characters[0].path.weight == HARD
    assert asked.characters[1].given and np.array_equal(asked.characters[1].motion.root, pose.root)


KEY = {"time": 1, "rotations": {"head": [1, 0, 0, 0]}}
WRONG = {
    "an unknown field": ({"pathes": {}}, "characters[0].pathes: "),
    "an unknown field of a key": ({"keys": [KEY, {**KEY, "when": 2}]}, "characters[0].keys[1].when: "),
    "a missing field": ({"keys": [{"rotations": {}}]}, "characters[0].keys[0].time: "),
    "text for a number": ({"keys": [{**KEY, "time": "1"}]}, "characters[0].keys[0].time: "),
    "null for a number": ({"keys": [{**KEY, "time": None}]}, "characters[0].keys[0].time: "),
    "an unknown joint": ({"keys": [{"time": 1, "rotations": {"tail": [1]}}]}, "characters[0].keys[0].rotations"),
    "too few numbers": (
        {"keys": [{"time": 1, "rotations": {"head": [1, 0, 0]}}]}, "characters[0].keys[0].rotations.head: ",
    ),
    "rows of unequal length": ({"path": {"times": [0, 1], "points": [[0, 0], [1]]}}, "characters[0].path.points: "),
    "text in an array": ({"path": {"times": [0, "1"], "points": []}}, "characters[0].path.times: "),
    "true in an array": ({"path": {"times": [False, True], "points": []}}, "characters[0].path.times: "),
    "a number for a list": ({"keys": 3}, "characters[0].keys: "),
    "a list for an object": ({"path": []}, "characters[0].path: "),
    "an unknown measure": ({"body": {"tail": 1}}, "characters[0].body.tail: "),
    "a file and arrays": ({"motion": {"file": "a.bvh", "root": []}}, "characters[0].motion.root: "),
    "a file without a folder": ({"motion": {"file": "a.bvh"}}, "characters[0].motion.file: "),
    "half a motion": ({"motion": {"root": []}}, "characters[0].motion.rotations: "),
    "a span outside the clip": ({"keep": {"end": 3}}, "characters[0].keep.end: "),
    "a fade that is negative": ({"keep": [{"end": 1}, {"fade": -1}]}, "characters[0].keep[1].fade: "),
    "hard where it means nothing": ({"keys": [{**KEY, "tolerance": "hard"}]}, "characters[0].keys[0].tolerance: "),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_written_wrongly_is_named_by_its_path(case):
    fields, path = WRONG[case]
    with pytest.raises(RequestError) as refusal:
        read(**fields)
    assert str(refusal.value).startswith(path)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"^characters\[0\]\.motion\.file: .*gone\.bvh can't be read"):
        read(tmp_path, motion={"file": "gone.bvh"})


def test_an_unknown_shape_is_named():
    with pytest.raises(RequestError, match=r"^obstacles\[0\]\.shape\.kind: .*sphere"):
        read(top={"obstacles": [{"shape": {"kind": "torus"}}]})


def test_a_field_written_twice_is_refused():
    with pytest.raises(RequestError, match=r"^seed: .* twice"):
        from_json('{"schema": 2, "seed": 1, "seed": 2}')


def mutated(tree, rng, junk):
    """A JSON tree with one of its values replaced."""
    if isinstance(tree, dict) and tree and rng.random() < 0.9:
        name = rng.choice(list(tree))
        return {**tree, name: mutated(tree[name], rng, junk)}
    if isinstance(tree, list) and tree and rng.random() < 0.9:
        at = rng.integers(len(tree))
        return [*tree[:at], mutated(tree[at], rng, junk), *tree[at + 1 :]]
    return junk


JUNK = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "time", "file"]), inner),
    max_leaves=4,
)


@given(built(Request), seeds, JUNK)
@settings(max_examples=150)
def test_any_text_is_read_or_refused(asked, seed, junk):
    tree = mutated(json.loads(to_json(asked)), np.random.default_rng(seed), junk)
    try:
        validate(from_json(json.dumps(tree)))
    except RequestError as error:
        assert str(error)


def test_ten_minutes_are_checked_and_written_in_seconds():
    long = swinging(18001)
    keep = np.ones((18001, 22))
    keep[9000:9100] = 0
    pose = swinging(61)
    keys_ = tuple(Key(t, pose.rotations[0], joints=("head",)) for t in (303.0, 303.05, 303.1, 303.15))
    asked = Request((Character("A", long.body, motion=long, keep=keep, keys=keys_),), 600.0)
    begun = time.perf_counter()
    validate(asked)
    assert time.perf_counter() - begun < 1.0
    assert_same(from_json(to_json(asked)), asked)
