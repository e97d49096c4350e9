"""Hypothesis strategies for whole requests: every kind of constraint, alone and mixed, and some of them spoilt.

Structure (which kinds, how many, when, how firmly) is drawn by Hypothesis; long arrays come from drawn seeds, since
nobody could make sense of them shrunk number by number.
"""

import dataclasses
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from blender_motiondiff.core import request as ask
from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.request import HARD, Character, Contact, Key, Path, Pin, Request, Target, Vary, Words
from blender_motiondiff.core.skeleton import COUNT, INDEX, JOINTS, Body, average_body, make_body

from .made_motion import swinging
from .samples import bodies as measures
from .samples import quaternions, random_motion, standing

NAN, INF = np.nan, np.inf
KINDS = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles", "ground", "words", "solos")
joint = st.sampled_from(JOINTS)
some_joints = st.lists(joint, min_size=1, max_size=6, unique=True).map(tuple)
joints = st.one_of(some_joints, st.just(JOINTS))
share = st.floats(0.0, 1.0)
numbers = st.integers(0, 2**32 - 1).map(np.random.default_rng)  # where arrays come from
# --- a character ------------------------------------------------------------------------------------------------------


def now_and_then(often=4):
    """True once in about `often` times; shrinks to False."""
    return st.integers(0, often - 1).map(lambda n: n == often - 1)


@st.composite
def bodies(draw):
    """Adults, children, giants and dolls, and bodies with limbs that nobody has."""
    body = average_body() if draw(now_and_then(3)) else make_body(draw(measures))
    if draw(now_and_then(3)):
        odd = draw(numbers).uniform(0.3, 2.5, (COUNT, 1))
        if draw(st.booleans()):
            odd[[INDEX[j] for j in draw(some_joints)]] = draw(st.sampled_from([1e-6, 1e-2, 4.0]))
        body = Body(body.offsets * odd)
    return body.scaled(draw(st.sampled_from([1.0, 1.0, 0.1, 0.5, 2.0, 10.0])))


@dataclasses.dataclass(frozen=True)
class Around:
    """What strategies have to know of the rest: the clip's length, a character's body, where it is about."""

    duration: float
    frames: int
    body: Body
    place: np.ndarray
    people: int

    def near(self, draw, reach=1.0):
        """A place `[3]` near the character, mostly within its reach."""
        rng, size = draw(numbers), self.body.size
        reach = reach * draw(st.sampled_from([1.0, 0.5, 2.0, 30.0] if draw(now_and_then(5)) else [0.7]))
        return np.append(self.place, 0.9 * size) + rng.uniform(-reach, reach, 3) * size

    def moments(self, draw):
        """`start`, `end`: within the clip and in order."""
        a, b = sorted((draw(share) * self.duration, draw(share) * self.duration))
        return {"start": draw(st.sampled_from([a, 0.0])), "end": draw(st.sampled_from([b, b, None]))}


weights = st.sampled_from([HARD, HARD, HARD, 1.0, 0.3, 10.0, 0.0])
wishes = st.sampled_from([1.0, 1.0, 0.3, 10.0, 0.0])


@st.composite
def poses(draw):
    """Local rotations `[22, 4]`: of a standing body that moves a little, or anything."""
    seed = draw(st.integers(0, 2**31))
    return quaternions(seed, COUNT) if draw(now_and_then(5)) else swinging(2, seed).rotations[1]


@st.composite
def paths(draw, a):
    rng, count = draw(numbers), draw(st.integers(2, 6))
    sparse = draw(st.booleans())
    times = np.sort(rng.uniform(0, a.duration, count)) if draw(st.booleans()) else np.linspace(0, a.duration, count)
    heading = draw(st.sampled_from([ask.ALONG, ask.ALONG, ask.FREE, ask.GIVEN]))
    speed = draw(st.sampled_from([1.0, 0.3, 3.0, 30.0, 0.02 if heading == ask.ALONG else 0.0])) * a.body.size
    steps = rng.normal(size=(count, 2)) * speed * a.duration / count
    points, fields = a.place + np.cumsum(steps, 0) - steps[0], {}
    spread = rng.uniform(0.0, 0.4, (2, count)) * a.duration
    for name, bound in (("earliest", times - spread[0]), ("latest", times + spread[1])):
        if draw(now_and_then(4)):
            bound = np.clip(bound, 0.0, a.duration)
            fields[name] = np.where(rng.random(count) < 0.5, NAN, bound)
    if draw(now_and_then(3)):
        times = np.where(rng.random(count) < 0.5, NAN, times)
    if heading == ask.GIVEN:
        fields["headings"] = rng.uniform(-7, 7, count)
    if draw(now_and_then(3)):
        heights = a.body.standing_height * rng.uniform(0.5, 1.5, count)
        fields["heights"] = np.where(rng.random(count) < 0.3, NAN, heights)
    weight = draw(st.sampled_from([HARD, HARD, 1.0, 0.5, 0.0]))
    return Path(times, points, sparse, heading=heading, raw=draw(st.booleans()), weight=weight, **fields)


