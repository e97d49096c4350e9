"""Every field of a request out of its range: refused, by path."""

import dataclasses
import re
import types
import typing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core.request import (
    FREE,
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
    RequestError,
    Solo,
    Spacing,
    Sphere,
    Sync,
    Target,
    Vary,
    Words,
    data,
    validate,
)
from blender_motiondiff.core.skeleton import JOINTS, Body, average_body

from .made_requests import LEADER, ONE, PLACES, POSE, ROOT, places
from .samples import random_motion


def everything():
    """A valid request with every kind of constraint."""
    t = np.array([0.0, np.nan, 2.0])
    bounds = np.array([np.nan, 0.5, np.nan]), np.array([np.nan, 1.5, np.nan])
    way = Path(t, np.array([[0.0, 0], [0, -1], [0, -2]]), True, *bounds, GIVEN, np.zeros(3), np.array([np.nan, 1, 1]))
    ann = Character(
        "Ann", average_body(), way,
        keys=(Key(0.5, POSE), Key(1.0, POSE, JOINTS, ROOT, places(head=PLACES[15])), Key(1.9, POSE, ("neck",))),
        pins=(Pin("left_wrist", 0.0, 0.4, ONE, POSE[0]), Pin("left_wrist", 1.2, 1.8, ONE + 1)),
    )  # fmt: skip
    ben = Character("Ben", average_body(), motion=LEADER, keep=np.zeros((61, 22)), vary=Vary(0.5, ("head",), 0.5, 1.0))
    box = Box(ONE, np.ones(3))
    return Request(
        (ann, ben), 2.0,
        contacts=(Contact((0, "right_wrist"), (1, "left_wrist"), 0.05, 0.5, 1.0),),
        spacings=(Spacing(0.5, 2.0),),
        facings=(Facing(0, Target(partner=True)), Facing(1, Target(direction=np.array([0, 1.0, 0])), weight=HARD)),
        look_ats=(LookAt(1, Target(point=ONE), 1.0, 2.0),),
        syncs=(Sync(), Sync(True, 1.0)),
        obstacles=(
            Obstacle(Sphere(ONE, 0.3), 0.02, ("left_wrist",)), Obstacle(Capsule(ONE, ONE + 1, 0.1)), Obstacle(box),
            Obstacle(Grid(ONE, 0.1, np.ones((3, 4, 5)), 0.3), weight=HARD),
        ),
        ground=Ground(np.zeros(2), 0.5, np.zeros((4, 4))),
        words=(Words("walk"), Words("turn", 1.0, 1.5)),
        solos=(Solo(("head", "neck"), 0.5, 1.0, 0.5),),
    )  # fmt: skip


def changed(owner, path, value):
    """The request with the field at a path such as `characters[0].keys[1].time` replaced."""
    name, number, rest = re.fullmatch(r"(\w+)(?:\[(\d+)\])?(?:\.(.*))?", path).groups()
    old = getattr(owner, name)
    if number is not None:
        items = list(old)
        items[int(number)] = changed(items[int(number)], rest, value) if rest else value
        return replace(owner, **{name: type(old)(items) if isinstance(old, tuple) else np.array(items)})
    return replace(owner, **{name: changed(old, rest, value) if rest else value})


NAN, INF = np.nan, np.inf
SPAN = [("start", NAN), ("start", -0.1), ("start", 2.1), ("end", NAN), ("end", 2.1), ("end", -1.0), ("end", INF)]
WEIGHT = [("weight", NAN), ("weight", -0.5), ("weight", 1e9), ("weight", -INF)]
ARRAY = [None, "x", np.zeros((7, 7)), [[1, 2], [3]]]
FLAG = [None, 1, "yes"]


def spanned(path, *others):
    return [(f"{path}.{name}", value) for name, value in [*SPAN, *WEIGHT, *others]]


