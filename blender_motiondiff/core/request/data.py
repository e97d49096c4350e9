"""What can be asked of the core, and what it answers: plain data.

Times are seconds from the start of the clip, real-valued; places are metres with Z up and the ground at z = 0; angles
are radians; quaternions w, x, y, z. `end=None` means the end of the clip. `weight`: HARD binds exactly, where that can
be met; a number is a wish of that strength (1 is usual, 0 is none), weighed against the motion's naturalness.
"""

from dataclasses import dataclass, field

import numpy as np

from ..motion import FPS, Motion
from ..skeleton import JOINTS, Body

HARD = float("inf")
SHORTEST = 0.5  # seconds
LONGEST = 600.0  # seconds
MOST_TAKES = 64
DRAFT_STEPS, STANDARD_STEPS = 1, 2  # calls of the network a take, at the two settings that animators choose from
# How far answers are pushed towards words by themselves. On the clips to choose by, two steps, a classifier recognises
# 0.70 of them at 1, 0.75 at 2 and at 3; the Frechet distance is 11.5, 9.2 and 7.9, feet slide least at 1 and 2.
TEXT_GUIDANCE = 2.0
SAMPLERS = ("ddim", "ddpm", "lcm", "mixed")
ALONG, FREE, GIVEN = "along", "free", "given"  # headings of a path


class RequestError(ValueError):
    """A request that can't be met as it stands; the message names the thing, the cause and the remedy."""