@st.composite
def keys(draw, a, part):
    """A key in one part of the clip (a number from 0 to 2); now and then anywhere, also where another one is."""
    rotations, kind = draw(poses()), draw(st.sampled_from(["full", "rooted", "rooted", "part", "places"]))
    time = (part + draw(share)) / 3 * a.duration
    if draw(now_and_then(8)):
        time = draw(st.sampled_from([0.0, a.duration, 0.5 * a.duration]))
    root = a.near(draw, 0.5) if kind == "rooted" or (kind == "full" and draw(st.booleans())) else None
    tolerance = draw(st.sampled_from([0.05, 0.3])) * a.body.size if draw(now_and_then(5)) else 0.0
    if kind in ("full", "rooted"):
        return Key(time, rotations, JOINTS, root, tolerance=tolerance)
    places, bound = None, draw(joints)
    if kind == "places":
        places, bound = np.full((COUNT, 3), NAN), draw(st.sampled_from([(), bound]))
        for name in draw(some_joints)[:3]:
            places[INDEX[name]] = a.near(draw)
        if draw(st.booleans()):  # those that some pose has, so that they can be met
            root = a.near(draw, 0.3)
            placed, _ = forward_kinematics(root, rotations, a.body.offsets)
            places, root = np.where(np.isnan(places), NAN, placed), None
    return Key(time, rotations, bound, root, places, tolerance)


@st.composite
def pins(draw, a):
    what = draw(st.sampled_from(["place", "place", "rotation", "both"]))
    name = draw(st.one_of(st.sampled_from(["left_wrist", "right_wrist", "left_ankle", "right_ankle", "head"]), joint))
    place = a.near(draw) if what != "rotation" else None
    turn = quaternions(draw(st.integers(0, 2**31)), 1)[0] if what != "place" else None
    return Pin(name, **a.moments(draw), place=place, rotation=turn, weight=draw(weights))


@st.composite
def motions(draw, a):
    """An existing motion on the clip's frames: moving, standing, or without any sense."""
    seed, kind = draw(st.integers(0, 2**31)), draw(st.sampled_from(["swinging", "swinging", "standing", "random"]))
    if kind == "random":
        return random_motion(seed, a.frames, a.body)
    motion = standing(a.frames, a.body) if kind == "standing" else swinging(a.frames, seed, body=a.body)
    shift = np.append(a.place - motion.root[0, :2], 0.0)
    return replace(motion, root=motion.root + shift)


@st.composite
def keeps(draw, a):
    """Shares `[T, 22]` of an existing motion that stay: spans of time, parts of the body, soft edges, anything."""
    keep, rng = np.zeros((a.frames, COUNT)), draw(numbers)
    for _ in range(draw(st.integers(1, 3))):
        first, last = sorted(draw(st.tuples(st.integers(0, a.frames), st.integers(0, a.frames))))
        keep[first:last, [INDEX[j] for j in draw(joints)]] = draw(st.sampled_from([1.0, 1.0, 0.7]))
    kernel = np.ones(draw(st.sampled_from([1, 1, 5, 9])))
    keep = np.apply_along_axis(np.convolve, 0, keep, kernel / kernel.sum(), "same")
    keep = rng.random(keep.shape) if draw(now_and_then(6)) else keep
    return np.clip(keep, 0.0, 1.0)


@st.composite
def characters(draw, duration, people, number):
    body, frames = draw(bodies()), int(round(duration * 30)) + 1
    place = draw(numbers).uniform(-3, 3, 2) * draw(st.sampled_from([1.0, 0.0, 100.0]))
    a = Around(duration, frames, body, place, people)
    known = draw(st.sampled_from(["", "", "", "keep", "vary", "both"]))
    if people == 2 and not number and draw(now_and_then(3)):
        known = "given"
    motion = draw(motions(a)) if known else None
    keep = draw(keeps(a)) if known in ("keep", "both") else None
    vary = Vary(draw(share), draw(joints), **a.moments(draw)) if known in ("vary", "both") else None
    fields = {}
    if known != "given":
        kinds = draw(st.sets(st.sampled_from(["path", "keys", "pins"]), min_size=0 if number or known else 1))
        fields["path"] = draw(paths(a)) if "path" in kinds else None
        fields["keys"] = tuple(draw(keys(a, i)) for i in range(draw(st.integers(1, 3)))) if "keys" in kinds else ()
        fields["pins"] = tuple(draw(st.lists(pins(a), min_size=1, max_size=3))) if "pins" in kinds else ()
    return Character(f"Person {number + 1}", body, motion=motion, keep=keep, vary=vary, **fields), a


