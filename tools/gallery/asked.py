"""What a request asks for, as solids to look at: paths, waypoints, pins, contacts, targets, obstacles, the ground."""

from dataclasses import dataclass

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import shapes
from blender_motiondiff.core.constraints.ground import heights_at
from blender_motiondiff.core.motion import forward_kinematics
from blender_motiondiff.core.request import Box, Capsule, Sphere
from blender_motiondiff.core.skeleton import COUNT, INDEX
from tools.demo import solids

COLOURS = {  # red, green, blue, opacity
    "path": (0.95, 0.78, 0.10, 1.0), "waypoint": (1.0, 0.45, 0.05, 1.0), "pin": (0.90, 0.06, 0.06, 1.0),
    "pin later": (0.90, 0.06, 0.06, 0.25), "touch": (0.05, 0.75, 0.15, 1.0), "target": (0.0, 0.75, 0.85, 1.0),
    "range": (0.95, 0.95, 0.95, 0.6), "obstacle": (0.35, 0.36, 0.40, 0.5),
}  # fmt: skip
BALL = {"waypoint": 0.06, "pin": 0.055, "touch": 0.05, "target": 0.07}
THREAD = 0.008  # metres: radius of lines in the air
TUBE = 0.018  # of a path on the ground
ARROW = 0.9  # metres: a direction that is faced
MANY = 24  # waypoints from which on a path is a line, not places
SEEN = 1.5  # metres: what is asked farther from everybody does not make the camera step back


@dataclass(frozen=True)
class Mark:
    """A solid `(points, faces)` in one of COLOURS, seen from `start` to `end` seconds; `lasting`: at all times."""

    solid: tuple
    colour: str
    start: float = 0.0
    end: float = np.inf
    lasting: bool = True

    def seen(self, time):
        """Whether it is shown at a moment."""
        return self.lasting or self.start - 1e-6 <= time <= self.end + 1e-6


def ball(place, colour):
    """A small ball."""
    return solids.ellipsoid(place, np.eye(3), np.full(3, BALL[colour]))


def thread(start, end, radius=THREAD):
    """A line in the air."""
    return solids.capsule(start, end, radius, radius)


def ending(item):
    """The end of what holds for a span, seconds."""
    return np.inf if item.end is None else item.end


def still(request):
    """Marks of what stays where it is, over the whole clip."""
    out = []
    for character in request.characters:
        out += path_marks(character.path, request.ground)
        for key in character.keys:
            out += [Mark(ball(p, "pin"), "pin", key.time - 0.2, key.time + 0.2, False) for p in key_places(key)]
        for pin in character.pins:
            out += pin_marks(pin)
    out += [Mark(solid_of(o.shape), "obstacle", o.start, ending(o), False) for o in request.obstacles]
    for item in (*request.facings, *request.look_ats):
        if item.target.point is not None:
            out.append(Mark(ball(item.target.point, "target"), "target", item.start, ending(item), False))
    return out


def path_marks(path, ground):
    """A tube over the ground along a path, and balls where it names moments."""
    if path is None:
        return []
    line = on_ground(np.asarray(path.points, float), ground, TUBE)
    if path.sparse and len(line) > 1:
        out = [Mark(thread(a, b), "path") for a, b in zip(line[:-1], line[1:], strict=True) if np.any(a != b)]
    else:
        way = finely(line)
        out = [Mark(solids.tube(on_ground(way[:, :2], ground, TUBE), TUBE), "path")]
    if path.heights is not None:
        high = np.isfinite(path.heights)
        tops = np.column_stack([path.points, path.heights])[high]
        out += [Mark(thread(a, b), "path") for a, b in zip(line[high], tops, strict=True)]
        line = np.concatenate([line[~high], tops])
    if len(line) <= MANY:
        out += [Mark(ball(p, "waypoint"), "waypoint") for p in line]
    return out


def finely(line, step=0.05):
    """A polyline `[N, 3]` with a point at least every `step` metres, without repeats."""
    line = line[np.append(True, np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-4)]
    if len(line) < 2:
        line = np.concatenate([line, line + [0.0, -0.02, 0.0]])
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
    at = np.linspace(0.0, along[-1], max(2, int(np.ceil(along[-1] / step)) + 1))
    return np.stack([np.interp(at, along, column) for column in line.T], -1)


def on_ground(points, ground, above=0.0):
    """Points `[N, 2]` lifted onto the ground, `[N, 3]`."""
    height = np.zeros(len(points)) if ground is None else heights_at(ground, points)[0]
    return np.column_stack([points, height + above])


def key_places(key):
    """Places in the world that a key binds beside the pelvis' own."""
    return [] if key.places is None else [p for p in key.places if np.isfinite(p).all()]


def pin_marks(pin):
    """A red ball where a joint is pinned, pale before and after; pins of a turn alone have none."""
    if pin.place is None:
        return []
    solid = ball(pin.place, "pin")
    return [Mark(solid, "pin later"), Mark(ball(pin.place, "pin"), "pin", pin.start, ending(pin), False)]


# --- what moves with the characters -----------------------------------------------------------------------------------


