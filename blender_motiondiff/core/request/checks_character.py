"""Checks of what binds one character: body, path, keys, pins, an existing motion and what is kept of it."""

import numpy as np

from ..motion import FPS, Motion
from ..skeleton import COUNT, JOINTS, Body
from .checks_values import (
    FAR,
    SLACK,
    check_array,
    check_choice,
    check_flag,
    check_joint,
    check_joints,
    check_kind,
    check_number,
    check_quaternions,
    check_span,
    check_time,
    check_tuple,
    check_weight,
    refuse,
)  # fmt: skip
from .data import ALONG, FREE, GIVEN, Key, Path, Pin, Vary

SHORTEST_LEG = 1e-6  # metres
SHORTEST_PATH = 0.01  # metres, for a leg of 0.85 m
SAME_RATE = 0.01  # frames a second
SAME_BODY = 1e-3  # metres by which bones of a motion's body may differ from the character's


def check_character(at, character, request):
    """Raises RequestError for a character that can't be generated, whoever else is there."""
    duration = request.duration
    _check_body(at.of("body"), character.body)
    for name in ("keys", "pins"):
        check_tuple(at.of(name), getattr(character, name))
    if character.motion is not None:
        _check_motion(at.of("motion"), character, request.frames)
    if character.keep is not None:
        _check_keep(at.of("keep"), character, request.frames)
    if character.vary is not None:
        _check_vary(at.of("vary"), character, duration)
    if character.given:
        _check_nothing_binds(at, character)
    if character.path is not None:
        check_path(at.of("path"), character.path, character.body.size, duration)
    for number, key in enumerate(character.keys):
        _check_key(at.of("keys").item(number), key, duration)
    for number, pin in enumerate(character.pins):
        _check_pin(at.of("pins").item(number), pin, duration)


def _check_body(at, body):
    check_kind(at, body, Body)
    check_kind(at.of("offsets"), body.offsets, np.ndarray)
    check_array(at.of("offsets"), body.offsets, (COUNT, 3))
    if not SHORTEST_LEG < body.leg <= FAR:
        refuse(at, f"{at.who} has no usable body", "Check that its leg bones have a length.")


def _check_nothing_binds(at, character):
    for name in ("path", "keys", "pins"):
        if getattr(character, name):
            refuse(
                at.of(name), f"the motion of {at.who} is there already and stays, so nothing else can bind it",
                "Remove this, or say with `keep` or `vary` what of the motion may change.",
            )  # fmt: skip


# --- path -------------------------------------------------------------------------------------------------------------


def check_path(at, path, size, duration):
    """Points, times and their bounds, headings and heights of a path, for a body of `size`."""
    check_kind(at, path, Path)
    points = check_array(at.of("points"), path.points, (None, 2))
    times = check_array(at.of("times"), path.times, (None,), blanks=True, what="seconds")
    count = len(points)
    if len(times) != count or count < 2:
        refuse(at, f"the path of {at.who} needs two or more points with rising times", "Give as many times as points.")
    for name in ("sparse", "raw"):
        check_flag(at.of(name), getattr(path, name))
    _check_timing(at, path, times, duration)
    check_choice(at.of("heading"), path.heading, (ALONG, FREE, GIVEN))
    if (path.heading == GIVEN) != (path.headings is not None):
        refuse(
            at.of("headings"), f"the headings of {at.who}'s path and its `heading` ({path.heading}) disagree",
            "Give `headings` and set `heading` to given, or neither.",
        )  # fmt: skip
    if path.headings is not None:
        check_array(at.of("headings"), path.headings, (count,), far=1e3, what="radians")
    if path.heights is not None:
        check_array(at.of("heights"), path.heights, (count,), blanks=True)
    check_weight(at.of("weight"), path.weight, most=1.0)
    if path.heading == ALONG and np.linalg.norm(np.diff(points, axis=0), axis=1).sum() < SHORTEST_PATH * size:
        refuse(at, f"the path of {at.who} has no length", "Draw a longer one, or remove it and key a pose.")


