"""What can be asked of the core: data, its checks, its JSON form, and the same request in another place or size."""

from .checks import validate
from .data import (
    ALONG,
    FREE,
    GIVEN,
    HARD,
    LONGEST,
    MOST_TAKES,
    SAMPLERS,
    SHORTEST,
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
    RequestError,
    Solo,
    Spacing,
    Sphere,
    Sync,
    Take,
    Target,
    Vary,
    Words,
)  # fmt: skip  # isort: skip
from .json_form import SCHEMA, from_json, to_json
from .space import moved, with_bodies_scaled

__all__ = [
    "ALONG", "FREE", "GIVEN", "HARD", "LONGEST", "MOST_TAKES", "SAMPLERS", "SCHEMA", "SHORTEST", "Box", "Capsule",
    "Character", "Contact", "Facing", "Grid", "Ground", "Key", "LookAt", "Obstacle", "Path", "Pin", "Request",
    "RequestError", "Solo", "Spacing", "Sphere", "Sync", "Take", "Target", "Vary", "Words", "from_json", "moved",
    "to_json", "validate", "with_bodies_scaled",
]  # fmt: skip