ANN, BEN = "characters[0]", "characters[1]"
SHARED = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles", "words", "solos")
BAD = [
    *[("duration", v) for v in (0.0, 0.4, 601.0, NAN, INF, -1.0, "2", None, True)],
    *[("characters", v) for v in ((), None, 3)],
    *[("seed", v) for v in (-1, 2**63, 1.5, NAN, None)],
    *[("takes", v) for v in (0, -1, 65, 1.0, NAN, None, True)],
    *[("sampler", v) for v in ("magic", None, 4, np.zeros(2))],
    *[("steps", v) for v in (0, 1001, 1.5, NAN)],
    *[("repaint", v) for v in (0, 101, NAN)],
    *[(f"{n}_guidance", v) for n in ("constraint", "text") for v in (-1.0, 101.0, NAN, INF, None)],
    *[("cleanup", v) for v in FLAG],
    *[(n, 3) for n in SHARED],
    *[(f"{n}[0]", None) for n in SHARED],
    *[(f"{ANN}.name", v) for v in ("", None)],
    *[(f"{ANN}.body", v) for v in (None, Body(np.zeros((22, 3))), Body(np.full((22, 3), NAN)), Body(np.ones((21, 3))))],
    (f"{ANN}.body", Body(average_body().offsets * 1e6)),
    *[(f"{ANN}.{n}", v) for n in ("keys", "pins") for v in (3, (None,))],
    (f"{ANN}.path", 3),
    *[(f"{ANN}.path.times", v) for v in [*ARRAY, np.array([0, 1.0]), np.array([0, 2.0, 1]), np.array([0, 1.0, 2.5])]],
    *[(f"{ANN}.path.times", np.array([NAN, v, 2.0])) for v in (0.0, -1.0, 0.4, 1.6, INF)],
    *[(f"{ANN}.path.points", v) for v in [*ARRAY, np.full((3, 2), NAN), np.full((3, 2), 1e9), np.zeros((1, 2))]],
    *[(f"{ANN}.path.{n}", v) for n in ("sparse", "raw") for v in FLAG],
    *[(f"{ANN}.path.{n}", v) for n in ("earliest", "latest") for v in [*ARRAY[1:], np.full(3, 3.0), np.full(3, -1.0)]],
    (f"{ANN}.path.earliest", np.array([NAN, 1.6, NAN])),
    *[(f"{ANN}.path.heading", v) for v in ("north", None, FREE, "along")],
    *[(f"{ANN}.path.headings", v) for v in [*ARRAY, np.zeros(2), np.full(3, NAN), np.full(3, INF)]],
    *[(f"{ANN}.path.heights", v) for v in [*ARRAY[1:], np.zeros(2), np.full(3, INF)]],
    *[(f"{ANN}.path.weight", v) for v in (NAN, -0.1, 1.1)],
    *[(f"{ANN}.keys[0].time", v) for v in (NAN, INF, -0.1, 2.1, None)],
    *[(f"{ANN}.keys[0].rotations", v) for v in [*ARRAY, POSE * 0, POSE * 1.1, POSE * NAN, POSE[:21]]],
    *[(f"{ANN}.keys[0].joints", v) for v in (("tail",), ("head", "head"), "head", 3, (3,))],
    *[(f"{ANN}.keys[0].root", v) for v in [*ARRAY[1:], np.full(3, NAN), np.full(3, 1e6)]],
    *[(f"{ANN}.keys[0].places", v) for v in [*ARRAY[1:], places(head=[0, 0, NAN]), places(head=[0, 0, INF])]],
    *[(f"{ANN}.keys[0].tolerance", v) for v in (-0.1, NAN, INF, None)],
    *spanned(f"{ANN}.pins[0]", ("joint", "tail"), ("joint", None), ("place", np.full(3, NAN)), ("place", np.ones(2))),
    *[(f"{ANN}.pins[0].rotation", v) for v in (np.zeros(4), np.full(4, NAN), np.ones(3))],
    *[(f"{BEN}.motion", v) for v in (3, random_motion(0, 60), replace(LEADER, root=LEADER.root * NAN))],
    (f"{BEN}.motion", replace(LEADER, rotations=LEADER.rotations * 0)),
    (f"{BEN}.motion", replace(LEADER, body=average_body().scaled(1.1))),
    (f"{BEN}.motion", replace(LEADER, fps=25.0)),
    (f"{BEN}.motion", replace(LEADER, body=Body(average_body().offsets.tolist()))),
    *[(f"{BEN}.motion", replace(LEADER, **{n: getattr(LEADER, n).tolist()})) for n in ("root", "rotations")],
    *[(f"{BEN}.keep", v) for v in [*ARRAY[1:], np.zeros((60, 22)), np.zeros((61, 21))]],
    *[(f"{BEN}.keep", np.full((61, 22), v)) for v in (-0.1, 1.1, NAN, INF)],
    *[(f"{BEN}.vary.strength", v) for v in (-0.1, 1.1, NAN, None)],
    *[(f"{BEN}.vary.joints", v) for v in (("tail",), (), "head")],
    *[(f"{BEN}.vary.{name}", v) for name, v in SPAN],
    *spanned("contacts[0]", ("distance", -0.1), ("distance", NAN), ("distance", INF)),
    *[(f"contacts[0].{n}", (who, "head")) for n in ("first", "second") for who in (2, -1, None, 0.5)],
    *[(f"contacts[0].{n}", v) for n in ("first", "second") for v in ((0, "tail"), "head", (0,), None)],
    ("contacts[0].first", (1, "left_wrist")),
    *spanned("spacings[0]", ("least", -0.1), ("least", NAN), ("least", 3.0)),
    *[("spacings[0].most", v) for v in (-0.1, NAN, np.ones(3))],
    *spanned("facings[0]", ("character", 2), ("character", -1), ("character", None), ("character", 0.5)),
    *spanned("look_ats[0]", ("character", 2), ("character", -1)),
    *[(f"{n}[0].target", v) for n in ("facings", "look_ats") for v in (None, Target(), Target(True, ONE), Target(1))],
    *[(f"{n}[0].target", Target(point=v)) for n in ("facings", "look_ats") for v in (np.full(3, NAN), np.ones(2), "x")],
    *[(f"{n}[0].target", Target(direction=v)) for n in ("facings", "look_ats") for v in (ONE, np.full(3, NAN))],
    ("facings[0].target", Target(direction=np.array([0, 0, 1.0]))),
    *spanned("syncs[0]", ("mirror", None), ("weight", HARD)),
    *spanned("solos[0]", ("weight", 1.1), ("weight", HARD), ("joints", ()), ("joints", ("tail",))),
    *spanned("obstacles[0]", ("margin", -0.1), ("margin", NAN), ("joints", ("tail",)), ("joints", ()), ("shape", None)),
    *[(f"obstacles[{i}].shape.radius", v) for i in (0, 1) for v in (-0.1, NAN, INF)],
    *[(f"obstacles[{i}].shape.centre", v) for i in (0, 2) for v in [*ARRAY, np.full(3, NAN)]],
    *[(f"obstacles[1].shape.{n}", v) for n in ("start", "stop") for v in [*ARRAY, np.full(3, NAN)]],
    *[("obstacles[2].shape.half", v) for v in [*ARRAY, np.full(3, -0.1), np.full(3, NAN)]],
    *[("obstacles[2].shape.rotation", v) for v in [*ARRAY, np.zeros(4), np.full(4, 2.0)]],
    *[("obstacles[3].shape.values", v) for v in [*ARRAY, np.ones((3, 3)), np.ones((1, 3, 3)), np.full((2, 2, 2), NAN)]],
    *[("ground.heights", v) for v in [*ARRAY[:2], np.zeros(3), np.zeros((1, 3)), np.full((2, 2), NAN)]],
    *[(f"{n}.{f}", v) for n in ("obstacles[3].shape", "ground") for f in ("cell", "angle") for v in (NAN, INF, None)],
    *[(f"{n}.cell", v) for n in ("obstacles[3].shape", "ground") for v in (0.0, -0.1)],
    *[(f"{n}.origin", v) for n in ("obstacles[3].shape", "ground") for v in [*ARRAY, np.full(3, NAN)]],
    ("ground", 3),
    *[("words[0].text", v) for v in ("", "  ", None, 3, "x" * 3000)],
    *[(f"words[0].{name}", v) for name, v in SPAN],
]  # fmt: skip


