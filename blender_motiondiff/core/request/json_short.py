"""What JSON says more briefly than the data: bodies by measures, keys of a few joints, motions in files, masks."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

from .. import rotations as rot
from ..motion import FPS, Motion, resample, scaled
from ..skeleton import AVERAGE, COUNT, INDEX, JOINTS, PARENTS, Body, Measures, average_body, make_body
from .checks import check_duration
from .checks_values import check_joints, refuse
from .data import HARD

ROUNDED = 1e-2  # quaternions written with few digits are brought to length 1 where they are nearer than this
EXACT = 1e-6  # and left alone where they are nearer than this


@dataclass(frozen=True)
class Source:
    """What a reader needs besides the text: the folder of the files it names, and the clip's duration as written."""

    folder: Path | None
    duration: object

    @property
    def times(self):
        """The clip's frames, seconds. Raises RequestError for a clip that is too long or too short."""
        check_duration(self.duration)
        return np.arange(int(round(self.duration * FPS)) + 1) / FPS


# --- numbers ----------------------------------------------------------------------------------------------------------


def number_from(value, at):
    """A float; "hard" stands for a weight that binds."""
    if value == "hard" and at.path.endswith("weight"):
        return HARD
    if isinstance(value, bool) or not isinstance(value, int | float):
        refuse(at, f"{str(value)[:40]!r} is no number", "Write a number.")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def array_from(value, at):
    """A float array from numbers in lists; null is NaN."""
    try:
        array = np.array(value)
        flat = array.ravel()
        if array.dtype.kind == "O":
            plain = all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in flat)
        else:
            plain = array.dtype.kind in "iuf"
        if plain:
            return array.astype(float)
    except (ValueError, TypeError, OverflowError):
        pass
    return refuse(at, "these are no numbers in rows of one length", "Write lists of numbers.")


def unit_from(value, at):
    """Quaternions; those written with few digits are brought to length 1."""
    array = array_from(value, at)
    if array.ndim == 0 or array.shape[-1] != 4:
        return array
    length = np.linalg.norm(array, axis=-1, keepdims=True)
    off = np.abs(length - 1)
    return np.where((off > EXACT) & (off <= ROUNDED), array / np.where(length > 0, length, 1), array)


def listed(array):
    """Numbers in lists as JSON holds them: NaN as null."""
    array = np.asarray(array, float)
    if not np.isnan(array).any():
        return array.tolist()
    out = array.astype(object)
    out[np.isnan(array)] = None
    return out.tolist()


# --- bodies -----------------------------------------------------------------------------------------------------------


def body_from(value, at):
    """A Body from offsets `[22, 3]`, or from `height_scale` and measures (those left out are the average's)."""
    if value is None:
        return average_body()
    if isinstance(value, Body):
        return value
    if not isinstance(value, dict):
        return Body(array_from(value, at))
    names = [f.name for f in fields(Measures)]
    for name in value:
        if name not in [*names, "height_scale"]:
            refuse(at.of(name), "this measure is not known", f"Choose one of height_scale, {', '.join(names)}.")
    numbers = {name: number_from(v, at.of(name)) for name, v in value.items()}
    factor = numbers.pop("height_scale", 1.0)
    body = make_body(Measures(**(asdict(AVERAGE) | numbers)))
    return body if factor == 1.0 else body.scaled(factor)


def body_to(body, motion):
    """What stands for the body, or None where it goes without saying."""
    usual = average_body() if motion is None else None
    if usual is not None and np.array_equal(body.offsets, usual.offsets):
        return None
    return listed(body.offsets)


# --- keys -------------------------------------------------------------------------------------------------------------


def key_from(value, at):
    """Fields of a Key that may be given by joint: `rotations` with `joints`, and `places`."""
    out = {}
    rotations = value.get("rotations", {})
    if isinstance(rotations, dict):
        out["rotations"], joints = _by_joint(rotations, at.of("rotations"), rot.IDENTITY, unit_from)
    else:
        out["rotations"], joints = unit_from(rotations, at.of("rotations")), JOINTS
    if "joints" not in value:
        out["joints"] = joints
    if isinstance(value.get("places"), dict):
        out["places"], _ = _by_joint(value["places"], at.of("places"), np.full(3, np.nan), array_from)
    return out


def _by_joint(data, at, rest, read):
    rows = np.tile(rest, (COUNT, 1))
    check_joints(at, tuple(data), may_be_none=True)
    for name, value in data.items():
        row = read(value, at.of(name))
        if row.shape != rest.shape:
            refuse(at.of(name), f"{row.size} numbers stand where {len(rest)} belong", "Correct the list.")
        rows[INDEX[name]] = row
    return rows, tuple(data)


def key_to(key):
    """A Key as JSON holds it: by joint where that says everything."""
    out = {"time": float(key.time)}
    rotations = np.asarray(key.rotations, float)
    named = len(set(key.joints)) == len(key.joints) and set(key.joints) <= set(INDEX)
    others = [j for j in range(COUNT) if JOINTS[j] not in key.joints]
    if key.joints == JOINTS or not named or rotations.shape != (COUNT, 4):
        out["rotations"] = listed(rotations)
    elif np.array_equal(rotations[others], np.tile(rot.IDENTITY, (len(others), 1))):
        out["rotations"] = {j: listed(rotations[INDEX[j]]) for j in key.joints}
    else:
        out["rotations"] = listed(rotations)
    if isinstance(out["rotations"], list) and key.joints != JOINTS:
        out["joints"] = list(key.joints)
    if key.root is not None:
        out["root"] = listed(key.root)
    if key.places is not None:
        out["places"] = {JOINTS[j]: listed(row) for j, row in enumerate(key.places) if not np.isnan(row).all()}
    if key.tolerance != 0.0:
        out["tolerance"] = float(key.tolerance)
    return out


