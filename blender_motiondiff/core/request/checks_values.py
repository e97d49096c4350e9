"""Checks of single values: numbers, arrays, spans of time, joints. Each names the field by its path in JSON."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from ..skeleton import INDEX
from .data import HARD, RequestError

LARGEST = float(np.finfo(float).max)
FAR = 1e4  # metres: nothing lies farther away or is larger
STRONGEST = 1e6  # the largest weight of a wish; what is to bind more than that is HARD
SLACK = 1e-6  # seconds by which a time may lie outside the clip
UNIT = 1e-3  # by which a quaternion's length may differ from 1


@dataclass(frozen=True)
class At:
    """A field's place in the request: its `path` as in JSON, and whose it is."""

    path: str
    who: str | None = None

    def of(self, name):
        """A field of this object."""
        return At(f"{self.path}.{name}" if self.path else name, self.who)

    def item(self, number):
        """An item of this list."""
        return At(f"{self.path}[{number}]", self.who)


def refuse(at, cause, remedy):
    """Raises RequestError: path, cause, whose it is, remedy."""
    named = at.who and at.who not in cause
    raise RequestError(f"{at.path}: {cause}{f' ({at.who})' if named else ''}. {remedy}")


def check_number(at, value, least=-FAR, most=FAR, what="metres"):
    """A finite number between two others, both allowed."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        refuse(at, f"{_short(value)} is no number", f"Give a number of {what}.")
    if not abs(value) <= LARGEST:
        refuse(at, f"{_short(value)} is no finite number", f"Give a number of {what}.")
    if not least <= value <= most:
        refuse(at, f"{value:.6g} {what} lies outside {least:g} to {most:g}", "Choose a value in that range.")


def check_whole(at, value, least, most, what):
    """A whole number between two others, both allowed."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        refuse(at, f"{_short(value)} is no whole number", f"Give a whole number of {what}.")
    if not least <= value <= most:
        refuse(at, f"{_short(value)} {what} were asked for", f"Ask for {least} to {most}.")


def check_flag(at, value):
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        refuse(at, f"{_short(value)} is neither true nor false", "Give one of the two.")


def check_choice(at, value, choices):
    """One of some words."""
    if not isinstance(value, str) or value not in choices:
        refuse(at, f"{_short(value)} is not known", f"Choose one of {', '.join(choices)}.")


def check_weight(at, value, most=STRONGEST, may_bind=True):
    """A wish's strength, or HARD."""
    if isinstance(value, Real) and value == HARD and may_bind:
        return
    if isinstance(value, Real) and value == HARD:
        refuse(at, "this is a wish and can't bind", f"Give a number from 0 to {most:g}.")
    rest = "Give 0 for none, 1 for a usual wish" + (', or "hard".' if may_bind else ".")
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_) or not 0 <= value <= most:
        refuse(at, f"{_short(value)} is no strength from 0 to {most:g}", rest)


def check_array(at, value, shape, blanks=False, far=FAR, what="metres"):
    """The value as a float array of a shape, in which None stands for any length from 1. `blanks`: NaN is allowed."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = None
    if array is None or array.dtype.kind not in "biuf":
        refuse(at, "these are no numbers in rows of one length", f"Give an array {_named(shape)}.")
    array = array.astype(float, copy=False)
    fits = array.ndim == len(shape) and all(n == (n if m is None else m) and n for n, m in zip(array.shape, shape))
    if not fits:
        refuse(
            at, f"an array {_named(array.shape)} stands where one {_named(shape)} belongs", "Give one of that shape."
        )
    largest = np.abs(array)
    if blanks:
        largest = largest[~np.isnan(largest)]
    if largest.size and not largest.max() <= far:
        bad = array[~(np.abs(array) <= far) & ~(blanks & np.isnan(array))][0]
        if np.isfinite(bad):
            refuse(at, f"{bad:g} {what} lies outside {-far:g} to {far:g}", "Choose values in that range.")
        refuse(at, f"it holds a value that is no number ({bad})", "Replace it.")
    return array


def check_quaternions(at, value, shape, names=None):
    """Unit quaternions `[..., 4]` as an array; `names` of the rows are told where one is none."""
    array = check_array(at, value, shape, far=1e3, what="in a quaternion")
    lengths = np.linalg.norm(array, axis=-1)
    off = np.abs(lengths - 1) > UNIT
    if off.any():
        where = np.unravel_index(off.argmax(), off.shape)
        row = "" if names is None else f" of {names[where[-1]]}"
        row += f" in frame {where[0]}" if len(where) > 1 else ""
        refuse(
            at, f"the quaternion{row} has length {lengths[where]:.3g}, a rotation's has 1", "Divide it by its length."
        )
    return array


def check_time(at, value, duration, what="It"):
    """Seconds within the clip."""
    check_number(at, value, -np.inf, np.inf, "seconds")
    if not -SLACK <= value <= duration + SLACK:
        refuse(
            at, f"{value:.2f} s lies outside the clip of {duration:.2f} s",
            f"Move {what} into the clip, or lengthen it.",
        )  # fmt: skip


def check_span(at, item, duration, what):
    """`start` and `end` of an item: within the clip, and in order."""
    check_time(at.of("start"), item.start, duration, what)
    if item.end is None:
        return
    check_time(at.of("end"), item.end, duration, what)
    if item.end < item.start:
        refuse(
            at.of("end"),
            f"{item.end:.2f} s lies before the start at {item.start:.2f} s",
            "Choose a start before the end.",
        )


def check_joint(at, name):
    """A joint's name."""
    if not isinstance(name, str) or name not in INDEX:
        refuse(at, f"unknown joint: {name}", f"Choose one of {', '.join(INDEX)}.")


def check_joints(at, names, may_be_none=False):
    """Joints' names, each once."""
    if isinstance(names, str) or not isinstance(names, tuple | list):
        refuse(at, "these are no names of joints", "Give a list of them.")
    for number, name in enumerate(names):
        if not isinstance(name, str) or name not in INDEX:
            check_joint(at.item(number), name)
    if len(set(names)) < len(names):
        twice = next(n for i, n in enumerate(names) if n in names[:i])
        refuse(at, f"{twice} is named twice", "Name each joint once.")
    if not names and not may_be_none:
        refuse(at, "no joint is named", "Name one or more, or leave the list out for all.")


def check_tuple(at, items):
    """A tuple or list of items."""
    if not isinstance(items, tuple | list):
        refuse(at, f"{_short(items)} is no list", "Give a list.")


def check_kind(at, value, kind):
    """An instance of a class of core.request (or of one of several)."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        refuse(at, f"{_short(value)} is no {' or '.join(k.__name__ for k in kinds)}", "Give one.")


def _short(value):
    try:
        text = repr(value)
    except ValueError:  # Python writes no whole numbers of more than 4300 digits
        return f"a number of {value.bit_length()} bits"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _named(shape):
    return f"[{', '.join('any' if n is None else str(n) for n in shape)}]"
