"""Where everybody is about, settled for the whole clip before the network runs: thin arrays, whatever its length.

From a request follow the grid of times, each person's heading-and-place frames (core.reference), the path that binds
the pelvis, the planned steps, and what is kept of an existing motion.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import reference as ref
from .. import rotations as rot
from ..cleanup.contacts import label_contacts
from ..constraints import footfalls, gait
from ..constraints.ground import over_ground
from ..constraints.trajectory import bend_to_keys, headings_at, sample_path, smooth_pelvis
from ..motion import FPS, Motion, forward_kinematics, positions, resample
from ..reference import OWN, PARTNER, PATH
from ..request import GIVEN, RequestError
from ..skeleton import COUNT, FEET, INDEX, LEGS
from .timing import SAME_TIME, time_grid

KEPT = 0.5  # share from which a joint of an existing motion is shown to the network as known
HEADING_SMOOTHING = 0.15  # seconds, of a path before its direction is taken
COASTING = 1.6  # seconds after which somebody who walked on beyond what is kept has come to a stop
RAMP = 0.4  # seconds over which a wish about facing comes and goes
IN_STEP = 1.5  # metres within which somebody who goes along with another one keeps step with them
REACH = 0.4  # metres, for a leg of 0.85 m, that somebody who is known by pins alone stands away from them
_LEG_JOINTS = {name for leg in LEGS for name in leg}


@dataclass(frozen=True)
class Person:
    """What is settled of one person.

    `source`: where its frames come from (core.reference); `place [T, 2]`, `heading [T]`: those frames. `target [T, 2]`:
    the path that binds its pelvis, None without one; `waypoints`: frames and points `[K, 2]` of a sparse path, else
    None. `bends`: metres that each rooted key bent the path. `key_frames`: the frame of each key, in their order.
    `motion`: an existing motion on the clip's grid, and `known [T, 22]` which joints of it are known.
    `contacts [T, 4]`: planned or kept ones, NaN where open; None where all are open.
    """

    source: int
    place: np.ndarray
    heading: np.ndarray
    target: np.ndarray | None
    waypoints: tuple | None
    bends: tuple
    key_frames: tuple
    motion: Motion | None
    known: np.ndarray | None
    contacts: np.ndarray | None


@dataclass(frozen=True)
class Course:
    """`times [T]` seconds, keys and waypoints lying on them exactly; `people`: a Person each."""

    times: np.ndarray
    people: tuple


def flattened(request):
    """The request as the network sees it: what is asked over uneven ground is asked as high over a flat one."""
    if request.ground is None:
        return request

    def lowered(places):
        return None if places is None else over_ground(request.ground, places)

    def flat(character):
        keys = tuple(replace(k, root=lowered(k.root), places=lowered(k.places)) for k in character.keys)
        pins = tuple(replace(p, place=lowered(p.place)) for p in character.pins)
        motion = character.motion
        if motion is not None and not character.given:
            motion = replace(motion, root=lowered(motion.root))
        return replace(character, keys=keys, pins=pins, motion=motion)

    return replace(request, characters=tuple(flat(c) for c in request.characters))


def settle(request, takes=1):
    """The Courses of some takes of a request that is timed, in the shared frame, of human size. Raises RequestError.

    They differ in the planned steps alone.
    """
    times, placed = time_grid(request)
    people = [_alone(c, times, placed) for c in request.characters]
    if all(p.source == PARTNER for p in people):
        name = request.characters[0].name
        raise RequestError(
            f"characters[0]: the keys of {name} bind no place. Key the hips' location as well, or draw a path."
        )
    people = [_beside(p, people[1 - i], request, times) if p.source == PARTNER else p for i, p in enumerate(people)]
    people = [_faced(i, p, people, request, times) for i, p in enumerate(people)]
    return [Course(times, tuple(_stepping(request, people, times, take))) for take in range(takes)]


def _stepping(request, people, times, take):
    """The persons of one take with the steps that it plans."""
    beside = [p.source == PARTNER and people[1 - i].source == PATH and not request.syncs for i, p in enumerate(people)]
    rng = [np.random.default_rng([request.seed, take, i]) for i in range(len(people))]
    phases = [
        _phase(c, p, r) if walks or _steps_along(c, p) else None
        for c, p, r, walks in zip(request.characters, people, rng, beside, strict=True)
    ]
    if request.syncs and all(p is not None for p in phases):
        led = phases[0] + 0.5 * request.syncs[0].mirror  # in the mirror the left foot goes with the right one
        phases[1] = _phase(request.characters[1], people[1], rng[1], led)
    for number, phase in enumerate(phases):
        if phase is not None and (led := _led(number, request, people, phases)) is not None:
            phases[number] = _phase(request.characters[number], people[number], rng[number], led)
    people = [
        p if phase is None else _with_steps(c, p, phase, times)
        for c, p, phase in zip(request.characters, people, phases, strict=True)
    ]
    for number, person in enumerate(people):
        if request.syncs and person.source == PARTNER and people[1 - number].contacts is not None:
            people[number] = _stepping_with(person, people[1 - number], request.syncs[0], times)
    return people


def _led(number, request, people, phases):
    """Phase `[T]` in which person `number` keeps step with a partner walked along with, on a way laid for it.

    Left with left; hand in hand, one's left with the other's right, as the arms between them swing together then. None
    where nobody is gone along with.
    """
    path = request.characters[number].path
    if len(people) != 2 or request.syncs or path is None or path.weight > 0:
        return None
    own, other = people[number], people[1 - number]
    near = np.linalg.norm(own.place - other.place, axis=-1) < IN_STEP
    along = np.cos(own.heading - other.heading) > 0.5
    if (near & along).mean() < 0.5:
        return None
    led = gait.phase_of_contacts(other.contacts) if request.characters[1 - number].given else phases[1 - number]
    held = [c for c in request.contacts if c.first[0] != c.second[0]]
    sides = [{joint.split("_")[0] for _, joint in (c.first, c.second)} for c in held]
    return led + 0.5 if led is not None and {"left", "right"} in sides else led


# --- one person by itself ---------------------------------------------------------------------------------------------


def _alone(character, times, placed):
    key_frames = tuple(placed[k.time] for k in character.keys)
    motion = None if character.motion is None else resample(character.motion, times)
    known = None if motion is None else _known(character, times)
    source, place, heading, target, waypoints, bends = _frames(character, times, placed, motion, known)
    contacts = None
    if known is not None:
        labels = label_contacts(positions(motion), motion.body, FPS).astype(float)
        legs = known[:, [0, 1, 4, 7, 10]].all(1), known[:, [0, 2, 5, 8, 11]].all(1)
        contacts = np.where(np.stack([legs[0], legs[0], legs[1], legs[1]], -1), labels, np.nan)
        if source == OWN and character.keep is not None:
            contacts = _stepping_on(contacts, place, character.body)
    elif source == OWN:
        contacts = _stepping_between(character, key_frames, times)
    return Person(source, place, heading, target, waypoints, bends, key_frames, motion, known, contacts)


def _stepping_between(character, key_frames, times):
    """Contacts `[T, 4]` planned between full keys that bind a place, NaN where open; None without two of them."""
    full = [
        (f, k) for f, k in zip(key_frames, character.keys, strict=True) if k.root is not None and len(k.joints) == COUNT
    ]
    full.sort(key=lambda item: item[0])
    if len(full) < 2:
        return None
    root, turns = (np.stack([np.asarray(getattr(k, n), float) for _, k in full]) for n in ("root", "rotations"))
    places, _ = forward_kinematics(root, turns, character.body.offsets)
    return footfalls.between_keys(len(times), [f for f, _ in full], turns, places, character.body)


def _known(character, times):
    """Joints `[T, 22]` of an existing motion that the network is shown as they are."""
    known = np.ones((len(times), COUNT), bool) if character.keep is None else np.asarray(character.keep) >= KEPT
    if character.vary is not None:
        known &= ~varied(character.vary, times)
    return known


def varied(vary, times):
    """Joints `[T, 22]` that may change."""
    end = times[-1] if vary.end is None else vary.end
    inside = (times >= vary.start - 1e-6) & (times <= end + 1e-6)
    return inside[:, None] & np.isin(np.arange(COUNT), [INDEX[j] for j in vary.joints])[None]


def _frames(character, times, placed, motion, known):
    """(source, place `[T, 2]`, heading `[T]`, path target, waypoints, bends) of one person; None where it has none."""
    if motion is not None and (known[:, 0].all() or (character.vary is not None and character.path is None)):
        return OWN, *ref.own_frames(motion.root[:, :2], rot.heading(motion.rotations[:, 0])), None, None, ()
    rooted = sorted(((placed[k.time], k) for k in character.keys if k.root is not None), key=lambda item: item[0])
    if character.path is not None:
        return _along(character.path, times, placed, rooted)
    at = np.array([frame for frame, _ in rooted], int)
    places = np.array([k.root[:2] for _, k in rooted]).reshape(-1, 2)
    headed = sorted(
        (placed[k.time], float(rot.heading(np.asarray(k.rotations)[0]))) for k in character.keys if "pelvis" in k.joints
    )
    turned_at, headings = np.array([f for f, _ in headed], int), np.array([a for _, a in headed])
    if motion is not None and known[:, 0].any():
        return _through(motion, np.flatnonzero(known[:, 0]), at, places, turned_at, headings)
    if len(at):
        heights = [k.root[2] for _, k in rooted]
        at, places = footfalls.beside_pinned(character.pins, times, at, places, heights, character.body)
        return OWN, *ref.keyed_frames(len(times), at, places, turned_at, headings), None, None, ()
    if motion is not None:  # its pelvis is kept nowhere, yet that is where they were
        return OWN, *ref.own_frames(motion.root[:, :2], rot.heading(motion.rotations[:, 0])), None, None, ()
    pinned = [p.place[:2] for p in character.pins if p.place is not None]
    if pinned:
        place = np.mean(pinned, 0) + [0.0, REACH * character.body.size]
        return OWN, np.tile(place, (len(times), 1)), np.zeros(len(times)), None, None, ()
    return PARTNER, None, None, None, None, ()


def _along(path, times, placed, rooted):
    """Frames along a path; where it is dense, it is what binds the pelvis, bent to keyed places."""
    target = sample_path(path, times)
    key_times = [times[frame] for frame, _ in rooted]
    target, bends = bend_to_keys(target, times, key_times, [k.root[:2] for _, k in rooted])
    # Smoothed hips overshoot a sudden stop and come back: what they face is told by the path itself.
    heading = ref.path_heading(ref.smooth(target, HEADING_SMOOTHING))
    if not path.raw:
        target = smooth_pelvis(target)
    if path.heading == GIVEN:
        heading = headings_at(path, times)
    waypoints = None
    if path.sparse:
        waypoints = np.array([placed[float(t)] for t in path.times]), np.asarray(path.points, float)
    return PATH, target, heading, target, waypoints, tuple(bends)


def _through(motion, kept, at, places, turned_at, headings):
    """Frames of somebody who is partly known: their own where kept, between and beyond led on from there."""
    frames = motion.frames
    own_place, own_heading = ref.own_frames(motion.root[:, :2], rot.heading(motion.rotations[:, 0]))
    extra = ~np.isin(at, kept)
    order = np.argsort(np.concatenate([kept, at[extra]]), kind="stable")
    known_at = np.concatenate([kept, at[extra]])[order]
    known_place = np.concatenate([own_place[kept], places[extra]])[order]
    turned = ~np.isin(turned_at, kept)
    order = np.argsort(np.concatenate([kept, turned_at[turned]]), kind="stable")
    turn_at = np.concatenate([kept, turned_at[turned]])[order]
    turn = np.concatenate([rot.unwrap(own_heading)[kept], headings[turned]])[order]
    place, heading = ref.keyed_frames(frames, known_at, known_place, turn_at, turn)
    return OWN, _coasting(place, known_at), heading, None, None, ()


def _coasting(place, known_at):
    """Places `[T, 2]` led on with the speed they had before the first and after the last known frame, slowing down."""
    out = place.copy()
    first, last = known_at[0], known_at[-1]
    span = min(6, last - first)
    if span < 2:
        return out
    decay = COASTING * FPS / 2
    after, before = np.arange(1, len(place) - last), np.arange(1, first + 1)
    speed = (place[last] - place[last - span]) / span
    out[last + 1 :] = place[last] + speed * (decay * (1 - np.exp(-after / decay)))[:, None]
    speed = (place[first] - place[first + span]) / span
    out[:first] = (place[first] + speed * (decay * (1 - np.exp(-before / decay)))[:, None])[::-1]
    return out


def _full_keys(character, person):
    """(frame, local rotations) of the full poses among a person's keys, in time."""
    keys = zip(person.key_frames, character.keys, strict=True)
    return sorted(((f, np.asarray(k.rotations)) for f, k in keys if len(k.joints) == COUNT), key=lambda item: item[0])