# --- motions ----------------------------------------------------------------------------------------------------------


def motion_from(value, at, source, body):
    """A Motion from arrays, or from a file brought to the clip's frames and onto the character's body if it has one."""
    if not isinstance(value, dict):
        refuse(at, "an object belongs here", 'Write {"file": "clip.bvh"}, or root and rotations.')
    allowed = ("file", "start", "person") if "file" in value else ("root", "rotations", "body", "fps")
    for name in value:
        if name not in allowed:
            refuse(at.of(name), "this field is not known", f"Choose one of {', '.join(allowed)}.")
    if "file" in value:
        return _motion_in_file(value, at, source, body)
    for name in ("root", "rotations"):
        if name not in value:
            refuse(at.of(name), "it is missing", "Add it, or name a file.")
    own = body_from(value["body"], at.of("body")) if "body" in value else body or average_body()
    fps = number_from(value.get("fps", FPS), at.of("fps"))
    return Motion(
        array_from(value["root"], at.of("root")), array_from(value["rotations"], at.of("rotations")), own, fps
    )


def _motion_in_file(value, at, source, body):
    # The files' readers know requests and takes, so they can't be imported before this package stands.
    from ..files import motions
    from ..files.recording import FileError

    name, start = value["file"], number_from(value.get("start", 0.0), at.of("start"))
    if not isinstance(name, str) or not name:
        refuse(at.of("file"), "it names no file", "Write a name such as clip.bvh.")
    if source.folder is None:
        refuse(at.of("file"), f"{name} can't be found, as this request has no folder", "Write the motion out.")
    if not 0 <= start < np.inf:
        refuse(at.of("start"), f"{start:g} s is no time in a file", "Write seconds from its first frame on.")
    try:
        found, times = motions.read(source.folder / name, value.get("person", 0))
    except FileError as error:
        refuse(at.of("file"), str(error).rstrip("."), "The path is seen from the request's own folder.")
    if body is not None and found.body is not body:
        found = replace(scaled(found, body.size / found.body.size), body=body)
    return replace(resample(found, source.times + start, times), fps=FPS)


def motion_to(motion, body):
    """A Motion as JSON holds it; its body only where it is not the character's."""
    out = {"root": listed(motion.root), "rotations": listed(motion.rotations)}
    if not np.array_equal(motion.body.offsets, body.offsets):
        out["body"] = listed(motion.body.offsets)
    return out if motion.fps == FPS else out | {"fps": float(motion.fps)}


# --- masks ------------------------------------------------------------------------------------------------------------


def keep_from(value, at, source):
    """`keep [T, 22]` from rows of shares, or from spans: the largest share of any of them counts."""
    spans = [value] if isinstance(value, dict) else value
    if not isinstance(spans, list) or not spans or not isinstance(spans[0], dict):
        return array_from(value, at)
    at_items = [at] if isinstance(value, dict) else [at.item(i) for i in range(len(spans))]
    return np.max([_span_of(span, where, source) for span, where in zip(spans, at_items)], axis=0)


def _span_of(span, at, source):
    """Shares `[T, 22]`: 1 for `joints` from `start` to `end`; outside it fades over seconds and bones."""
    names = ("joints", "start", "end", "fade", "fade_bones")
    if not isinstance(span, dict):
        refuse(at, "an object belongs here", "Write spans as objects, or the whole as rows of 22 shares.")
    for name in span:
        if name not in names:
            refuse(at.of(name), "this field is not known", f"Choose one of {', '.join(names)}.")
    times = source.times
    last = times[-1] if span.get("end") is None else number_from(span["end"], at.of("end"))
    numbers = {n: number_from(span.get(n, 0.0), at.of(n)) for n in ("start", "fade", "fade_bones")}
    for name, number in numbers.items():
        if not 0 <= number < np.inf:
            refuse(at.of(name), f"{number:g} is no length of time or of bones", "Write 0 or more.")
    if not numbers["start"] <= last <= source.duration + 1e-6:
        refuse(at.of("end"), f"{last:.2f} s lies before the start or outside the clip", "Choose a span in the clip.")
    joints = span.get("joints", list(JOINTS))
    check_joints(at.of("joints"), joints)
    away = np.maximum(np.maximum(numbers["start"] - times, times - last), 0.0)
    in_time = np.clip(1.0 - away / max(numbers["fade"], 1e-6), 0.0, 1.0)
    steps = _bones_between()[:, [INDEX[j] for j in joints]].min(1)
    over_bones = np.clip(1.0 - steps / (numbers["fade_bones"] + 1.0), 0.0, 1.0)
    return (in_time * in_time * (3 - 2 * in_time))[:, None] * over_bones[None]


def _bones_between():
    """Number of bones between any two joints, `[22, 22]`."""
    far = np.full((COUNT, COUNT), COUNT)
    for j in range(COUNT):
        far[j, j] = 0
        if j:
            far[j, :j] = far[:j, j] = far[PARENTS[j], :j] + 1
    return far


def keep_to(keep):
    """Rows of shares, whole numbers where they are."""
    keep = np.asarray(keep, float)
    return keep.astype(int).tolist() if np.isin(keep, (0, 1)).all() else listed(keep)
