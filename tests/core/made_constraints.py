"""A request with every kind of constraint, two characters that meet none of it, and what tests do to them."""

from dataclasses import replace

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints import collect
from blender_motiondiff.core.constraints.rows import Poses
from blender_motiondiff.core.motion import FPS, forward_kinematics, turned
from blender_motiondiff.core.request import (
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
    Spacing,
    Sphere,
    Sync,
    Target,
)  # fmt: skip
from blender_motiondiff.core.skeleton import INDEX, average_body

from .made_motion import swinging
from .samples import quaternions

FRAMES = 40


def poses_of(*motions):
    both = [forward_kinematics(m.root, m.rotations, m.body.offsets) for m in motions]
    places, turns = (np.stack(v) for v in zip(*both, strict=True))
    times = np.arange(len(motions[0].root)) / FPS
    return Poses(times, places, turns, np.array([m.body.size for m in motions]))


def two(frames=FRAMES, seed=0):
    """Two characters that move about a metre apart, the second a little larger."""
    a, b = swinging(frames, seed), swinging(frames, seed + 1, body=average_body().scaled(1.1))
    shift = [np.append(-m.root[0, :2], 0.0) for m in (a, b)]
    return turned(a, 0.0, shift[0]), turned(b, 0.0, shift[1] + [0.7, 0.5, 0.0])


def grid_of_ball(centre, radius, angle=0.3):
    """A sphere as a grid of 20 cm, turned."""
    axis = np.arange(-0.8, 0.81, 0.2)
    values = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1), axis=-1) - radius
    origin = centre + rot.rotate(rot.about_z(angle), np.full(3, -0.8))
    return Grid(origin, 0.2, values, angle)


HILLS = Ground(np.array([-4.0, -4.0]), 0.5, 0.3 + 0.2 * np.random.default_rng(3).random((18, 18)), 0.4)
BOX = Box(np.array([0.2, 0.1, 0.9]), np.array([0.4, 0.3, 0.5]), rot.from_rotvec([0.3, 0.2, 0.5]))
NOD = quaternions(4, 22)


def asked(frames=FRAMES, **of_first):
    """A request with one item of each kind and more, that the two characters of `two` meet nowhere."""
    end = (frames - 1) / FPS
    ways = np.array([[0.5, 0.3], [1.0, -0.5], [0.8, -1.5]])
    times, heights = np.array([0.0, 10 / FPS, end]), np.array([0.9, 1.0, 1.2])
    path = Path(times, ways, raw=True, heading=GIVEN, headings=np.array([0.2, 0.4, 1.0]), heights=heights)
    full, part = Key(5 / FPS, NOD, root=np.array([0.3, 0.2, 1.0])), Key(9 / FPS, NOD, ("left_elbow", "spine2"))
    first = Character("A", average_body(), path, (full, part), (
        Pin("left_wrist", 0.2, 0.6, np.array([0.5, 0.5, 1.5]), rot.from_rotvec([0.4, 1.0, -2.0])),
    ))  # fmt: skip
    loose = Key(7 / FPS, NOD, root=np.array([0.3, 0.2, 1.0]), tolerance=0.05)
    placed = np.full((22, 3), np.nan)
    placed[INDEX["right_wrist"]] = [0.4, 0.4, 1.4]
    marks = Path(
        np.array([2, 20]) / FPS, ways[:2], True, heading=GIVEN, headings=times[:2], heights=heights[:2], raw=True
    )
    second = Character("B", average_body().scaled(1.1), marks, keys=(loose, replace(loose, root=None), Key(
        11 / FPS, NOD, (), places=placed)))  # fmt: skip
    everybody = {"start": 0.1, "weight": 2.0}
    return Request(
        (replace(first, **of_first), second), end,
        contacts=(Contact((0, "left_wrist"), (1, "right_wrist"), 0.0, 0.2, 0.5), Contact(
            (0, "right_wrist"), (1, "spine3"), 0.2, 0.2, 0.5, 1.0), Contact((1, "left_wrist"), (1, "head"), 0.1)),
        spacings=(Spacing(3.0, 4.0), Spacing(0.0, 0.1, 0.3, 0.6, HARD)),
        facings=(Facing(0, Target(partner=True)), Facing(1, Target(point=np.array([1.0, 2.0, 0.5]))),
                 Facing(0, Target(direction=np.array([1.0, -1.0, 0.3])), weight=HARD)),
        look_ats=(LookAt(1, Target(partner=True)), LookAt(0, Target(point=np.array([1.0, 2.0, 0.5]))),
                  LookAt(0, Target(direction=np.array([1.0, -1.0, 0.3])), weight=HARD)),
        syncs=(Sync(), Sync(mirror=True)),
        obstacles=(Obstacle(Sphere(np.array([0.1, 0.1, 1.0]), 0.3), 0.02, **everybody), Obstacle(BOX, 0.02),
                   Obstacle(Capsule(np.array([0.0, 0.0, 1.2]), np.array([1.0, 0.3, 1.4]), 0.2), weight=HARD),
                   Obstacle(grid_of_ball(np.array([0.1, 0.1, 0.7]), 0.6), 0.02, ("left_wrist", "right_ankle"))),
        ground=HILLS,
    )  # fmt: skip


def only(request, item):
    """The request with one of its items alone."""
    alone = [replace(c, path=None, keys=(), pins=()) for c in request.characters]
    if item.person >= 0:
        change = {"path": item.what} if item.kind == "path" else {item.kind + "s": (item.what,)}
        alone[item.person] = replace(alone[item.person], **change)
    shared = ("contacts", "spacings", "facings", "look_ats", "syncs", "obstacles")
    kept = {name: (item.what,) if item.field.startswith(name) else () for name in shared}
    return replace(request, characters=tuple(alone), ground=item.what if item.kind == "ground" else None, **kept)


def frames_of_keys(request):
    return tuple(tuple(round(k.time * FPS) for k in c.keys) for c in request.characters)


def gathered(request, poses, **options):
    return collect.gather(request, poses, frames_of_keys(request), **options)


def nudged(poses, person, frame, joint, step, turning):
    """The poses with one joint moved by `step [3]` metres, or turned by it in the world."""
    places, turns = poses.places.copy(), poses.turns.copy()
    if turning:
        turns[person, frame, joint] = rot.multiply(rot.from_rotvec(step), turns[person, frame, joint])
    else:
        places[person, frame, joint] += step
    return replace(poses, places=places, turns=turns)


def turned_by_rows(rows, poses):
    """Poses after each turning row's joint was turned, in the world, by the least-squares answer to its rows."""
    turns = poses.turns.copy()
    for person, frame, joint in {*zip(rows.person, rows.frame, rows.joint, strict=True)}:
        mine = (rows.person == person) & (rows.frame == frame) & (rows.joint == joint) & rows.turning
        turn = np.linalg.lstsq(rows.normal[mine], -rows.residual[mine], rcond=None)[0]
        turns[person, frame, joint] = rot.multiply(rot.from_rotvec(turn), turns[person, frame, joint])
    return replace(poses, turns=turns)
