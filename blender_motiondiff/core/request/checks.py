"""What can't be generated is refused before anything runs."""

import numpy as np

from ..skeleton import COUNT, INDEX
from .data import LONGEST, MOST_TAKES, SHORTEST, RequestError


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
