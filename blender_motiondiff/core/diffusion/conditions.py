"""A request and its course -> what the network is given for a window of frames: base, spread and observations."""

from dataclasses import dataclass, replace

import numpy as np

from .. import reference as ref
from .. import rotations as rot
from .. import words
from ..constraints.rows import Poses
from ..denoiser.layout import PATCH
from ..features import CONTACTS, POSITIONS, ROTATIONS, SIZE, VELOCITIES, encode
from ..reference import PARTNER, PATH
from ..request import moved, with_bodies_scaled
from ..skeleton import COUNT, INDEX, PARENTS, measures_of

HORIZONTAL = np.array([3 * j + k for j in range(1, COUNT) for k in (0, 1)])
# Joints whose place the network was taught to take as known; pins of others are left to the solve.
PINNED = frozenset(INDEX[j] for j in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "head"))


@dataclass(frozen=True)
class Conditions:
    """Arrays of P persons over the T frames of a window, in the shared frame; T is made up to whole tokens.

    What each take has of its own is `[takes, P, T, ...]`, float32.
    """

    base: np.ndarray
    spread: np.ndarray
    given: np.ndarray
    free: np.ndarray  # 1 where nothing is observed
    place: np.ndarray  # [P, T, 2]
    heading: np.ndarray  # [P, T]


def human_scale(request):
    """(request in a world where the body to be generated has size 1, the factor that takes its answer back)."""
    size = next(c.body.size for c in request.characters if not c.given)
    return with_bodies_scaled(request, 1.0 / size), size


def in_shared_frame(request):
    """(request seen from the first person's first frame, that frame's heading, its place)."""
    place, heading = _first_frame(request.characters[0])
    shift = -rot.rotate(rot.about_z(-heading), np.array([*place, 0.0]))
    return moved(request, -heading, shift), heading, np.array([*place, 0.0])


def _first_frame(character):
    if character.motion is not None:
        root, turn = character.motion.root[0], character.motion.rotations[0, 0]
        return root[:2], float(rot.heading(turn))
    if character.path is not None:
        points = np.asarray(character.path.points, float)
        way = points[np.linalg.norm(points - points[0], axis=1).argmax()] - points[0]
        return points[0], float(np.arctan2(way[0], -way[1]))
    rooted = [k for k in character.keys if k.root is not None]
    if not rooted:
        return np.zeros(2), 0.0
    return np.asarray(rooted[0].root)[:2], float(rot.heading(rooted[0].rotations[0]))


# --- what is observed -------------------------------------------------------------------------------------------------


def _observe(character, person, times, part):
    """World features `[T, 268]` and mask of what is known of one person in the frames `part` (a slice) of the clip."""
    frames = part.stop - part.start
    features, mask = np.zeros((frames, SIZE), np.float32), np.zeros((frames, SIZE), bool)
    # An unknown pelvis is taken to be at its frame's place, so that places of hands and feet can be told from there.
    features[:, :2] = person.place[part]
    if person.motion is not None:
        _observe_motion(features, mask, person, part)
    if person.contacts is not None:
        known = ~np.isnan(person.contacts[part])
        features[:, CONTACTS] = np.where(known, person.contacts[part], features[:, CONTACTS])
        mask[:, CONTACTS] |= known
    if character.given:
        return features, mask
    for key, frame in zip(character.keys, person.key_frames):
        if part.start <= frame < part.stop:
            _observe_key(features[frame - part.start], mask[frame - part.start], key, character.body)
    if person.source != PARTNER:
        _observe_pins(features, mask, character.pins, times[part])
    return features, mask


def _observe_motion(features, mask, person, part):
    """What is kept of an existing motion: rotations, the pelvis' place, and places that hang on kept joints alone."""
    root, rotations, offsets = person.motion.root[part], person.motion.rotations[part], person.motion.body.offsets
    row = encode(root, rotations, offsets, np.zeros((len(root), 4)))
    known = person.known[part]
    hangs = known.copy()
    for j in range(1, COUNT):
        hangs[:, j] &= hangs[:, PARENTS[j]]
    told = np.concatenate([np.repeat(hangs, 3, -1), np.repeat(hangs & known.all(1, keepdims=True), 3, -1),
                           np.repeat(known, 6, -1), np.repeat(known.all(1)[:, None], 4, -1)], -1)  # fmt: skip
    mask |= told
    features[told] = row[told]


def _observe_key(row, mask, key, body):
    """Puts one key into a frame's features `[268]` and mask."""
    root = np.array([*row[:2], 0.0]) if key.root is None else np.asarray(key.root, float)
    pose = encode(root[None], np.asarray(key.rotations, float)[None], body.offsets, np.zeros((1, 4)))[0]
    bound = [INDEX[j] for j in key.joints]
    told = np.zeros(SIZE, bool)
    for j in bound:
        told[ROTATIONS.start + 6 * j : ROTATIONS.start + 6 * j + 6] = True
    told[:3] = key.root is not None
    if len(bound) == COUNT:
        told[HORIZONTAL] = True
        told[POSITIONS] |= key.root is not None
    row[told] = pose[told]
    if key.root is None and len(bound) == COUNT:
        row[:2] = root[:2]
    mask |= told
    if key.places is not None:
        for j in np.flatnonzero(np.isfinite(key.places).all(1) & np.isin(np.arange(COUNT), list(PINNED))):
            row[3 * j : 3 * j + 3] = key.places[j]
            mask[3 * j : 3 * j + 3] = True