# --- characters with each other, and the world ------------------------------------------------------------------------


@st.composite
def targets(draw, a):
    kind = draw(st.sampled_from(["partner", "point", "direction"] if a.people == 2 else ["point", "direction"]))
    if kind == "partner":
        return Target(partner=True)
    if kind == "point":
        return Target(point=a.near(draw, 3.0))
    return Target(direction=draw(numbers).normal(size=3))


@st.composite
def contacts(draw, a):
    who, other = draw(st.integers(0, a.people - 1)), draw(st.integers(0, a.people - 1))
    name, second = draw(joint), draw(joint)
    if (who, name) == (other, second) and not draw(now_and_then(10)):
        second = JOINTS[INDEX[name] - 1]
    ends = (who, name), (other, second)
    distance = draw(st.sampled_from([0.0, 0.0, 0.05, 0.5])) * a.body.size
    return Contact(*ends, distance, **a.moments(draw), weight=draw(weights))


@st.composite
def spacings(draw, a):
    least, most = sorted(draw(st.tuples(share, share)))
    reach = 3.0 * a.body.size
    most = draw(st.sampled_from([most * reach, HARD]))
    return ask.Spacing(least * reach, most, **a.moments(draw), weight=draw(weights))


def turns(kind):
    @st.composite
    def made(draw, a):
        who = draw(st.integers(0, a.people - 1))
        return kind(who, draw(targets(a)), **a.moments(draw), weight=draw(st.one_of(wishes, weights)))

    return made


@st.composite
def syncs(draw, a):
    return ask.Sync(draw(st.booleans()), **a.moments(draw), weight=draw(wishes))


@st.composite
def solos(draw, a):
    joints = draw(st.sampled_from([JOINTS, ("head",), JOINTS[:5]]))
    return ask.Solo(joints, **a.moments(draw), weight=draw(st.sampled_from([0.0, 0.3, 1.0])))


@st.composite
def shapes(draw, a):
    kind, size = draw(st.sampled_from([ask.Sphere, ask.Capsule, ask.Box, ask.Grid])), a.body.size
    centre, radius = a.near(draw, 1.5), draw(st.sampled_from([0.2, 0.0, 0.5, 5.0])) * size
    if kind is ask.Sphere:
        return ask.Sphere(centre, radius)
    if kind is ask.Capsule:
        return ask.Capsule(centre, draw(st.sampled_from([centre, a.near(draw)])), radius)
    if kind is ask.Box:
        half = np.array([radius, 0.5 * radius, draw(st.sampled_from([0.0, 0.3])) * size])
        return ask.Box(centre, half, quaternions(draw(st.integers(0, 2**31)), 1)[0])
    rng, counts = draw(numbers), draw(st.tuples(*[st.integers(2, 7)] * 3))
    cell = 0.3 * size
    way = np.stack(np.meshgrid(*[np.arange(n) - 0.5 * (n - 1) for n in counts], indexing="ij"), -1) * cell
    values = np.linalg.norm(way, axis=-1) - radius
    values = rng.normal(size=counts) * size if draw(now_and_then(4)) else values
    return ask.Grid(centre + way[0, 0, 0], cell, values, draw(st.floats(-4, 4)))


@st.composite
def obstacles(draw, a):
    margin = draw(st.sampled_from([0.0, 0.02, 0.3])) * a.body.size
    return ask.Obstacle(draw(shapes(a)), margin, draw(joints), **a.moments(draw), weight=draw(weights))


@st.composite
def grounds(draw, a):
    rng, counts = draw(numbers), draw(st.tuples(st.integers(2, 9), st.integers(2, 9)))
    cell = draw(st.sampled_from([0.5, 0.1, 3.0])) * a.body.size
    steep = draw(st.sampled_from([0.1, 0.0, 1.0])) * cell
    origin = a.place - 0.5 * cell * np.array(counts)
    return ask.Ground(origin, cell, rng.normal(size=counts) * steep, draw(st.floats(-4, 4)))


@st.composite
def words(draw, a):
    said = ["walk", "somebody dances", "jump. jump!", "Ґанок", "?", "run 3 m", draw(st.text(max_size=12))]
    return Words(draw(st.sampled_from(said)), **a.moments(draw))


SHARED = {
    "contacts": contacts, "spacings": spacings, "facings": turns(ask.Facing), "look_ats": turns(ask.LookAt),
    "syncs": syncs, "obstacles": obstacles, "words": words, "solos": solos,
}  # fmt: skip

# --- whole requests ---------------------------------------------------------------------------------------------------

durations = st.one_of(st.floats(0.5, 1.5), st.sampled_from([0.5, 1.0, 0.55, 1.2345]))