def _phase(character, person, rng, led=None):
    return gait.plan_phase(person.place, character.body, rng, _full_keys(character, person), phase_from=led)


def _steps_along(character, person):
    """Whether steps follow from the pelvis' way: on a path, and between keys of upright hips with free legs."""
    if person.source == PATH:
        return True
    hips = [k for k in character.keys if k.root is not None]
    if person.source != OWN or person.motion is not None or person.contacts is not None or len(hips) < 2:
        return False
    return not any(_LEG_JOINTS & {*k.joints} for k in hips) and all(
        footfalls.upright(k.root[2], character.body) for k in hips
    )


def _with_steps(character, person, phase, times):
    """The person with contacts planned from the phase of its steps `[T]`; kept ones stay, pinned feet stand."""
    planned = gait.contacts_at(phase, gait.path_speed(person.place, character.body.size))
    for pin in character.pins:
        if pin.place is None or INDEX[pin.joint] not in FEET:
            continue
        number, end = FEET.index(INDEX[pin.joint]), times[-1] if pin.end is None else pin.end
        if pin.place[2] - character.body.foot_heights[number] < footfalls.PINNED_LOW * character.body.size:
            planned[(times >= pin.start - SAME_TIME) & (times <= end + SAME_TIME), number] = 1.0
    if person.contacts is not None:
        planned = np.where(np.isnan(person.contacts), planned, person.contacts)
    return replace(person, contacts=planned)