# Fields that contradict another one of the same owner: either may be named.
OF_A_PAIR = ("times", "points", "earliest", "latest", "heading", "headings", "least", "most", "first")


def test_a_request_with_every_kind_is_valid():
    asked = everything()
    assert validate(asked) is asked


@pytest.mark.parametrize(("path", "value"), BAD, ids=lambda v: v if isinstance(v, str) and "[" in v else None)
def test_every_field_out_of_range_is_named_by_its_path(path, value):
    with pytest.raises(RequestError) as refusal:
        validate(changed(everything(), path, value))
    message = str(refusal.value)
    # A pair that disagrees is named by one of the two; else the message begins with the field itself.
    start = re.match(r"[\w\[\].]*", message).group().removesuffix(".")
    owner, field = path.rsplit(".", 1) if "." in path else ("", path)
    family = owner if field in OF_A_PAIR else path
    assert start.startswith(family), message
    assert message.endswith(".") and ": " in message


def fields_of(kind, seen):
    """All dataclasses of data.py that a field's type leads to."""
    if dataclasses.is_dataclass(kind) and kind.__module__ == data.__name__ and kind not in seen:
        seen.add(kind)
        for f in dataclasses.fields(kind):
            fields_of(f.type, seen)
    for inner in typing.get_args(kind) if isinstance(kind, types.UnionType) or typing.get_origin(kind) else ():
        fields_of(inner, seen)
    return seen


