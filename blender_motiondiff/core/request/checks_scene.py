"""Checks of what binds characters to each other and to the world: contacts, wishes, obstacles, ground, words."""

from numbers import Real

import numpy as np

from .checks_values import (
    FAR,
    check_array,
    check_flag,
    check_joint,
    check_joints,
    check_kind,
    check_number,
    check_quaternions,
    check_span,
    check_tuple,
    check_weight,
    check_whole,
    refuse,
)  # fmt: skip
from .data import (
    HARD,
    Box,
    Capsule,
    Contact,
    Facing,
    Grid,
    Ground,
    LookAt,
    Obstacle,
    Solo,
    Spacing,
    Sphere,
    Sync,
    Target,
    Words,
)  # fmt: skip

LONGEST_TEXT = 2000  # characters
DIRECTION = 1e-6  # shorter directions point nowhere


def check_scene(at, request):
    """Raises RequestError for what can't be met of everything but the characters themselves."""
    for name, check in (
        ("contacts", _check_contact), ("spacings", _check_spacing), ("facings", _check_facing),
        ("look_ats", _check_look_at), ("syncs", _check_sync), ("obstacles", _check_obstacle), ("words", _check_words),
        ("solos", _check_solo),
    ):  # fmt: skip
        items = getattr(request, name)
        check_tuple(at.of(name), items)
        for number, item in enumerate(items):
            check(at.of(name).item(number), item, request)
    if request.ground is not None:
        _check_ground(at.of("ground"), request.ground)


# --- characters with each other ---------------------------------------------------------------------------------------


def _check_contact(at, contact, request):
    check_kind(at, contact, Contact)
    for name in ("first", "second"):
        end = getattr(contact, name)
        if not isinstance(end, tuple | list) or len(end) != 2:
            refuse(at.of(name), "this is no joint of a character", 'Give its number and its name, as in [0, "head"].')
        _check_who(at.of(name).item(0), end[0], request)
        check_joint(at.of(name).item(1), end[1])
    if tuple(contact.first) == tuple(contact.second):
        refuse(at, f"the {contact.first[1]} can't touch itself", "Choose two joints.")
    if request.characters[contact.first[0]].given and request.characters[contact.second[0]].given:
        name = request.characters[contact.first[0]].name
        refuse(at, f"both joints belong to {name}, whose motion stays as it is", "Choose a joint that may move.")
    check_number(at.of("distance"), contact.distance, least=0.0)
    _check_wish(at, contact, request, "the contact")


def _check_spacing(at, spacing, request):
    check_kind(at, spacing, Spacing)
    _check_two(at, request, "spacing")
    check_number(at.of("least"), spacing.least, least=0.0)
    if not (isinstance(spacing.most, Real) and spacing.most == HARD):
        check_number(at.of("most"), spacing.most, least=0.0)
    if spacing.least > spacing.most:
        refuse(
            at.of("least"), f"{spacing.least:g} metres is more than the most, {spacing.most:g}", "Swap the two.",
        )  # fmt: skip
    _check_wish(at, spacing, request, "the spacing")


def _check_facing(at, facing, request):
    check_kind(at, facing, Facing)
    _check_turn(at, facing, request, "the facing")
    way = facing.target.direction
    if way is not None and np.linalg.norm(np.asarray(way, float)[:2]) < DIRECTION:
        refuse(at.of("target").of("direction"), "it points straight up or down", "Give it a part along the ground.")


def _check_look_at(at, look, request):
    check_kind(at, look, LookAt)
    _check_turn(at, look, request, "the look")


def _check_turn(at, item, request, what):
    _check_who(at.of("character"), item.character, request)
    who = request.characters[item.character]
    if who.given:
        refuse(at.of("character"), f"the motion of {who.name} stays as it is", "Choose the one who is generated.")
    _check_target(at.of("target"), item.target, request)
    _check_wish(at, item, request, what)


