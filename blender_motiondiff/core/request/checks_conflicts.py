"""Two things that bind the same joint at the same moment and disagree: refused, with both named.

Only what contradicts itself for certain is refused: what one thing says of a joint is compared with what the other says
of it. What depends on the rest of the motion (reach, obstacles, a path beside a key) is left to the solve.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .. import rotations as rot
from ..motion import forward_kinematics, resample
from ..skeleton import COUNT, INDEX, JOINTS, PARENTS
from .checks_values import At, refuse
from .data import HARD

PLACE = 1e-3  # metres, for a leg of 0.85 m, by which two things may disagree
ANGLE = np.radians(0.1)
SAME_TIME = 1e-6  # seconds
ANCESTORS = np.zeros((COUNT, COUNT), bool)  # [j, k]: k lies on the way from the pelvis to j
for _j in range(COUNT):
    ANCESTORS[_j] = ANCESTORS[PARENTS[_j]] if _j else False
    ANCESTORS[_j, _j] = True


def check_conflicts(at, request):
    """Raises RequestError for hard keys, pins, contacts, spacings and facings that contradict each other."""
    for number, character in enumerate(request.characters):
        where = At(at.of("characters").item(number).path, character.name)
        told = _told(character) if character.keys else None
        if told is not None:
            _check_keys(where.of("keys"), character, told)
            _check_kept(where.of("keys"), character, told)
        _check_pins(where.of("pins"), character, request.duration)
        _check_pins_and_keys(where.of("pins"), character, told, request.duration)
    _check_contacts(at.of("contacts"), request)
    _check_spacings(at.of("spacings"), request)
    _check_facings(at.of("facings"), request)


# --- keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Told:
    """What K keys say of every joint: turns `[K, 22, 4]`, places `[K, 22, 3]`, and which are bound `[K, 22]`."""

    times: np.ndarray
    local: np.ndarray
    world: np.ndarray
    places: np.ndarray
    turned: np.ndarray
    turned_in_world: np.ndarray
    placed: np.ndarray
    exact: np.ndarray  # [K] keys without tolerance


def _told(character):
    keys = character.keys
    local = np.stack([np.asarray(k.rotations, float) for k in keys])
    turned = np.zeros((len(keys), COUNT), bool)
    for row, key in zip(turned, keys):
        row[[INDEX[j] for j in key.joints]] = True
    rooted = np.array([k.root is not None for k in keys])
    roots = np.stack([np.zeros(3) if k.root is None else np.asarray(k.root, float) for k in keys])
    places, world = forward_kinematics(roots, local, character.body.offsets)
    # A joint's turn in the world hangs on every joint above it; its place on those and on the pelvis' place.
    whole = ~((~turned)[:, None, :] & ANCESTORS).any(-1)
    placed = np.zeros((len(keys), COUNT), bool)
    placed[:, 0] = rooted
    placed[:, 1:] = whole[:, PARENTS[1:]] & rooted[:, None]
    for k, key in enumerate(keys):
        if key.places is not None:
            own = np.asarray(key.places, float)
            bound = np.isfinite(own).all(1)
            places[k, bound & ~placed[k]] = own[bound & ~placed[k]]
            placed[k] |= bound
    exact = np.array([k.tolerance == 0 for k in keys])
    return _Told(np.array([k.time for k in keys]), local, world, places, turned, whole, placed, exact)


def _check_keys(at, character, told):
    """A key against itself (its places and its pose), and against others at the same time."""
    near = PLACE * character.body.size
    for k, key in enumerate(character.keys):
        if key.places is not None and told.exact[k]:
            gap = np.nan_to_num(np.linalg.norm(np.asarray(key.places, float) - told.places[k], axis=-1))
            if gap.max() > near:
                what = f"the place of {JOINTS[gap.argmax()]} and the pose of the same key"
                _apart(at.item(k).of("places"), what, gap.max(), "Leave one out.")
    exact = np.flatnonzero(told.exact)
    order = exact[np.argsort(told.times[exact], kind="stable")]
    for group in np.split(order, np.flatnonzero(np.diff(told.times[order]) > SAME_TIME) + 1):
        for i, k in combinations(group.tolist(), 2):
            _check_two_keys(at, told, i, k, near)


def _check_two_keys(at, told, i, k, near):
    other = at.item(i).path
    both = told.turned[i] & told.turned[k]
    angle = np.where(both, rot.angle_between(told.local[i], told.local[k]), 0.0)
    if angle.max() > ANGLE:
        joint = JOINTS[int(angle.argmax())]
        _turned(
            at.item(k).of("rotations"),
            f"{joint} here and in {other}, at the same time",
            angle.max(),
            "Remove one, or give it a tolerance.",
        )
    gap = np.where(told.placed[i] & told.placed[k], np.linalg.norm(told.places[i] - told.places[k], axis=-1), 0.0)
    if gap.max() > near:
        joint = JOINTS[int(gap.argmax())]
        _apart(
            at.item(k),
            f"the place of {joint} here and in {other}, at the same time",
            gap.max(),
            "Remove one, or give it a tolerance.",
        )


def _check_kept(at, character, told):
    """Keys against what is wholly kept of a motion at their times."""
    if character.motion is None or character.keep is None or character.vary is not None:
        return
    frame = np.clip(np.rint(told.times * character.motion.fps), 0, len(character.keep) - 1).astype(int)
    kept = np.asarray(character.keep)[frame] >= 1
    there = resample(character.motion, told.times)
    angle = rot.angle_between(there.rotations, told.local) * (kept & told.turned) * told.exact[:, None]
    if angle.max() > ANGLE:
        k, j = np.unravel_index(angle.argmax(), angle.shape)
        _turned(
            at.item(k).of("rotations"),
            f"{JOINTS[j]} here and the motion, which is kept there",
            angle[k, j],
            "Lower `keep` around the key, or remove it.",
        )
    gap = np.linalg.norm(there.root - told.places[:, 0], axis=-1) * (kept & told.placed)[:, 0] * told.exact
    if gap.max() > PLACE * character.body.size:
        k = int(gap.argmax())
        _apart(
            at.item(k).of("root"),
            "the pelvis here and in the motion, which is kept there",
            gap[k],
            "Lower `keep` around the key, or remove it.",
        )


# --- pins -------------------------------------------------------------------------------------------------------------


def _spans(items, duration):
    """Start and end of items `[N, 2]`, seconds."""
    return np.array([(i.start, duration if i.end is None else i.end) for i in items], float).reshape(-1, 2)


def _overlapping(spans):
    """Pairs (i, k), i < k, of spans that share a moment."""
    meet = np.maximum(spans[:, None, 0], spans[None, :, 0]) <= np.minimum(spans[:, None, 1], spans[None, :, 1])
    return np.argwhere(np.triu(meet, 1))


def _check_pins(at, character, duration):
    """Hard pins of one joint that overlap in time."""
    hard = [n for n, p in enumerate(character.pins) if p.weight == HARD]
    for joint in {character.pins[n].joint for n in hard}:
        own = np.array([n for n in hard if character.pins[n].joint == joint])
        for i, k in own[_overlapping(_spans([character.pins[n] for n in own], duration))]:
            one, two = character.pins[i], character.pins[k]
            between, remedy = f"{joint} here and in {at.item(i).path}", "End the one before the other begins."
            if one.place is not None and two.place is not None:
                gap = float(np.linalg.norm(np.subtract(one.place, two.place)))
                if gap > PLACE * character.body.size:
                    _apart(at.item(k).of("place"), between, gap, remedy)
            if one.rotation is not None and two.rotation is not None:
                angle = float(rot.angle_between(np.asarray(one.rotation), np.asarray(two.rotation)))
                if angle > ANGLE:
                    _turned(at.item(k).of("rotation"), between, angle, remedy)


def _check_pins_and_keys(at, character, told, duration):
    """Hard pins against keys within their spans, where the key says where the joint is."""
    if told is None:
        return
    for n, pin in enumerate(character.pins):
        if pin.weight != HARD:
            continue
        end = duration if pin.end is None else pin.end
        j = INDEX[pin.joint]
        within = told.exact & (told.times >= pin.start - SAME_TIME) & (told.times <= end + SAME_TIME)
        if pin.place is not None:
            gap = np.linalg.norm(told.places[:, j] - np.asarray(pin.place, float), axis=-1)
            gap = gap * (within & told.placed[:, j])
            if gap.max() > PLACE * character.body.size:
                _apart(
                    at.item(n).of("place"),
                    f"{pin.joint} here and in {_key(at, gap.argmax())}",
                    gap.max(),
                    "Move the pin, shorten it, or change the key.",
                )
        if pin.rotation is not None:
            angle = rot.angle_between(told.world[:, j], np.asarray(pin.rotation, float))
            angle = angle * (within & told.turned_in_world[:, j])
            if angle.max() > ANGLE:
                _turned(
                    at.item(n).of("rotation"),
                    f"{pin.joint} here and in {_key(at, angle.argmax())}",
                    angle.max(),
                    "Turn the pin, shorten it, or change the key.",
                )


def _key(at, number):
    return f"{at.path.removesuffix('pins')}keys[{number}]"


# --- between characters -----------------------------------------------------------------------------------------------


def _check_contacts(at, request):
    """Hard contacts of the same two joints at different distances, or of joints that pins hold elsewhere."""
    hard = [n for n, c in enumerate(request.contacts) if c.weight == HARD]
    pairs = {}
    for n in hard:
        pairs.setdefault(frozenset((tuple(request.contacts[n].first), tuple(request.contacts[n].second))), []).append(n)
    near = PLACE * min(c.body.size for c in request.characters)
    for own in map(np.array, pairs.values()):
        for i, k in own[_overlapping(_spans([request.contacts[n] for n in own], request.duration))]:
            gap = abs(request.contacts[i].distance - request.contacts[k].distance)
            if gap > near:
                _apart(
                    at.item(k).of("distance"),
                    f"it and that of {at.item(i).path}, of the same joints",
                    gap,
                    "End the one before the other begins.",
                )
    for n in hard:
        _check_contact_of_pins(at.item(n), request.contacts[n], request, near)


def _check_contact_of_pins(at, contact, request, near):
    first, second = (
        [p for p in request.characters[who].pins if p.joint == joint and p.place is not None and p.weight == HARD]
        for who, joint in (contact.first, contact.second)
    )
    for one in first:
        for two in second:
            spans = _spans([contact, one, two], request.duration)
            gap = abs(float(np.linalg.norm(np.subtract(one.place, two.place))) - contact.distance)
            if spans[:, 0].max() <= spans[:, 1].min() and gap > near:
                _apart(
                    at.of("distance"),
                    "it and the distance of the pins that hold both joints",
                    gap,
                    "Remove a pin, or move it.",
                )


def _check_spacings(at, request):
    hard = np.array([n for n, s in enumerate(request.spacings) if s.weight == HARD], int)
    for i, k in hard[_overlapping(_spans([request.spacings[n] for n in hard], request.duration))]:
        one, two = request.spacings[i], request.spacings[k]
        gap = max(one.least, two.least) - min(one.most, two.most)
        if gap > PLACE:
            _apart(at.item(k), f"its range and that of {at.item(i).path}", gap, "End the one before the other begins.")


def _check_facings(at, request):
    """Hard facings of one character in different directions."""
    hard = np.array(
        [n for n, f in enumerate(request.facings) if f.weight == HARD and f.target.direction is not None], int
    )
    for i, k in hard[_overlapping(_spans([request.facings[n] for n in hard], request.duration))]:
        one, two = request.facings[i], request.facings[k]
        ways = [np.asarray(f.target.direction, float)[:2] for f in (one, two)]
        angle = abs(np.angle(np.exp(1j * (np.arctan2(*ways[0]) - np.arctan2(*ways[1])))))
        if one.character == two.character and angle > ANGLE:
            _turned(
                at.item(k).of("target"),
                f"its direction and that of {at.item(i).path}",
                angle,
                "End the one before the other begins.",
            )


def _apart(at, what, metres, remedy):
    refuse(at, f"{what} disagree by {100 * metres:.1f} cm", remedy)


def _turned(at, what, radians, remedy):
    refuse(at, f"{what} disagree by {np.degrees(radians):.1f} degrees", remedy)
