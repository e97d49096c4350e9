"""What can't be generated is refused before anything runs. Every message begins with the field's path in JSON."""

import numpy as np

from .checks_character import check_character
from .checks_conflicts import check_conflicts
from .checks_scene import check_scene
from .checks_values import At, check_choice, check_flag, check_kind, check_number, check_tuple, check_whole, refuse
from .data import LONGEST, MOST_TAKES, SAMPLERS, SHORTEST, Character

MOST_STEPS, MOST_REPAINT = 1000, 100
STRONGEST_GUIDANCE = 100.0
LARGEST_SEED = 2**63 - 1


def validate(request):
    """Raises RequestError for what can't be generated; returns the request.

    Of two things that bind the same, the contradictory are refused; what may be out of reach (a pin too far away, a
    joint that an obstacle surrounds, a path beside a keyed pelvis) is met as nearly as can be, and the report says so.
    """
    at = At("")
    check_duration(request.duration)
    check_tuple(at.of("characters"), request.characters)
    if not 1 <= len(request.characters) <= 2:
        refuse(at.of("characters"), f"{len(request.characters)} characters were given", "Choose one or two.")
    _check_sampling(at, request)
    for number, character in enumerate(request.characters):
        where = at.of("characters").item(number)
        check_kind(where, character, Character)
        if not isinstance(character.name, str) or not character.name:
            refuse(where.of("name"), "the character has no name", "Give it one.")
        check_character(At(where.path, character.name), character, request)
    _check_something_to_do(at.of("characters"), request.characters)
    check_scene(at, request)
    check_conflicts(at, request)
    return request


def check_duration(duration):
    """Raises RequestError for a clip that is too short or too long."""
    at = At("duration")
    check_number(at, duration, -np.inf, np.inf, "seconds")
    if not SHORTEST <= duration <= LONGEST:
        refuse(
            at, f"the clip lasts {duration:.2f} s",
            f"Choose an end between {SHORTEST:.2f} and {LONGEST:.0f} s after its start.",
        )  # fmt: skip


def _check_sampling(at, request):
    check_whole(at.of("seed"), request.seed, 0, LARGEST_SEED, "as a seed")
    check_whole(at.of("takes"), request.takes, 1, MOST_TAKES, "takes")
    check_choice(at.of("sampler"), request.sampler, SAMPLERS)
    check_whole(at.of("steps"), request.steps, 1, MOST_STEPS, "sampling steps")
    check_whole(at.of("repaint"), request.repaint, 1, MOST_REPAINT, "passes")
    for name in ("constraint_guidance", "text_guidance"):
        check_number(at.of(name), getattr(request, name), 0.0, STRONGEST_GUIDANCE, "of guidance")
    check_flag(at.of("cleanup"), request.cleanup)


def _check_something_to_do(at, characters):
    if all(_stays(c) for c in characters):
        refuse(at, "every character is animated already", "Leave one to be generated.")
    if not any(c.path is not None or c.keys or c.pins or c.motion is not None for c in characters):
        names = " and ".join(c.name for c in characters)
        verb = "has" if len(characters) == 1 else "have"
        refuse(
            at if len(characters) > 1 else at.item(0), f"{names} {verb} no path and no keys",
            "Draw a path, or key a pose within the clip.",
        )  # fmt: skip


def _stays(character):
    if character.given:
        return True
    return character.motion is not None and character.vary is None and bool(np.min(character.keep) >= 1)