def _check_target(at, target, request):
    check_kind(at, target, Target)
    check_flag(at.of("partner"), target.partner)
    given = [bool(target.partner), target.point is not None, target.direction is not None]
    if sum(given) != 1:
        refuse(at, f"{sum(given)} targets are given", "Give the partner, a point, or a direction: exactly one.")
    if target.partner:
        _check_two(at.of("partner"), request, "a partner")
    if target.point is not None:
        check_array(at.of("point"), target.point, (3,))
    if target.direction is not None:
        way = check_array(at.of("direction"), target.direction, (3,))
        if np.linalg.norm(way) < DIRECTION:
            refuse(at.of("direction"), "it has no length", "Give a direction such as [0, -1, 0].")


def _check_sync(at, sync, request):
    check_kind(at, sync, Sync)
    _check_two(at, request, "sync")
    check_flag(at.of("mirror"), sync.mirror)
    check_span(at, sync, request.duration, "the sync")
    check_weight(at.of("weight"), sync.weight, may_bind=False)


def _check_solo(at, solo, request):
    check_kind(at, solo, Solo)
    _check_two(at, request, "a solo")
    check_joints(at.of("joints"), solo.joints)
    check_span(at, solo, request.duration, "the solo")
    check_number(at.of("weight"), solo.weight, 0.0, 1.0, "of a solo")


def _check_two(at, request, what):
    if len(request.characters) != 2:
        refuse(at, f"{what} needs two characters, and there is one", "Add the other, or remove this.")


def _check_who(at, number, request):
    last = len(request.characters) - 1
    check_whole(at, number, -(10**9), 10**9, "the character")
    if not 0 <= number <= last:
        refuse(at, f"there is no character {number}", f"Choose {'0 or 1' if last else '0, the only one'}.")


def _check_wish(at, item, request, what):
    check_span(at, item, request.duration, what)
    check_weight(at.of("weight"), item.weight)


# --- the world --------------------------------------------------------------------------------------------------------


def _check_obstacle(at, obstacle, request):
    check_kind(at, obstacle, Obstacle)
    _check_shape(at.of("shape"), obstacle.shape)
    check_number(at.of("margin"), obstacle.margin, least=0.0)
    check_joints(at.of("joints"), obstacle.joints)
    _check_wish(at, obstacle, request, "the obstacle")


def _check_shape(at, shape):
    check_kind(at, shape, (Sphere, Capsule, Box, Grid))
    if isinstance(shape, Grid):
        _check_cells(at, shape, shape.values, "values", 3)
        return
    for name in ("start", "stop") if isinstance(shape, Capsule) else ("centre",):
        check_array(at.of(name), getattr(shape, name), (3,))
    if isinstance(shape, Box):
        half = check_array(at.of("half"), shape.half, (3,))
        if half.min() < 0:
            refuse(at.of("half"), f"{half.min():g} metres is no length", "Give half lengths of 0 and more.")
        check_quaternions(at.of("rotation"), shape.rotation, (4,))
    else:
        check_number(at.of("radius"), shape.radius, least=0.0)


def _check_ground(at, ground):
    check_kind(at, ground, Ground)
    _check_cells(at, ground, ground.heights, "heights", 2)


def _check_cells(at, grid, values, name, axes):
    """Origin, cell, values and angle of a grid of 2 or 3 axes, at least two values along each."""
    check_array(at.of("origin"), grid.origin, (axes,))
    check_number(at.of("cell"), grid.cell, least=1e-4)
    check_number(at.of("angle"), grid.angle, -1e3, 1e3, "radians")
    cells = check_array(at.of(name), values, (None,) * axes, far=2 * FAR)
    if min(cells.shape) < 2:
        refuse(at.of(name), f"it has {min(cells.shape)} value along an axis", "Give two or more along each.")


def _check_words(at, words, request):
    check_kind(at, words, Words)
    if not isinstance(words.text, str) or not words.text.strip():
        refuse(at.of("text"), "it says nothing", "Write what the motion should be, or remove it.")
    if len(words.text) > LONGEST_TEXT:
        refuse(at.of("text"), f"it has {len(words.text)} characters", f"Say it in {LONGEST_TEXT}.")
    check_span(at, words, request.duration, "the words")
