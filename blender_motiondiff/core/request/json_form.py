"""A request as JSON text and back: the dataclasses of data.py field by field (docs/request.md shows each kind).

Fields at their defaults are left out. NaN in arrays is null, HARD is "hard", a shape says its `kind`. What people
write more briefly than the data hold it (keys of a few joints, bodies, motions in files, soft masks) is in
json_short.py.
"""

import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path as FilePath

import numpy as np

from ..motion import Motion
from ..skeleton import Body
from .checks_values import At, refuse
from .data import HARD, Box, Capsule, Character, Grid, Key, Pin, Request, RequestError, Sphere
from .json_short import (
    Source,
    array_from,
    body_from,
    body_to,
    keep_from,
    keep_to,
    key_from,
    key_to,
    listed,
    motion_from,
    motion_to,
    number_from,
    unit_from,
)

SCHEMA = 2
READABLE = (1, 2)
SHAPES = {"sphere": Sphere, "capsule": Capsule, "box": Box, "grid": Grid}
WIDTH = 110  # characters up to which a list or an object stands on one line


# --- writing ----------------------------------------------------------------------------------------------------------


def to_json(request):
    """The request as a JSON text; `from_json` gives the same request back."""
    return _laid_out({"schema": SCHEMA, **_plain(request)}) + "\n"


