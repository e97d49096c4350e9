"""A request as JSON text and back."""

import json

import numpy as np

from ..motion import Motion
from ..skeleton import Body
from .data import Character, Key, Path, Request, RequestError

SCHEMA = 1


def to_json(request):
    """The request as a JSON text; `from_json` gives the same request back."""
    return json.dumps(_plain(request), indent=1)


def _plain(request):
    return {
        "schema": SCHEMA,
        "duration": request.duration,
        "seed": request.seed,
        "takes": request.takes,
        "steps": request.steps,
        "cleanup": request.cleanup,
        "characters": [_plain_character(c) for c in request.characters],
    }


def _plain_character(c):
    out = {"name": c.name, "body": c.body.offsets.tolist()}
    if c.path is not None:
        out["path"] = {"times": np.asarray(c.path.times).tolist(), "points": np.asarray(c.path.points).tolist()}
    if c.keys:
        out["keys"] = [
            {
                "time": k.time,
                "rotations": np.asarray(k.rotations).tolist(),
                "joints": list(k.joints),
                "root": None if k.root is None else np.asarray(k.root).tolist(),
            }
            for k in c.keys
        ]
    if c.motion is not None:
        out["motion"] = {"root": c.motion.root.tolist(), "rotations": c.motion.rotations.tolist()}
    return out


def from_json(text):
    """A request from its JSON text. Raises RequestError when the text is not one of this schema."""
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise RequestError(
                f"The request has schema {data['schema']}; this version reads {SCHEMA}. Update MotionDiff."
            )
        names = ("duration", "seed", "takes", "steps", "cleanup")
        characters = tuple(_character(c) for c in data["characters"])
        return Request(characters=characters, **{n: data[n] for n in names if n in data})
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError(f"This is not a MotionDiff request ({error}). Save one with the extension.") from error


def _character(data):
    body = Body(np.array(data["body"], float))
    path = data.get("path")
    motion = data.get("motion")
    keys = tuple(
        Key(
            time=float(k["time"]),
            rotations=np.array(k["rotations"], float),
            joints=tuple(k["joints"]),
            root=None if k["root"] is None else np.array(k["root"], float),
        )
        for k in data.get("keys", ())
    )
    return Character(
        name=data["name"],
        body=body,
        path=None if path is None else Path(np.array(path["times"], float), np.array(path["points"], float)),
        keys=keys,
        motion=None
        if motion is None
        else Motion(np.array(motion["root"], float), np.array(motion["rotations"], float), body),
    )