def _stepping_on(contacts, place, body):
    """Contacts `[T, 4]` of somebody who walks on where a motion is no longer kept, with the steps they last had."""
    known = ~np.isnan(contacts).any(1)
    if known.all() or not known.any():
        return contacts
    speed = gait.path_speed(place, body.size)
    out = contacts.copy()
    first, last = np.flatnonzero(known)[[0, -1]]
    if last < len(place) - 1 and speed[last + 1] > gait.STILL:
        out[last + 1 :] = gait.carried_on(contacts[: last + 1], speed, body.size)[last + 1 :]
    if first > 0 and speed[first - 1] > gait.STILL:
        back = gait.carried_on(contacts[first:][::-1], speed[::-1], body.size)[::-1]
        out[:first] = back[:first]
    return out


def _stepping_with(person, leader, sync, times):
    """Somebody beside the leader with the leader's contacts while they are in sync; the other foot's in the mirror."""
    inside = (times >= sync.start) & (times <= (times[-1] if sync.end is None else sync.end))
    led = leader.contacts[:, [2, 3, 0, 1]] if sync.mirror else leader.contacts
    return replace(person, contacts=np.where(inside[:, None], led, np.nan))


# --- one beside the other ---------------------------------------------------------------------------------------------


def _beside(person, other, request, times):
    """Frames of somebody without a place of their own: in front of the partner, as near as the spacing allows."""
    sizes = np.array([c.body.size for c in request.characters])
    apart = np.full(len(times), ref.PARTNER_DISTANCE * sizes.mean())
    for spacing in request.spacings:
        share = share_in_time(times, spacing.start, spacing.end)
        apart += share * (np.clip(apart, spacing.least, spacing.most) - apart)
    place, heading = ref.facing(other.place, other.heading, apart[:, None])
    return replace(person, place=place, heading=heading)


