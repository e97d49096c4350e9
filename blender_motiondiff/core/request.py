"""What can be asked of the core, and what it answers: plain data, to and from JSON.

Times are seconds from the start of the clip, real-valued; places are metres with Z up and the ground at z = 0; angles
are radians; quaternions w, x, y, z.
"""

import json
from dataclasses import dataclass, field, replace

import numpy as np

from .motion import FPS, Motion
from .skeleton import COUNT, INDEX, JOINTS, Body

SCHEMA = 1
SHORTEST = 2.0 / FPS  # seconds
LONGEST = 60.0  # seconds
MOST_TAKES = 16


class RequestError(ValueError):
    """A request that can't be met as it stands; the message names the thing, the cause and the remedy."""


@dataclass(frozen=True)
class Path:
    """Where the smoothed pelvis is over time: `times [K]` rising, `points [K, 2]` on the ground."""

    times: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Key:
    """A pose to pass through at `time`.

    `rotations [22, 4]`: local, as in Motion. `joints`: names of those that are bound; a full key binds all 22.
    `root [3]`: the pelvis' place if it is bound as well, else None.
    """

    time: float
    rotations: np.ndarray
    joints: tuple[str, ...] = JOINTS
    root: np.ndarray | None = None


@dataclass(frozen=True)
class Character:
    """One character: its body, and what is known of its motion.

    `motion`: the whole of it, if the character is animated already (frames on the request's own grid of times).
    """

    name: str
    body: Body
    path: Path | None = None
    keys: tuple[Key, ...] = ()
    motion: Motion | None = None


@dataclass(frozen=True)
class Request:
    """One clip to be generated for one or two characters."""

    characters: tuple[Character, ...]
    duration: float
    seed: int = 0
    takes: int = 1
    steps: int = 1
    cleanup: bool = True

    @property
    def frames(self):
        """Frames of the core's grid, both ends included."""
        return int(round(self.duration * FPS)) + 1


@dataclass(frozen=True)
class Take:
    """One answer: a motion a character, all on `times [T]` (seconds), with a report of what was met and how well.

    `contacts [P, T, 4]`: probability that each foot joint (skeleton.FEET) stands.
    """

    motions: tuple[Motion, ...]
    times: np.ndarray
    contacts: np.ndarray
    report: dict = field(default_factory=dict)


def validate(request):
    """Raises RequestError for what can't be generated; returns the request."""
    if not SHORTEST <= request.duration <= LONGEST:
        raise RequestError(
            f"The clip lasts {request.duration:.2f} s. "
            f"Choose an end between {SHORTEST:.2f} and {LONGEST:.0f} s after its start."
        )
    if not 1 <= len(request.characters) <= 2:
        raise RequestError(f"{len(request.characters)} characters were given. Choose one or two.")
    if not 1 <= request.takes <= MOST_TAKES:
        raise RequestError(f"{request.takes} takes were asked for. Ask for 1 to {MOST_TAKES}.")
    if not 1 <= request.steps <= 1000:
        raise RequestError(f"{request.steps} sampling steps were asked for. Ask for 1 to 1000.")
    for character in request.characters:
        _validate_character(character, request)
    if all(c.motion is not None for c in request.characters):
        raise RequestError("Every character is animated already. Leave one to be generated.")
    if len(request.characters) == 1 and request.characters[0].path is None and not request.characters[0].keys:
        name = request.characters[0].name
        raise RequestError(f"{name} has no path and no keys. Draw a path, or key a pose within the clip.")
    return request


def _validate_character(character, request):
    name, path, motion = character.name, character.path, character.motion
    if character.body.offsets.shape != (COUNT, 3) or not character.body.leg > 1e-6:
        raise RequestError(f"{name} has no usable body. Check that its leg bones have a length.")
    if path is not None:
        if len(path.times) != len(path.points) or len(path.times) < 2 or not (np.diff(path.times) > 0).all():
            raise RequestError(f"The path of {name} needs two or more points with rising times.")
        if not np.isfinite(path.points).all():
            raise RequestError(f"The path of {name} holds a place that is no number. Redraw it.")
        if np.linalg.norm(np.diff(path.points, axis=0), axis=1).sum() < 0.01 * character.body.size:
            raise RequestError(f"The path of {name} has no length. Draw a longer one, or remove it and key a pose.")
    for key in character.keys:
        if not -1e-6 <= key.time <= request.duration + 1e-6:
            raise RequestError(
                f"A key of {name} lies at {key.time:.2f} s, outside the clip of {request.duration:.2f} s."
            )
        unknown = [j for j in key.joints if j not in INDEX]
        if unknown:
            raise RequestError(f"A key of {name} names an unknown joint: {', '.join(unknown)}.")
    if motion is not None and motion.frames != request.frames:
        raise RequestError(f"The motion of {name} has {motion.frames} frames where the clip has {request.frames}.")


# --- JSON -------------------------------------------------------------------------------------------------------------


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


def with_bodies_scaled(request, factor):
    """The same request in a world `factor` times as large."""
    return replace(request, characters=tuple(_scaled_character(c, factor) for c in request.characters))


def _scaled_character(c, f):
    body = c.body.scaled(f)
    return replace(
        c,
        body=body,
        path=None if c.path is None else replace(c.path, points=np.asarray(c.path.points) * f),
        keys=tuple(replace(k, root=None if k.root is None else np.asarray(k.root) * f) for k in c.keys),
        motion=None if c.motion is None else replace(c.motion, root=c.motion.root * f, body=body),
    )