# --- what binds one character -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """Where the pelvis is over time.

    `times [K]` rising; NaN for waypoints without one: they get theirs from their neighbours at an even speed, within
    `earliest [K]`, `latest [K]` where those are given (NaN: no bound). `points [K, 2]` on the ground.
    `sparse`: only the waypoints bind, between them the way is the character's own; else the line through them binds.
    `heading`: ALONG the path, FREE, or GIVEN as `headings [K]` (radians about Z, 0 faces -Y).
    `heights [K]`: of the pelvis, NaN where it is free. `raw`: the pelvis itself is bound, else the smoothed one (hips
    may sway). `weight`: HARD, or how firmly (0 to 1) the path is followed.
    """

    times: np.ndarray
    points: np.ndarray
    sparse: bool = False
    earliest: np.ndarray | None = None
    latest: np.ndarray | None = None
    heading: str = ALONG
    headings: np.ndarray | None = None
    heights: np.ndarray | None = None
    raw: bool = False
    weight: float = HARD


@dataclass(frozen=True)
class Key:
    """A pose to pass through at `time`.

    `rotations [22, 4]`: local, as in Motion. `joints`: names of those whose rotations are bound; a full key binds all.
    `root [3]`: the pelvis' place if it is bound as well, else None. `places [22, 3]`: joints' places in the world that
    are bound, NaN elsewhere. `tolerance`: metres by which every joint may stray (rough blocking); 0 binds exactly.
    """

    time: float
    rotations: np.ndarray
    joints: tuple[str, ...] = JOINTS
    root: np.ndarray | None = None
    places: np.ndarray | None = None
    tolerance: float = 0.0


@dataclass(frozen=True)
class Pin:
    """One joint held from `start` to `end`: `place [3]`, `rotation [4]` against the world, or both."""

    joint: str
    start: float = 0.0
    end: float | None = None
    place: np.ndarray | None = None
    rotation: np.ndarray | None = None
    weight: float = HARD


@dataclass(frozen=True)
class Vary:
    """How far an existing motion is changed (Character.motion is the source).

    `strength` 0 keeps it, 1 makes it anew; only `joints` from `start` to `end` change.
    """

    strength: float
    joints: tuple[str, ...] = JOINTS
    start: float = 0.0
    end: float | None = None


@dataclass(frozen=True)
class Character:
    """One character: its body, and what is known of its motion.

    `motion`: an existing one (frames on the request's own grid of times). `keep [T, 22]`: how far each joint of it is
    kept, 0 to 1 with soft edges; None keeps all of it. The pelvis' column keeps its place as well.
    """

    name: str
    body: Body
    path: Path | None = None
    keys: tuple[Key, ...] = ()
    pins: tuple[Pin, ...] = ()
    motion: Motion | None = None
    keep: np.ndarray | None = None
    vary: Vary | None = None

    @property
    def given(self):
        """Whether the whole of its motion is there already and stays."""
        return self.motion is not None and self.keep is None and self.vary is None


# --- what binds characters to each other and to the world -------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What a character faces or looks at: the `partner`, a `point [3]`, or a `direction [3]`; exactly one of them."""

    partner: bool = False
    point: np.ndarray | None = None
    direction: np.ndarray | None = None


@dataclass(frozen=True)
class Contact:
    """Two joints, of one body or of two, held `distance` metres apart. A joint is (character's number, its name)."""

    first: tuple[int, str]
    second: tuple[int, str]
    distance: float = 0.0
    start: float = 0.0
    end: float | None = None
    weight: float = HARD


@dataclass(frozen=True)
class Spacing:
    """The distance on the ground between both characters' pelvises stays between `least` and `most` metres."""

    least: float = 0.0
    most: float = HARD
    start: float = 0.0
    end: float | None = None
    weight: float = HARD


@dataclass(frozen=True)
class Facing:
    """The pelvis of `character` (its number) turns towards a target."""

    character: int
    target: Target
    start: float = 0.0
    end: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class LookAt:
    """The head of `character` (its number) turns towards a target, as far as neck and chest allow."""

    character: int
    target: Target
    start: float = 0.0
    end: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Sync:
    """Both characters do as the other does at the same time; `mirror`: with left and right changed. A wish."""

    mirror: bool = False
    start: float = 0.0
    end: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Solo:
    """How far `joints` of both characters move as they would if nobody else were there: `weight` 0 not, 1 wholly."""

    joints: tuple[str, ...] = JOINTS
    start: float = 0.0
    end: float | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Sphere:
    """A ball."""

    centre: np.ndarray
    radius: float


@dataclass(frozen=True)
class Capsule:
    """All points within `radius` of the line from `start [3]` to `stop [3]`."""

    start: np.ndarray
    stop: np.ndarray
    radius: float


@dataclass(frozen=True)
class Box:
    """A box with half lengths `half [3]` along its own axes, turned by `rotation [4]` about its `centre [3]`."""

    centre: np.ndarray
    half: np.ndarray
    rotation: np.ndarray = field(default_factory=lambda: np.array([1.0, 0.0, 0.0, 0.0]))


@dataclass(frozen=True)
class Grid:
    """Signed distances `values [X, Y, Z]`, metres, negative inside, at index * `cell` metres from `origin [3]`.

    The grid's axes are the world's turned by `angle` radians about Z.
    """

    origin: np.ndarray
    cell: float
    values: np.ndarray
    angle: float = 0.0


@dataclass(frozen=True)
class Obstacle:
    """A shape that `joints` (with their flesh) of every character keep `margin` metres away from."""

    shape: Sphere | Capsule | Box | Grid
    margin: float = 0.0
    joints: tuple[str, ...] = JOINTS
    start: float = 0.0
    end: float | None = None
    weight: float = HARD


@dataclass(frozen=True)
class Ground:
    """Heights of the ground `heights [X, Y]`, metres, at index * `cell` from `origin [2]`; held beyond its edges.

    The grid's axes are the world's turned by `angle` radians about Z.
    """

    origin: np.ndarray
    cell: float
    heights: np.ndarray
    angle: float = 0.0


@dataclass(frozen=True)
class Words:
    """What the clip, or the span of it from `start` to `end`, should be: tags or free text."""

    text: str
    start: float = 0.0
    end: float | None = None


# --- the whole --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One clip to be generated for one or two characters.

    `sampler`: one of SAMPLERS. `steps`: calls of the network a take. `repaint`: passes over every step with renoising
    between them (RePaint), 1 for none. `constraint_guidance`, `text_guidance`: how far the answer is pushed away from
    what it would be without constraints, without words (classifier-free guidance; 1 is none).
    """

    characters: tuple[Character, ...]
    duration: float
    seed: int = 0
    takes: int = 1
    sampler: str = "ddim"
    steps: int = DRAFT_STEPS
    repaint: int = 1
    constraint_guidance: float = 1.0
    text_guidance: float = TEXT_GUIDANCE
    cleanup: bool = True
    contacts: tuple[Contact, ...] = ()
    spacings: tuple[Spacing, ...] = ()
    facings: tuple[Facing, ...] = ()
    look_ats: tuple[LookAt, ...] = ()
    syncs: tuple[Sync, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    ground: Ground | None = None
    words: tuple[Words, ...] = ()
    solos: tuple[Solo, ...] = ()

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