def _faced(number, person, people, request, times):
    """The person with its frames turned as facings wish; somebody who is known already stays."""
    heading = person.heading
    if not request.characters[number].given:
        for facing in request.facings:
            if facing.character == number:
                wanted = wanted_heading(facing.target, person.place, people[-1 - number].place)
                share = share_in_time(times, facing.start, facing.end) * min(facing.weight, 1.0)
                off = (wanted - heading + np.pi) % (2 * np.pi) - np.pi
                heading = heading + share * rot.unwrap(off)
    return replace(person, heading=heading)


def wanted_heading(target, place, partner_place):
    """Headings `[T]` (radians) from places `[T, 2]` towards a Target."""
    if target.direction is not None:
        way = np.broadcast_to(np.asarray(target.direction, float)[:2], place.shape)
    else:
        way = (partner_place if target.partner else np.asarray(target.point, float)[:2]) - place
    return np.arctan2(way[..., 0], -way[..., 1])


def share_in_time(times, start, end):
    """1 from `start` to `end` seconds, going smoothly to 0 over RAMP seconds outside. `[T]`."""
    last = times[-1] if end is None else end
    away = np.maximum(np.maximum(start - times, times - last), 0.0) / RAMP
    u = np.clip(1.0 - away, 0.0, 1.0)
    return u * u * (3 - 2 * u)