def _plain(value, name=""):
    if isinstance(value, Character):
        return _plain_character(value)
    if isinstance(value, Key):
        return key_to(value)
    if is_dataclass(value):
        kind = next((k for k, shape in SHAPES.items() if isinstance(value, shape)), None)
        out = {} if kind is None else {"kind": kind}
        return out | {
            f.name: _plain(getattr(value, f.name), f.name) for f in fields(value) if not _is_default(value, f)
        }
    if isinstance(value, np.ndarray):
        return listed(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return "hard" if name == "weight" and value == HARD else value


def _is_default(owner, field):
    value = getattr(owner, field.name)
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    if default is MISSING:
        return False
    if isinstance(value, np.ndarray) or isinstance(default, np.ndarray):
        return default is not None and np.array_equal(value, default)
    return value is default or (type(value) is type(default) and value == default)


def _plain_character(character):
    out = {}
    for field in fields(character):
        value = getattr(character, field.name)
        if field.name == "body":
            written = body_to(value, character.motion)
        elif field.name == "motion" and value is not None:
            written = motion_to(value, character.body)
        elif field.name == "keep" and value is not None:
            written = keep_to(value)
        else:
            written = None if _is_default(character, field) else _plain(value)
        if written is not None:
            out[field.name] = written
    return out


def _laid_out(value, tab=""):
    """JSON with one line for what is short, and one row a line for long arrays."""
    if isinstance(value, dict) and value:
        rows = [f"{json.dumps(k)}: {_laid_out(v, tab + ' ')}" for k, v in value.items()]
        ends = "{}"
    elif isinstance(value, list) and value and isinstance(value[0], dict | list):
        rows, ends = [_laid_out(v, tab + " ") if isinstance(v, dict) else json.dumps(v) for v in value], "[]"
    else:
        return json.dumps(value)
    length = sum(map(len, rows)) + 2 * len(rows)
    if length + len(tab) <= WIDTH and not any("\n" in row for row in rows) and tab:
        return ends[0] + ", ".join(rows) + ends[1]
    inside = f",\n{tab} ".join(rows)
    return f"{ends[0]}\n{tab} {inside}\n{tab}{ends[1]}"


# --- reading ----------------------------------------------------------------------------------------------------------


def from_json(text, folder=None):
    """A request from its JSON text. `folder`: where the motion files that it names lie; None if it may name none.

    Raises RequestError, which names the field by its path, when the text is not one of the schemas that are read.
    """
    try:
        data = json.loads(text, object_pairs_hook=_without_repeats)
    except RequestError:
        raise
    except (ValueError, RecursionError) as error:
        raise RequestError(f"This is not a MotionDiff request ({error}). Correct the JSON text.") from error
    if not isinstance(data, dict) or "schema" not in data:
        raise RequestError('This is not a MotionDiff request: it names no schema. Begin with {"schema": 2, ...}.')
    schema = data.pop("schema")
    if schema not in READABLE or isinstance(schema, bool):
        raise RequestError(
            f"schema: the request has schema {schema}, this version reads 1 and {SCHEMA}. Update MotionDiff."
        )
    at = At("")
    source = Source(None if folder is None else FilePath(folder), data.get("duration"))
    return _read_object(Request, data, at, source)


def _without_repeats(pairs):
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise RequestError(f"{name}: this field stands twice in one object. Remove one of them.")
        seen.add(name)
    return dict(pairs)


def _read_object(kind, data, at, source, ready=()):
    """An instance of a dataclass from an object. `ready`: values of fields that are read already, by name."""
    if not isinstance(data, dict):
        refuse(at if at.path else At("request"), "an object belongs here", 'Write {"field": value, ...}.')
    known = [f.name for f in fields(kind)]
    for name in data:
        if name not in known:
            refuse(at.of(name), "this field is not known", f"Choose one of {', '.join(known)}.")
    values = dict(ready)
    for field in fields(kind):
        if field.name in values:
            continue
        if field.name in data:
            values[field.name] = _read(field.type, data[field.name], at.of(field.name), source)
        elif field.default is MISSING and field.default_factory is MISSING:
            refuse(at.of(field.name), "it is missing", "Add it.")
    return kind(**values)


def _read(kind, value, at, source):
    if isinstance(kind, types.UnionType):
        return _read_union(typing.get_args(kind), value, at, source)
    if typing.get_origin(kind) is tuple:
        return _read_tuple(typing.get_args(kind), value, at, source)
    if kind in READERS:
        return READERS[kind](value, at, source)
    return _read_object(kind, value, at, source)


def _read_union(kinds, value, at, source):
    if value is None and types.NoneType in kinds:
        return None
    kinds = [k for k in kinds if k is not types.NoneType]
    if len(kinds) == 1:
        return _read(kinds[0], value, at, source)
    if not isinstance(value, dict) or value.get("kind") not in SHAPES:
        refuse(at.of("kind"), "it says no known kind of shape", f"Choose one of {', '.join(SHAPES)}.")
    rest = {name: v for name, v in value.items() if name != "kind"}
    shape = SHAPES[value["kind"]]
    ready = {"rotation": unit_from(rest["rotation"], at.of("rotation"))} if shape is Box and "rotation" in rest else {}
    return _read_object(shape, rest, at, source, ready)


def _read_tuple(kinds, value, at, source):
    if not isinstance(value, list):
        refuse(at, "a list belongs here", "Write [...].")
    if kinds[-1] is not Ellipsis:
        if len(value) != len(kinds):
            refuse(at, f"{len(value)} values stand where {len(kinds)} belong", "Correct the list.")
        return tuple(_read(k, v, at.item(i), source) for i, (k, v) in enumerate(zip(kinds, value)))
    return tuple(_read(kinds[0], v, at.item(i), source) for i, v in enumerate(value))


def _read_character(value, at, source):
    if not isinstance(value, dict):
        return _read_object(Character, value, at, source)
    body = None if value.get("body") is None else body_from(value["body"], at.of("body"))
    motion = None if value.get("motion") is None else motion_from(value["motion"], at.of("motion"), source, body)
    ready = {"body": body or body_from(None if motion is None else motion.body, at), "motion": motion}
    if value.get("keep") is not None:
        ready["keep"] = keep_from(value["keep"], at.of("keep"), source)
    return _read_object(Character, value, at, source, ready)


def _read_key(value, at, source):
    ready = key_from(value, at) if isinstance(value, dict) else ()
    return _read_object(Key, value, at, source, ready)


def _read_pin(value, at, source):
    turned = isinstance(value, dict) and value.get("rotation") is not None
    ready = {"rotation": unit_from(value["rotation"], at.of("rotation"))} if turned else ()
    return _read_object(Pin, value, at, source, ready)


def _exactly(kind, what):
    def read(value, at, source):
        if type(value) is not kind:
            refuse(at, f"{json.dumps(value)[:40]} is no {what}", f"Write a {what}.")
        return value

    return read


READERS = {
    float: lambda value, at, source: number_from(value, at),
    int: _exactly(int, "whole number"),
    bool: _exactly(bool, "true or false"),
    str: _exactly(str, "text"),
    np.ndarray: lambda value, at, source: array_from(value, at),
    Body: lambda value, at, source: body_from(value, at),
    Motion: lambda value, at, source: motion_from(value, at, source, None),
    Character: _read_character,
    Key: _read_key,
    Pin: _read_pin,
}
