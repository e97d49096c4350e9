"""All constraints of a request together: which there are, their rows, and how far an answer is from each."""

from dataclasses import dataclass

import numpy as np

from ..request import HARD, Request
from . import facing, ground, keys, obstacles, paths, pins, spacing, together, touch
from .rows import Poses, join


@dataclass(frozen=True)
class Item:
    """One constraint: where it stands in the request, whom it is about (-1: everybody), and how firmly it binds."""

    field: str
    kind: str
    weight: float
    what: object
    person: int = -1
    index: int = 0


@dataclass(frozen=True)
class _Case:
    """What rows and errors are computed from."""

    request: Request
    poses: Poses
    key_frames: tuple

    def key(self, item):
        """Arguments of a key: person, frame, body."""
        return item.person, self.key_frames[item.person][item.index], self.request.characters[item.person].body

    @property
    def follower(self):
        """Who follows in a Sync: the second, unless that one is there already."""
        return 0 if self.request.characters[1].given else 1

    @property
    def foot_heights(self):
        """Of all persons `[P, 4]`."""
        return np.stack([c.body.foot_heights for c in self.request.characters])


# kind -> (its rows of item, case, number; its errors of item, case)
_KINDS = {
    "path": (
        lambda i, c, n: paths.rows(i.what, c.poses, n, i.person),
        lambda i, c: paths.errors(i.what, c.poses, i.person),
    ),
    "key": (
        lambda i, c, n: keys.rows(i.what, c.poses, n, *c.key(i)),
        lambda i, c: keys.errors(i.what, c.poses, *c.key(i)),
    ),
    "pin": (
        lambda i, c, n: pins.rows(i.what, c.poses, n, i.person),
        lambda i, c: pins.errors(i.what, c.poses, i.person),
    ),
    "contact": (lambda i, c, n: touch.rows(i.what, c.poses, n), lambda i, c: touch.errors(i.what, c.poses)),
    "spacing": (lambda i, c, n: spacing.rows(i.what, c.poses, n), lambda i, c: spacing.errors(i.what, c.poses)),
    "facing": (lambda i, c, n: facing.rows(i.what, c.poses, n), lambda i, c: facing.errors(i.what, c.poses)),
    "look-at": (lambda i, c, n: facing.rows(i.what, c.poses, n), lambda i, c: facing.errors(i.what, c.poses)),
    "sync": (
        lambda i, c, n: together.rows(i.what, c.poses, n, c.follower),
        lambda i, c: together.errors(i.what, c.poses, c.follower),
    ),
    "obstacle": (lambda i, c, n: obstacles.rows(i.what, c.poses, n), lambda i, c: obstacles.errors(i.what, c.poses)),
    "ground": (
        lambda i, c, n: ground.rows(i.what, c.poses, n, c.foot_heights),
        lambda i, c: ground.errors(i.what, c.poses, c.foot_heights),
    ),
}
_SHARED = (
    ("contacts", "contact"), ("spacings", "spacing"), ("facings", "facing"), ("look_ats", "look-at"),
    ("syncs", "sync"), ("obstacles", "obstacle"),
)  # fmt: skip


def constraints(request):
    """Every constraint of a request as an Item, in an order that stays: an Item's place is its number in Rows."""
    out = []
    for p, character in enumerate(request.characters):
        where = f"characters[{p}]"
        if character.path is not None:
            out.append(Item(f"{where}.path", "path", character.path.weight, character.path, p))
        out += [Item(f"{where}.keys[{i}]", "key", HARD, k, p, i) for i, k in enumerate(character.keys)]
        out += [Item(f"{where}.pins[{i}]", "pin", k.weight, k, p, i) for i, k in enumerate(character.pins)]
    for name, kind in _SHARED:
        out += [Item(f"{name}[{i}]", kind, k.weight, k, index=i) for i, k in enumerate(getattr(request, name))]
    if request.ground is not None:
        out.append(Item("ground", "ground", ground.WEIGHT, request.ground))
    return out


def items(request):
    """Every constraint as (number, field, kind, weight): `(3, "characters[0].pins[1]", "pin", inf)`."""
    return [(number, item.field, item.kind, item.weight) for number, item in enumerate(constraints(request))]


def gather(request, poses, key_frames, hard_only=False, keyed=None, listed=None):
    """The Rows of all constraints of a request.

    `key_frames`: for each person the frame of each of its keys, in their order. `hard_only`: those with weight HARD
    alone. `keyed`, `listed`: the rows of keys (gather_keys) and all `constraints`, where they are at hand. Rows about a
    person that is given are there as well: whoever solves them leaves that person where it is.
    """
    case, parts = _Case(request, poses, key_frames), []
    for number, item in enumerate(constraints(request) if listed is None else listed):
        if item.kind != "key" and item.weight != 0 and not (hard_only and np.isfinite(item.weight)):
            parts.append(_KINDS[item.kind][0](item, case, number))
    return join([*parts, gather_keys(request, poses, key_frames) if keyed is None else keyed])


def gather_keys(request, poses, key_frames):
    """The Rows of all keys of a request."""
    found = {}
    for number, item in enumerate(constraints(request)):
        if item.kind == "key":
            found.setdefault(item.person, []).append((item.what, number, key_frames[item.person][item.index]))
    return join([keys.rows_of_all(some, poses, p, request.characters[p].body) for p, some in found.items()])


def residuals(request, poses, key_frames):
    """How far poses are from every constraint, on all frames that it binds.

    A dict an item: "field", "kind", and where it binds places "worst_cm" and "mean_cm" (distances from path, key, pin
    or the contact's distance; how far spacing is out of its range; how deep obstacles and ground are entered, margins
    and flesh counted), where it binds turns "worst_deg" and "mean_deg".
    """
    case, out = _Case(request, poses, key_frames), []
    for item in constraints(request):
        metres, radians = _KINDS[item.kind][1](item, case)
        entry = {"field": item.field, "kind": item.kind}
        if len(metres):
            entry |= {"worst_cm": 100 * float(metres.max()), "mean_cm": 100 * float(metres.mean())}
        if len(radians):
            entry |= {"worst_deg": float(np.degrees(radians.max())), "mean_deg": float(np.degrees(radians.mean()))}
        out.append(entry)
    return out
