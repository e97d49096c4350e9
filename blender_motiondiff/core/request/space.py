"""The same request in another place, turned about the vertical axis, or in a world of another size."""

from dataclasses import replace

import numpy as np

from .. import rotations as rot
from ..motion import scaled, turned
from .data import GIVEN, Box, Capsule, Character, Ground, Key, Path, Pin, Sphere, Target


def moved(request, angle, shift):
    """The request turned by `angle` radians about the world's vertical axis, then moved by `shift [3]` metres."""
    q, shift = rot.about_z(angle), np.asarray(shift, float)

    def place(p):
        return rot.rotate(q, np.asarray(p, float)) + shift

    def direction(d):
        return rot.rotate(q, np.asarray(d, float))

    return _mapped(request, place, direction, q, angle, 1.0)


def with_bodies_scaled(request, factor):
    """The same request in a world `factor` times as large."""

    def grown(p):
        return np.asarray(p, float) * factor

    return _mapped(request, grown, lambda d: np.asarray(d, float), rot.IDENTITY, 0.0, factor)


def _mapped(request, place, direction, q, angle, factor):
    """The request with every place, direction, rotation, heading and length brought into another frame."""

    def target(t):
        point = None if t.point is None else place(t.point)
        return Target(t.partner, point, None if t.direction is None else direction(t.direction))

    def near(items, **change):
        return tuple(replace(i, **{name: f(getattr(i, name)) for name, f in change.items()}) for i in items)

    def length(v):
        return v * factor

    return replace(
        request,
        characters=tuple(_character(c, place, q, angle, factor) for c in request.characters),
        contacts=near(request.contacts, distance=length),
        spacings=near(request.spacings, least=length, most=length),
        facings=near(request.facings, target=target),
        look_ats=near(request.look_ats, target=target),
        obstacles=near(request.obstacles, margin=length, shape=lambda s: _shape(s, place, q, angle, factor)),
        ground=None if request.ground is None else _ground(request.ground, place, angle, factor),
    )


def _character(c: Character, place, q, angle, factor):
    body = c.body.scaled(factor)
    motion = None if c.motion is None else turned(scaled(c.motion, factor), angle, place(np.zeros(3)))
    return replace(
        c,
        body=body,
        path=None if c.path is None else _path(c.path, place, angle, factor),
        keys=tuple(_key(k, place, q, factor) for k in c.keys),
        pins=tuple(_pin(p, place, q) for p in c.pins),
        motion=motion,
    )


def _path(path: Path, place, angle, factor):
    flat = np.asarray(path.points, float)
    points = place(np.concatenate([flat, np.zeros((len(flat), 1))], -1))[:, :2]
    heights = None if path.heights is None else np.asarray(path.heights, float) * factor + place(np.zeros(3))[2]
    headings = np.asarray(path.headings, float) + angle if path.heading == GIVEN else path.headings
    return replace(path, points=points, heights=heights, headings=headings)


def _key(key: Key, place, q, factor):
    rotations = np.array(key.rotations, float)
    rotations[0] = rot.multiply(q, rotations[0])
    return replace(
        key,
        rotations=rotations,
        root=None if key.root is None else place(key.root),
        places=None if key.places is None else place(key.places),
        tolerance=key.tolerance * factor,
    )


def _pin(pin: Pin, place, q):
    return replace(
        pin,
        place=None if pin.place is None else place(pin.place),
        rotation=None if pin.rotation is None else rot.multiply(q, np.asarray(pin.rotation, float)),
    )


def _shape(shape, place, q, angle, factor):
    if isinstance(shape, Sphere):
        return replace(shape, centre=place(shape.centre), radius=shape.radius * factor)
    if isinstance(shape, Capsule):
        return replace(shape, start=place(shape.start), stop=place(shape.stop), radius=shape.radius * factor)
    if isinstance(shape, Box):
        half = np.asarray(shape.half, float) * factor
        return replace(shape, centre=place(shape.centre), half=half, rotation=rot.multiply(q, shape.rotation))
    values = np.asarray(shape.values, float) * factor
    return replace(
        shape, origin=place(shape.origin), cell=shape.cell * factor, values=values, angle=shape.angle + angle
    )


def _ground(ground: Ground, place, angle, factor):
    origin = place(np.array([*ground.origin, 0.0]))
    heights = np.asarray(ground.heights, float) * factor + origin[2]
    return replace(ground, origin=origin[:2], cell=ground.cell * factor, heights=heights, angle=ground.angle + angle)