def _check_timing(at, path, times, duration):
    """Waypoints without a time must find one: rising, and within their bounds."""
    count = len(times)
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    if path.earliest is not None:
        low = check_array(at.of("earliest"), path.earliest, (count,), blanks=True, what="seconds")
    if path.latest is not None:
        high = check_array(at.of("latest"), path.latest, (count,), blanks=True, what="seconds")
    for name, values in (("times", times), ("earliest", low), ("latest", high)):
        outside = np.isfinite(values) & ((values < -SLACK) | (values > duration + SLACK))
        if outside.any():
            first = int(outside.argmax())
            check_time(at.of(name).item(first), float(values[first]), duration, "the waypoint")
    low, high = np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)
    crossed = low > high
    if crossed.any():
        i = int(crossed.argmax())
        refuse(
            at.of("earliest").item(i), f"{low[i]:.2f} s lies after the latest time {high[i]:.2f} s", "Swap the two.",
        )  # fmt: skip
    known = ~np.isnan(times)
    if not (np.diff(times[known]) > 0).all():
        refuse(at.of("times"), f"the path of {at.who} needs two or more points with rising times", "Sort its points.")
    off = known & ((times < low - SLACK) | (times > high + SLACK))
    if off.any():
        i = int(off.argmax())
        refuse(
            at.of("times").item(i), f"{times[i]:.2f} s lies outside the waypoint's own bounds",
            "Leave its time out, or its bounds.",
        )  # fmt: skip
    soonest = np.maximum.accumulate(np.where(known, times, low))
    soonest[0] = max(soonest[0], 0.0)
    late = np.where(known, times, np.minimum(high, duration))[1:] <= soonest[:-1]
    if late.any():
        i = int(late.argmax()) + 1
        refuse(
            at.of("latest" if high[i] < duration else "times").item(i),
            f"this waypoint of {at.who} has no time left after those before it", "Give it or them other bounds.",
        )  # fmt: skip


# --- keys and pins ----------------------------------------------------------------------------------------------------


def _check_key(at, key, duration):
    check_kind(at, key, Key)
    check_time(at.of("time"), key.time, duration, "the key")
    check_joints(at.of("joints"), key.joints, may_be_none=True)
    check_quaternions(at.of("rotations"), key.rotations, (COUNT, 4), JOINTS)
    check_number(at.of("tolerance"), key.tolerance, least=0.0)
    if key.root is not None:
        check_array(at.of("root"), key.root, (3,))
    placed = False
    if key.places is not None:
        places = check_array(at.of("places"), key.places, (COUNT, 3), blanks=True)
        blank = np.isnan(places)
        half = blank.any(1) & ~blank.all(1)
        if half.any():
            refuse(
                at.of("places"), f"the place of {JOINTS[half.argmax()]} lacks a coordinate", "Give all three, or none."
            )
        placed = not blank.all()
    if not key.joints and key.root is None and not placed:
        refuse(at, "this key binds nothing", "Name joints, give a root or places, or remove the key.")


def _check_pin(at, pin, duration):
    check_kind(at, pin, Pin)
    check_joint(at.of("joint"), pin.joint)
    check_span(at, pin, duration, "the pin")
    if pin.place is None and pin.rotation is None:
        refuse(at, f"this pin of the {pin.joint} holds nothing", "Give it a place, a rotation, or both.")
    if pin.place is not None:
        check_array(at.of("place"), pin.place, (3,))
    if pin.rotation is not None:
        check_quaternions(at.of("rotation"), pin.rotation, (4,))
    check_weight(at.of("weight"), pin.weight)


# --- an existing motion -----------------------------------------------------------------------------------------------


def _check_motion(at, character, frames):
    motion = character.motion
    check_kind(at, motion, Motion)
    for name in ("root", "rotations"):
        check_kind(at.of(name), getattr(motion, name), np.ndarray)
    count = len(check_array(at.of("root"), motion.root, (None, 3)))
    if count != frames:
        refuse(
            at, f"the motion of {at.who} has {count} frames where the clip has {frames}",
            "Resample it to 30 frames a second over the clip, both ends included.",
        )  # fmt: skip
    check_number(at.of("fps"), motion.fps, FPS - SAME_RATE, FPS + SAME_RATE, "frames a second")
    check_quaternions(at.of("rotations"), motion.rotations, (frames, COUNT, 4), JOINTS)
    check_kind(at.of("body"), motion.body, Body)
    check_kind(at.of("body").of("offsets"), motion.body.offsets, np.ndarray)
    offsets = check_array(at.of("body").of("offsets"), motion.body.offsets, (COUNT, 3))
    if np.abs(offsets - character.body.offsets).max() > SAME_BODY * max(character.body.size, 1.0):
        refuse(at.of("body"), f"the motion is of another body than {at.who}", "Retarget it, or give its body to both.")


def _check_keep(at, character, frames):
    if character.motion is None:
        refuse(at, f"{at.who} has no motion of which something could be kept", "Give a motion, or leave `keep` out.")
    keep = check_array(at, character.keep, (frames, COUNT), far=np.inf)
    if keep.min() < 0 or keep.max() > 1:
        bad = keep[(keep < 0) | (keep > 1)][0]
        refuse(at, f"{bad:g} is no share from 0 to 1", "Give 1 for what stays and 0 for what is generated.")


def _check_vary(at, character, duration):
    vary = character.vary
    check_kind(at, vary, Vary)
    if character.motion is None:
        refuse(at, f"{at.who} has no motion that could be varied", "Give a motion, or leave `vary` out.")
    check_number(at.of("strength"), vary.strength, 0.0, 1.0, "of strength")
    check_joints(at.of("joints"), vary.joints)
    check_span(at, vary, duration, "the span")