@st.composite
def requests(draw):
    """Requests that are meant to be generated; some of them contradict themselves."""
    duration = draw(st.sampled_from([2.0, 4.7, 8.1, 9.0, 13.37, 20.0])) if draw(now_and_then(50)) else draw(durations)
    people = draw(st.integers(1, 2))
    cast = [draw(characters(duration, people, i)) for i in range(people)]
    a = draw(st.sampled_from([around for _, around in cast]))
    kinds = set() if draw(now_and_then(3)) else draw(st.sets(st.sampled_from(KINDS), min_size=1, max_size=4))
    if people == 1:
        kinds -= {"spacings", "syncs", "solos"}
    fields = {
        name: tuple(draw(st.lists(SHARED[name](a), min_size=1, max_size=2))) for name in sorted(kinds & {*SHARED})
    }
    if "ground" in kinds:
        fields["ground"] = draw(grounds(a))
    if draw(st.booleans()):
        fields |= {
            "seed": draw(st.integers(0, 2**63 - 1)), "takes": draw(st.integers(1, 3)),
            "sampler": draw(st.sampled_from(ask.SAMPLERS)), "steps": draw(st.integers(1, 4)),
            "repaint": draw(st.sampled_from([1, 1, 2])), "cleanup": draw(st.booleans()),
            "constraint_guidance": draw(st.sampled_from([1.0, 1.0, 0.0, 2.5, 100.0])),
            "text_guidance": draw(st.sampled_from([1.0, 0.0, 5.0])),
        }  # fmt: skip
    return Request(tuple(c for c, _ in cast), duration, **fields)


# --- spoilt ones ------------------------------------------------------------------------------------------------------

NUMBERS = (NAN, INF, -INF, -1, -0.1, 0, 1e-9, 1e9, 1e300, 10**400, 3.7, None, "0.5", True, (1.0,), 1j, np.float32(0.3))
TEXTS = ("", "tail", " ", 3, None, "x" * 3000, b"head", ("head",), "hips\n")
LISTS = ((), None, 3, "head", (None,), ("tail",), ("head", "head"), ({},), [[]], (3,))
ANYTHING = (None, 3, "x", (), {}, NAN, object())


def spots(value, path=()):
    """Paths to every field, item and array of a request: tuples of names and numbers."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield (*path, field.name)
            yield from spots(getattr(value, field.name), (*path, field.name))
    elif isinstance(value, tuple | list) and not all(isinstance(v, str | int) for v in value):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from spots(item, (*path, number))


def at(value, path):
    for name in path:
        value = value[name] if isinstance(name, int) else getattr(value, name)
    return value


def put(value, path, new):
    """The request with another value at a path."""
    if not path:
        return new
    name, *rest = path
    if isinstance(name, int):
        return tuple(put(v, rest, new) if i == name else v for i, v in enumerate(value))
    return replace(value, **{name: put(getattr(value, name), rest, new)})


@st.composite
def spoilt_values(draw, old):
    """A value that does not belong where `old` stands, or just about."""
    if isinstance(old, np.ndarray) and old.size:
        kind = draw(st.sampled_from(["hole", "hole", "shape", "many", "other"]))
        if kind == "hole":
            new = np.array(old, float)
            new.flat[draw(st.integers(0, old.size - 1))] = draw(
                st.sampled_from([NAN, INF, -INF, -1.0, 0.0, 1e9, 1e300])
            )
            return new
        if kind == "shape":
            shorter, flat, added = old[:-1], old.ravel(), old[None]
            return draw(st.sampled_from([shorter, flat, added, old[..., :-1], np.zeros(0), np.zeros((0, *old.shape))]))
        if kind == "many":
            return draw(
                st.sampled_from([old * NAN, old * 0, old * -1, old * 1e6, old.tolist(), old.astype(np.float32)])
            )
        return draw(st.sampled_from([*ANYTHING, "abc", [["a"]], [[1, 2], [3]], old.astype(object), old + 1j]))
    if isinstance(old, bool):
        return draw(st.sampled_from([None, 0, 1, "yes", NAN, not old]))
    if isinstance(old, float | int):
        return draw(st.sampled_from(NUMBERS))
    if isinstance(old, str):
        return draw(st.sampled_from(TEXTS))
    if isinstance(old, tuple | list):
        twice = (*old, *old)
        return draw(st.sampled_from([*LISTS, twice, (*old, None), list(old)]))
    return draw(st.sampled_from([*ANYTHING, np.zeros(3), 0.5, "along"]))


@st.composite
def spoilt_requests(draw):
    """Requests with one to three fields broken; what is broken may still happen to mean something."""
    request = draw(requests())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(spots(request))))
        request = put(request, path, draw(spoilt_values(at(request, path))))
    return request


mixed_requests = st.one_of(requests(), requests(), requests(), spoilt_requests())