OWNERS = {
    "Character": "characters", "Path": "path", "Key": "keys", "Pin": "pins", "Vary": "vary", "Contact": "contacts",
    "Spacing": "spacings", "Facing": "facings", "LookAt": "look_ats", "Sync": "syncs", "Obstacle": "obstacles",
    "Ground": "ground", "Words": "words", "Solo": "solos", "Sphere": "shape", "Capsule": "shape",
    "Box": "shape", "Grid": "shape",
}  # fmt: skip
WITHIN = {"Character.vary"}  # checked by its own fields; targets stand in the table as wholes


def test_no_field_is_left_unchecked():
    """A new field of any dataclass must find its way into the table above."""
    tried = {re.sub(r"\[\d+\]", "", path) for path, _ in BAD}
    ends = {".".join(path.split(".")[-2:]) for path in tried}
    missing = {
        f"{kind.__name__}.{f.name}"
        for kind in fields_of(Request, set()) - {Target}
        for f in dataclasses.fields(kind)
        if (f.name if kind is Request else f"{OWNERS[kind.__name__]}.{f.name}") not in ends
    }
    assert missing == WITHIN


# --- anything whatever ------------------------------------------------------------------------------------------------

PATHS = sorted({path for path, _ in BAD})
JUNK = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=4), st.sampled_from([v for _, v in BAD])
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), JUNK), min_size=1, max_size=3))
@settings(max_examples=400)
def test_nothing_but_the_typed_error_is_raised(changes):
    asked = everything()
    for path, value in changes:
        try:
            asked = changed(asked, path, value)
        except (TypeError, AttributeError, IndexError):  # an earlier change took the owner away
            continue
    try:
        assert validate(asked) is asked
    except RequestError as error:
        assert re.match(r"\w[\w\[\].]*: .*\.$", str(error), re.DOTALL)
