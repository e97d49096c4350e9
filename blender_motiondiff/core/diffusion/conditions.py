"""A request -> what the network is given: each person's frames, base, spread and observations, in the shared frame."""

from dataclasses import dataclass

import numpy as np

from .. import reference as ref
from .. import rotations as rot
from ..constraints import gait
from ..constraints.trajectory import bend_to_keys, sample_path, smooth_pelvis
from ..features import CONTACTS, POSITIONS, ROTATIONS, SIZE, VELOCITIES, encode
from ..motion import FPS, forward_kinematics, resample
from ..reference import OWN, PARTNER, PATH
from ..request import RequestError, moved, with_bodies_scaled
from ..skeleton import COUNT, INDEX, measures_of

HORIZONTAL = np.array([3 * j + k for j in range(1, COUNT) for k in (0, 1)])


@dataclass(frozen=True)
class Conditions:
    """Arrays of P persons over T frames, in the shared frame."""

    times: np.ndarray  # [T] seconds; keys lie on it exactly
    sources: np.ndarray  # [P]
    mask: np.ndarray  # [P, T, 268] what is observed
    base: np.ndarray  # [P, T, 268]
    spread: np.ndarray  # [P, T, 268]
    given: np.ndarray  # [P, T, GIVEN]
    place: np.ndarray  # [P, T, 2]
    heading: np.ndarray  # [P, T]
    paths: tuple  # per person: the smoothed pelvis' target [T, 2] or None
    key_frames: tuple  # per person: frames of its keys
    bends: tuple  # per person: metres that each key bent the path


def human_scale(request):
    """(request in a world where the body to be generated has size 1, the factor that takes its answer back)."""
    size = next(c.body.size for c in request.characters if c.motion is None)
    return with_bodies_scaled(request, 1.0 / size), size


def time_grid(request):
    """Times `[T]` near 30 a second, bent by at most half a frame so that every key lies on it; and the keys' frames."""
    frames = request.frames
    wanted = sorted({k.time for c in request.characters for k in c.keys})
    anchors, taken = {0: 0.0, frames - 1: (frames - 1) / FPS}, set()
    placed = {}
    for when in wanted:
        nearest = int(np.clip(round(when * FPS), 0, frames - 1))
        free = [f for f in sorted(range(frames), key=lambda f: abs(f - when * FPS))[:3] if f not in taken]
        if not free:
            raise RequestError(
                f"Too many keys lie near {when:.2f} s: poses are met {FPS:.0f} times a second. Remove some of them."
            )
        frame = nearest if nearest in free else free[0]
        taken.add(frame)
        anchors[frame] = when
        placed[when] = frame
    index = sorted(anchors)
    values = [anchors[i] for i in index]
    if np.any(np.diff(values) <= 0):
        raise RequestError("Keys lie closer together than the motion's frames can follow. Remove some of them.")
    return np.interp(np.arange(frames), index, values), placed


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
        points = np.asarray(character.path.points)
        way = points[np.linalg.norm(points - points[0], axis=1).argmax()] - points[0]
        return points[0], float(np.arctan2(way[0], -way[1]))
    rooted = [k for k in character.keys if k.root is not None]
    if not rooted:
        return np.zeros(2), 0.0
    return rooted[0].root[:2], float(rot.heading(rooted[0].rotations[0]))


# --- one person -------------------------------------------------------------------------------------------------------


def _observe(character, times, placed):
    """World features `[T, 268]` and mask of what a person's motion or keys bind."""
    frames = len(times)
    features, mask = np.zeros((frames, SIZE)), np.zeros((frames, SIZE), bool)
    if character.motion is not None:
        motion = resample(character.motion, times)
        features[:] = encode(motion.root, motion.rotations, motion.body.offsets, np.zeros((frames, 4)))
        mask[:] = True
        return features, mask
    for key in character.keys:
        frame = placed[key.time]
        root = np.zeros(3) if key.root is None else np.asarray(key.root, float)
        row = encode(root[None], np.asarray(key.rotations)[None], character.body.offsets, np.zeros((1, 4)))[0]
        features[frame] = row
        bound = [INDEX[j] for j in key.joints]
        for j in bound:
            mask[frame, ROTATIONS.start + 6 * j : ROTATIONS.start + 6 * j + 6] = True
        if key.root is not None:
            mask[frame, :3] = True
        if len(bound) == COUNT:
            mask[frame, HORIZONTAL] = True
            if key.root is not None:
                mask[frame, POSITIONS] = True
    return features, mask


def _rooted(character, placed):
    return [(placed[k.time], k) for k in sorted(character.keys, key=lambda k: k.time) if k.root is not None]