def _observe_pins(features, mask, pins, times):
    """Pinned places, where the network knows what to make of them and nothing says otherwise already."""
    poses = Poses(times, None, None, None)
    for pin in pins:
        j = INDEX[pin.joint]
        if pin.place is None or j not in PINNED or pin.weight == 0:
            continue
        end = times[-1] if pin.end is None else pin.end
        if pin.start > times[-1] or end < times[0]:
            continue
        frames = poses.frames_between(pin.start, pin.end)
        frames = frames[~mask[frames, 3 * j]]
        features[frames, 3 * j : 3 * j + 3] = pin.place
        mask[frames, 3 * j : 3 * j + 3] = True


# --- what the network is given ----------------------------------------------------------------------------------------


def build(request, courses, tables, part, bare=False):
    """Conditions for the frames `part` (a slice) of all takes, whose courses these are.

    Takes differ in their planned contacts alone, so all else is settled once, from the first. `bare`: without keys and
    pins; only paths, and whoever is animated already, are known.
    """
    course = courses[0]
    asked = [_without_keys(c) if bare else c for c in request.characters]
    seen = [_observe(c, p, course.times, part) for c, p in zip(asked, course.people, strict=True)]
    place = np.stack([p.place[part] for p in course.people])
    heading = np.stack([p.heading[part] for p in course.people])
    sources = np.array([p.source for p in course.people])
    features, mask = (np.stack(rows) for rows in zip(*seen, strict=True))
    observed, known = features.copy(), mask[..., : CONTACTS.start].any(-1)
    if known.any():
        observed[known] = ref.to_relative(features[known], place[known], heading[known])
    # Whoever is animated already may be of any size: the network sees them at size 1, in their own frames.
    sizes = np.array([c.body.size if c.given else 1.0 for c in asked])
    if (sizes != 1.0).any():
        observed[..., : VELOCITIES.stop] /= sizes[:, None, None]
    base = ref.base_of(tables, sources, observed, mask, place, heading)
    told = ref.given(tables, sources, base, mask, *_besides(request, course, part, sources, mask, place, heading))
    out = [_for_each(rows, len(courses)) for rows in (base, ref.spread(tables, sources, mask), told, ~mask)]
    for p, own in enumerate(sources):
        if len(courses) > 1 and not asked[p].given and course.people[p].contacts is not None:
            planned = np.stack([c.people[p].contacts[part] for c in courses])
            rows = _contacts(tables, own, planned, observed[p], mask[p])
            standard = ref.standardised(tables, own, rows, CONTACTS)
            out[0][:, p, : len(mask[p]), CONTACTS], out[2][:, p, : len(mask[p]), CONTACTS] = rows, standard
    for rows in out:
        rows[:, :, mask.shape[1] :] = rows[:, :, mask.shape[1] - 1 : mask.shape[1]]
    held = np.minimum(np.arange(out[0].shape[2]), mask.shape[1] - 1)
    return Conditions(*out, place[:, held], heading[:, held])


def _besides(request, course, part, sources, mask, place, heading):
    """What the network is told besides: frames and bodies (reference.extras), and what is said."""
    bodies = [c.body for c in request.characters]
    other = np.arange(len(bodies))[::-1]
    present = np.full(len(bodies), float(len(bodies) == 2))
    measures = np.array([list(vars(measures_of(b)).values()) for b in bodies]) / [[b.size] for b in bodies]
    extra = ref.extras(sources, mask, place, heading, place[other], heading[other], present, measures)
    return extra, np.broadcast_to(spoken(request.words, course.times[part]), (*heading.shape, words.COUNT))


def _for_each(rows, takes):
    """Rows `[P, T, K]` for every take `[takes, P, T', K]`, with room for whole tokens."""
    persons, frames, size = rows.shape
    if takes == 1 and frames % PATCH == 0 and rows.dtype == np.float32:
        return rows[None]
    out = np.empty((takes, persons, frames + -frames % PATCH, size), np.float32)
    out[:, :, :frames] = rows
    return out


def _contacts(tables, source, planned, observed, mask):
    """The base's contacts `[takes, T, 4]` of one person from the planned ones, NaN where open."""
    takes, frames, feet = planned.shape
    told = np.where(np.isnan(planned), observed[:, CONTACTS], planned).swapaxes(0, 1).reshape(frames, -1)
    mean = np.tile(tables.mean[source][CONTACTS], takes)
    rows = ref.interpolate(told, np.tile(mask[:, CONTACTS], takes), mean, source == PATH)
    return rows.reshape(frames, takes, feet).swapaxes(0, 1)


def spoken(asked, times):
    """What the words of a request say at `times [T]`: channels `[T, words.COUNT]` (words.encode) of all that hold."""
    out = np.zeros((len(times), words.COUNT), np.float32)
    poses = Poses(times, None, None, None)
    for one in asked:
        frames = poses.frames_between(one.start, one.end)
        out[frames] = np.maximum(out[frames], words.encode(one.text) > 0)
    return out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1.0)


def _without_keys(character):
    return character if character.given else replace(character, keys=(), pins=())