def moving(request, take, frame):
    """Marks of one frame: contacts, spacing, where somebody should face or look, single joints that are keyed."""
    made = [forward_kinematics(m.root[frame], m.rotations[frame], m.body.offsets) for m in take.motions]
    places, turns = [m[0] for m in made], [m[1] for m in made]
    time, out = take.times[frame], []
    for contact in within(request.contacts, time):
        a, b = (places[p][INDEX[joint]] for p, joint in (contact.first, contact.second))
        out += [Mark(ball(p, "touch"), "touch") for p in (a, b)] + [Mark(thread(a, b), "touch")]
    for spacing in within(request.spacings, time):
        out += spacing_marks(spacing, places)
    for joint, wishes in (("pelvis", request.facings), ("head", request.look_ats)):
        for wish in within(wishes, time):
            out += gaze_marks(wish, joint, places, turns)
    for p, character in enumerate(request.characters):
        for key in character.keys:
            if abs(key.time - time) < 0.02 and len(key.joints) < COUNT:
                out += [Mark(ball(places[p][INDEX[j]], "pin"), "pin") for j in key.joints]
        for pin in within(character.pins, time):
            if pin.rotation is not None:
                out += axes_marks(places[p][INDEX[pin.joint]], pin.rotation)
    return out


def within(items, time):
    """Those that hold at a moment."""
    return [i for i in items if i.start - 1e-6 <= time <= ending(i) + 1e-6]


def spacing_marks(spacing, places):
    """The line between two pelvises on the ground, and rings about the first as wide as the range."""
    a, b = (p[0] * [1, 1, 0] + [0, 0, TUBE] for p in places)
    out = [Mark(thread(a, b, TUBE), "range")]
    turn = np.linspace(0, 2 * np.pi, 61)
    for radius in (spacing.least, spacing.most):
        if 0.05 < radius < 20:
            ring = a + radius * np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
            out.append(Mark(solids.tube(ring, 0.012), "range"))
    return out


def gaze_marks(wish, joint, places, turns):
    """A line from head or pelvis to where it should point, and a short thick one where it does point."""
    mine = places[wish.character]
    start = mine[INDEX[joint]] + ([0, 0, 0.09] if joint == "head" else 0)
    ahead = rot.rotate(turns[wish.character][INDEX[joint]], np.array([0.0, -1.0, 0.0]))
    target = wish.target
    if target.partner:
        end = places[1 - wish.character][INDEX[joint]] + ([0, 0, 0.09] if joint == "head" else 0)
    elif target.point is not None:
        end = np.asarray(target.point, float)
    else:
        end = start + ARROW * np.asarray(target.direction, float) / np.linalg.norm(target.direction)
    if joint == "pelvis":
        ahead, end = ahead * [1, 1, 0], np.append(end[:2], start[2])
    return [Mark(thread(start, end), "target"), Mark(thread(start, start + 0.45 * ahead, 0.02), "touch")]


def axes_marks(place, rotation):
    """Three short lines along the axes that a pinned turn asks for."""
    axes = rot.to_matrix(np.asarray(rotation, float)).T
    return [Mark(thread(place, place + 0.18 * axis, 0.012), "pin") for axis in axes]


# --- obstacles and ground ---------------------------------------------------------------------------------------------


def solid_of(shape):
    """A shape of an obstacle as a solid."""
    if isinstance(shape, Sphere):
        return solids.ellipsoid(shape.centre, np.eye(3), np.full(3, shape.radius))
    if isinstance(shape, Capsule):
        return solids.capsule(shape.start, shape.stop, shape.radius, shape.radius)
    if isinstance(shape, Box):
        return box(shape)
    return skin(shape)


def box(shape):
    """A box with its corners."""
    sign = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
    points = np.asarray(shape.centre) + rot.rotate(np.asarray(shape.rotation, float), sign * shape.half)
    return points, [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]


def skin(grid):
    """The surface of a signed-distance grid: faces between inside and outside, their corners slid to distance 0."""
    inside = np.pad(np.asarray(grid.values) < 0, 1)
    corners, faces = [], []
    for axis in range(3):
        change = np.diff(inside.astype(int), axis=axis)
        for step in (1, -1):
            cells = np.argwhere(change == step)
            u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
            middle = cells - 1 + 0.5 * np.eye(3)[axis]
            round_ = [(-u - v), (u - v), (u + v), (v - u)][::-step]
            quads = middle[:, None] + 0.5 * np.array(round_)
            faces.append(np.arange(len(quads) * 4).reshape(-1, 4) + 4 * sum(map(len, corners)))
            corners.append(quads)
    places, joined = np.unique(np.concatenate(corners).reshape(-1, 3), axis=0, return_inverse=True)
    points = rot.rotate(rot.about_z(grid.angle), places * grid.cell) + np.asarray(grid.origin, float)
    for _ in range(3):
        away, slope = shapes.distance(grid, points)
        points = points - np.clip(away, -grid.cell, grid.cell)[:, None] * slope
    return points, joined.reshape(-1)[np.concatenate(faces)].tolist()


def terrain(ground, low, high, cell=0.1):
    """A height field from `low [2]` to `high [2]` as points and faces."""
    x, y = (np.arange(a, b + cell, cell) for a, b in zip(low, high, strict=True))
    plan = np.stack(np.meshgrid(x, y, indexing="ij"), -1).reshape(-1, 2)
    i, j = (k.ravel() for k in np.meshgrid(np.arange(len(x) - 1), np.arange(len(y) - 1), indexing="ij"))
    n = len(y)
    faces = np.stack([i * n + j, (i + 1) * n + j, (i + 1) * n + j + 1, i * n + j + 1], -1)
    return on_ground(plan, ground), faces.tolist()