def _frames(character, features, mask, times, placed):
    """(source, place `[T, 2]`, heading `[T]`, path target or None, bends) of one person; place None if it has none."""
    if character.motion is not None:
        heading = rot.heading(resample(character.motion, times).rotations[:, 0])
        return OWN, *ref.own_frames(features[:, :2], heading), None, ()
    rooted = _rooted(character, placed)
    if character.path is not None:
        target = sample_path(character.path, times)
        target, bends = bend_to_keys(target, times, [k.time for _, k in rooted], [k.root[:2] for _, k in rooted])
        target = smooth_pelvis(target)
        return PATH, target, ref.path_heading(target), target, tuple(bends)
    if rooted:
        at = [frame for frame, _ in rooted]
        headed = sorted(
            (placed[k.time], float(rot.heading(k.rotations[0]))) for k in character.keys if "pelvis" in k.joints
        )
        turned_at, headings = [frame for frame, _ in headed], [angle for _, angle in headed]
        return OWN, *ref.keyed_frames(len(times), at, features[at, :2], turned_at, headings), None, ()
    return PARTNER, None, None, None, ()


def _plan_steps(character, features, mask, place, placed, seed):
    """Observes planned contacts along a path."""
    full = [(placed[k.time], np.asarray(k.rotations)) for k in character.keys if len(k.joints) == COUNT]
    features[:, CONTACTS] = gait.plan(
        place, character.body, np.random.default_rng(seed), sorted(full, key=lambda k: k[0])
    )
    mask[:, CONTACTS] = True


def build(request, tables, take=0):
    """Conditions of one take of a request that is in the shared frame and of human size."""
    times, placed = time_grid(request)
    people = request.characters
    seen = [_observe(c, times, placed) for c in people]
    laid = [_frames(c, f, m, times, placed) for c, (f, m) in zip(people, seen, strict=True)]
    if all(source == PARTNER for source, *_ in laid):
        raise RequestError(
            f"The keys of {people[0].name} bind no place. Key the hips' location as well, or draw a path."
        )
    sizes = np.array([c.body.size for c in people])
    apart = ref.PARTNER_DISTANCE * sizes.mean()
    frames = [
        (place, heading) if place is not None else ref.facing(laid[1 - p][1], laid[1 - p][2], apart)
        for p, (_, place, heading, _, _) in enumerate(laid)
    ]
    for p, (source, where, *_) in enumerate(laid):
        if source == PATH:
            _plan_steps(people[p], *seen[p], where, placed, [request.seed, take, p])
    place, heading = (np.stack(rows) for rows in zip(*frames, strict=True))
    sources = np.array([source for source, *_ in laid])
    features, mask = (np.stack(rows) for rows in zip(*seen, strict=True))
    observed = ref.to_relative(features, place, heading)
    # Whoever is animated already may be of any size: the network sees them at size 1, in their own frames.
    observed[..., : VELOCITIES.stop] /= np.where(mask.all((1, 2)), sizes, 1.0)[:, None, None]
    base = ref.base_of(tables, sources, observed, mask, place, heading)
    other = np.arange(len(people))[::-1]
    present = np.full(len(people), float(len(people) == 2))
    measures = np.stack([list(vars(measures_of(c.body.scaled(1.0 / c.body.size))).values()) for c in people])
    extra = ref.extras(sources, mask, place, heading, place[other], heading[other], present, measures)
    return Conditions(
        times=times, sources=sources, mask=mask, base=base, spread=ref.spread(tables, sources, mask),
        given=ref.given(tables, sources, base, mask, extra), place=place, heading=heading,
        paths=tuple(target for *_, target, _ in laid),
        key_frames=tuple(tuple(placed[k.time] for k in c.keys) for c in people), bends=tuple(b for *_, b in laid),
    )  # fmt: skip


def key_residuals(character, placed, motion):
    """Worst distance (metres) and angle (radians) of a motion from the character's keys, over what they bind."""
    worst_place, worst_angle = 0.0, 0.0
    for key in character.keys:
        frame = placed[key.time]
        bound = [INDEX[j] for j in key.joints]
        angle = rot.angle_between(motion.rotations[frame, bound], np.asarray(key.rotations)[bound])
        worst_angle = max(worst_angle, float(angle.max()))
        if key.root is not None:
            worst_place = max(worst_place, float(np.linalg.norm(motion.root[frame] - key.root)))
        if len(bound) == COUNT:
            wanted, _ = forward_kinematics(motion.root[frame], np.asarray(key.rotations), character.body.offsets)
            found, _ = forward_kinematics(motion.root[frame], motion.rotations[frame], character.body.offsets)
            worst_place = max(worst_place, float(np.linalg.norm(wanted - found, axis=-1).max()))
    return worst_place, worst_angle
