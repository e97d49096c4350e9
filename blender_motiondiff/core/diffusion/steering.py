"""Clean estimates steered between calls of the network: linear constraints by projection, wishes by their gradient.

What the last call of the network answers is met by the solve; steering is for the calls before it, so that the network
sees where hands and bodies have to be and answers with the rest of the body.
"""

from dataclasses import replace

import numpy as np

from .. import reference as ref
from .. import rotations as rot
from ..constraints import collect
from ..constraints.rows import Poses
from ..features import POSITIONS, ROTATIONS, VELOCITIES, velocities
from ..motion import global_rotations
from ..skeleton import COUNT, INDEX
from . import guidance, projection

PUSHING = ("contacts", "spacings", "syncs", "obstacles")  # fields whose wishes are about places
MOVED = slice(POSITIONS.start, VELOCITIES.stop)  # the features that are steered, which come first
LOOSE = 1.0  # variance of a linear constraint with weight 1, in the projection's own units


def steerer(request, courses, window):
    """`steer(clean, level) -> clean` on residuals `[takes, P, T, 268]` of a window; None where nothing is steered.

    `level`: the square root of alpha-bar at which the estimate was made.
    """
    inside = slice(0, window.part.stop - window.part.start)
    times = courses[0].times[window.part]
    observed = _observations(request, courses[0], window.part)
    asked = _wishes(request)
    wishes = any(getattr(asked, name) for name in PUSHING)
    if not len(observed) and not wishes:
        return None
    movable = np.stack([_movable(c, p, window.part)
                        for c, p in zip(request.characters, courses[0].people, strict=True)])  # fmt: skip
    observed = projection.select(observed, projection.thin(observed))
    sizes = np.array([c.body.size for c in request.characters])

    def gather(poses):
        return collect.gather(asked, poses, [()] * len(sizes))

    base, spread, free = (rows[..., MOVED] for rows in (window.base, window.spread, window.free))

    def steer(clean, level):
        world = ref.to_world(base + spread * clean[..., MOVED], window.place, window.heading)
        places = world[..., POSITIONS].reshape(*world.shape[:-1], COUNT, 3)[:, :, inside].astype(float)
        if len(observed):
            now = projection.with_pseudo(observed, level)
            places = projection.apply(projection.precompute(now, movable=movable), places)
        if wishes:
            turns = _turns(window, clean)[:, :, inside] if asked.syncs else [None] * len(places)
            takes = [Poses(times, own, turned, sizes) for own, turned in zip(places, turns, strict=True)]
            places = guidance.push_takes(takes, gather, movable)
        world[:, :, inside, POSITIONS] = places.reshape(*places.shape[:-2], -1)
        world[:, :, inside, VELOCITIES] = velocities(places).reshape(*places.shape[:-2], -1)
        out = clean.copy()
        out[..., MOVED] = (ref.to_relative(world, window.place, window.heading) - base) / spread * free
        return out

    return steer


def goals(request, courses, window):
    """`loss(clean) -> (value, slope)` of a window's sparse goals: half the squared distances (m) of joints from where
    they are bound, and its derivative by the residuals `[takes, P, T, 268]`. None where nothing is bound.
    """
    o = _observations(request, courses[0], window.part)
    if not len(o):
        return None
    two = o.other_joint >= 0
    at, other = (o.person, o.frame, o.joint), (o.other_person[two], o.frame[two], o.other_joint[two])
    turn = np.stack([np.cos(window.heading), np.sin(window.heading)])[..., None]

    def loss(clean):
        world = ref.to_world(window.base + window.spread * clean, window.place, window.heading)
        places = world[..., POSITIONS].reshape(*world.shape[:-1], COUNT, 3).astype(float)
        pull, value = np.zeros_like(places), 0.0
        for own, pulled in zip(places, pull, strict=True):
            off = own[at] - o.wanted
            off[two] -= own[other]
            np.add.at(pulled, at, off)
            np.add.at(pulled, other, -off[two])
            value += 0.5 * float((off**2).sum())
        pull[..., 0, :2] = pull[..., :2].sum(-2)  # every joint's place on the ground hangs on the pelvis'
        x, y = turn[0] * pull[..., 0] + turn[1] * pull[..., 1], turn[0] * pull[..., 1] - turn[1] * pull[..., 0]
        slope = np.zeros_like(clean)
        slope[..., POSITIONS] = np.stack([x, y, pull[..., 2]], -1).reshape(*clean.shape[:-1], -1)
        return value, slope * window.spread * window.free

    return loss


def _movable(character, person, part):
    """How far joints `[T, 22]` may be steered: not at all where they are known."""
    if character.given:
        return np.zeros((part.stop - part.start, COUNT))
    if person.known is None:
        return np.ones((part.stop - part.start, COUNT))
    return 1.0 - person.known[part]


def _wishes(request):
    """The request with what pushes places alone: what binds, and what is met by turning, is left to the solve."""
    characters = tuple(replace(c, keys=(), path=None, pins=()) for c in request.characters)
    soft = {name: tuple(i for i in getattr(request, name) if 0 < i.weight < np.inf) for name in PUSHING}
    return replace(request, characters=characters, facings=(), look_ats=(), **soft)


def _turns(window, clean):
    """World rotations `[takes, P, T, 22, 4]` of residuals."""
    world = ref.to_world(window.base + window.spread * clean, window.place, window.heading)
    return global_rotations(rot.from_6d(world[..., ROTATIONS].reshape(*clean.shape[:-1], COUNT, 6)))


def _observations(request, course, part):
    """Linear observations of joint places in the window: pins, keyed places, and joints that touch."""
    parts = [projection.observe([], 0, np.zeros((0, 3)))]
    poses = Poses(course.times, None, None, None)
    for p, (character, person) in enumerate(zip(request.characters, course.people, strict=True)):
        for pin in character.pins:
            if pin.place is not None and pin.weight > 0:
                frames = _within(poses.frames_between(pin.start, pin.end), part)
                wanted = np.tile(np.asarray(pin.place, float), (len(frames), 1))
                parts.append(projection.observe(frames, INDEX[pin.joint], wanted, _variance(pin.weight), p))
        for key, frame in zip(character.keys, person.key_frames, strict=True):
            if key.places is not None and part.start <= frame < part.stop:
                joints = np.flatnonzero(np.isfinite(key.places).all(1))
                at = np.full(len(joints), frame - part.start)
                parts.append(projection.observe(at, joints, np.asarray(key.places)[joints], 0.0, p))
    for contact in request.contacts:
        if contact.distance == 0.0 and contact.weight > 0:
            frames = _within(poses.frames_between(contact.start, contact.end), part)
            (a, joint), (b, other) = contact.first, contact.second
            parts.append(projection.observe(frames, INDEX[joint], np.zeros((len(frames), 3)),
                                            _variance(contact.weight), a, (b, INDEX[other])))  # fmt: skip
    return projection.merge(parts)


def _within(frames, part):
    return frames[(frames >= part.start) & (frames < part.stop)] - part.start


def _variance(weight):
    return 0.0 if np.isinf(weight) else LOOSE / weight
