"""Folders of source files as clips: BVH of humanoids, and ASF/AMC, of one person or of two in one world.

NAME.bvh or NAME.amc is one person; NAME_a with NAME_b are two in one world frame (a leads, b follows). The ASF of an
AMC file is the one whose name its own begins with, or the only one there. `index.csv`, where there is one, has a column
clip and any of scale_to_m (metres a unit), fps (where the file is wrong or silent), description, action_class, terms,
split (training, choosing or validation); a clip of two has one row (clip NAME) or two.
"""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.files import asf, bvh
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, positions
from blender_motiondiff.core.skeleton import REFERENCE_LEG

from .dataset import Clip
from .pack import SPLITS, DatasetError, at_core_rate
from .skeletons import SkeletonError, ground_height, motion_of, source_of
from .soundness import JUMP, ROLLS, impossible, jumps

ENDINGS = (".bvh", ".amc")
UNITS = {"metres": 1.0, "centimetres": 0.01, "inches": 0.0254, "millimetres": 0.001, "CMU's units": 0.0254 / 0.45}
LEGS = (0.68, 1.1)  # metres, hip to ankle, of the grown-ups by whose legs a file's unit is told
ANY_LEGS = (0.3, 1.5)  # metres: what a scale that is given may make of them
FASTEST = 60.0  # frames a second that are kept of faster sources; nothing is filtered
SHORTEST = 16  # frames at 30 a second


@dataclass(frozen=True)
class Notes:
    """What happened to clips on the way, in words: lists of (clip, what)."""

    dropped: list
    repaired: list


def read_folder(folder):
    """(clips, rows, Notes) of a folder of source files, at 30 frames a second. Raises DatasetError.

    Rows have clip, action_class, description, terms, partner and split ("" where the folder's index says none).
    """
    folder = Path(folder)
    takes, index = _takes(folder), read_index(folder / "index.csv")
    notes, clips, rows = Notes([], []), {}, {}
    for name, paths in takes.items():
        try:
            found = _take(name, paths, index, notes)
        except (FileError, SkeletonError) as error:
            where = "" if isinstance(error, FileError) else f"{paths[0]}: "
            notes.dropped.append((name, f"{where}{error}"))
            continue
        for clip, row in found:
            clips[clip.name], rows[clip.name] = clip, row
    if not clips:
        raise DatasetError(f"None of the {len(takes)} clips of {folder} can be used. {_first(notes)}")
    for name in set(index) - set(takes) - set(clips):
        notes.dropped.append((name, "stands in index.csv, but there is no such file"))
    return clips, rows, notes


def _first(notes):
    name, why = notes.dropped[0]
    return f"The first, {name}: {why}"


def _takes(folder):
    """Name -> the file of one person, or the two files of a couple."""
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}. Name one with .bvh or .amc files, or the motion data.")
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS):
        if path.stem in files:
            raise DatasetError(f"{path} and {files[path.stem]} are both called {path.stem}. Rename one of them.")
        files[path.stem] = path
    if not files:
        raise DatasetError(f"{folder} holds no .bvh and no .amc file. Put your recordings there.")
    takes = {}
    for stem, path in files.items():
        base = stem[:-2]
        if stem.endswith("_b") and f"{base}_a" in files:
            continue
        pair = stem.endswith("_a") and f"{base}_b" in files
        takes[base if pair else stem] = (path, files[f"{base}_b"]) if pair else (path,)
    return takes


def read_index(path):
    """Rows of a folder's index.csv by clip name, {} where there is none. Raises DatasetError."""
    if not path.exists():
        return {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} can't be read ({error}). Save it as CSV in UTF-8, or take it away.") from error
    if rows and "clip" not in rows[0]:
        raise DatasetError(f"{path} has no column clip. Its columns are clip, scale_to_m, description and so on.")
    for row in rows:
        if row.get("split", "") not in ("", *SPLITS):
            raise DatasetError(f"{path}: split of {row['clip']} is {row['split']!r}. Write one of {', '.join(SPLITS)}.")
        for column in ("scale_to_m", "fps"):
            if _number(row, column) is None and row.get(column):
                raise DatasetError(f"{path}: {column} of {row['clip']} is {row[column]!r}. Write a number over 0.")
    return {row["clip"].removesuffix(".bvh").removesuffix(".amc"): row for row in rows}


def _number(row, column):
    try:
        value = float(row.get(column) or "nan")
    except ValueError:
        return None
    return value if 0.0 < value < np.inf else None


def _take(name, paths, index, notes):
    """[(Clip, row)] of one or two people, both of a couple in one unit and on one length."""
    names = [name] if len(paths) == 1 else [f"{name}_a", f"{name}_b"]
    rows = [index.get(n) or index.get(name) or {} for n in names]
    scale, clips = None, []
    for k, path in enumerate(paths):
        motion, scale, note = read_motion(path, _number(rows[k], "scale_to_m") or scale, _number(rows[k], "fps"))
        if note:
            notes.repaired.append((names[k], note))
        partner = names[1 - k] if len(names) == 2 else ""
        kind = rows[k].get("action_class", "")
        text = f"{kind} {rows[k].get('description', '')}".strip()
        clips.append(at_core_rate(on_ground(names[k], motion, partner, kind, text, notes)))
    lengths = [c.motion.frames for c in clips]
    if min(lengths) < SHORTEST:
        raise SkeletonError(f"it has {min(lengths)} frames at {FPS:g} a second, {SHORTEST} are the fewest")
    if len(set(lengths)) > 1:
        a, b = (n / FPS for n in lengths)
        notes.repaired.append((name, f"of different lengths ({a:.2f} and {b:.2f} s): trimmed to the shorter"))
        clips = [_trimmed(c, min(lengths)) for c in clips]
    wanted = ("description", "terms", "split")
    out = [{"clip": c.name, "action_class": c.action, "partner": c.partner} for c in clips]
    return [(c, o | {w: r.get(w, "") for w in wanted}) for c, o, r in zip(clips, out, rows, strict=True)]


def _trimmed(clip, frames):
    motion = replace(clip.motion, root=clip.motion.root[:frames], rotations=clip.motion.rotations[:frames])
    return replace(clip, motion=motion, contacts=clip.contacts[:frames], good=clip.good[:frames])


def on_ground(name, motion, partner="", kind="", text="", notes=None):
    """A Motion as a Clip: its ground brought to z = 0, contacts labelled, frames about jumps marked."""
    places = positions(motion)
    jumping = jumps(places, motion.fps)
    if jumping.all():
        raise SkeletonError("its joints jump in every frame; clean it up")
    rolling = impossible(motion)
    for flags, what in ((jumping, f"jumps over {JUMP:g} m/s"), (rolling & ~jumping, ROLLS)):
        if notes is not None and flags.any():
            notes.repaired.append((name, f"{flags.sum() / motion.fps:.2f} s about {what} are left out"))
    good = ~(jumping | rolling)
    lift = np.array([0.0, 0.0, ground_height(places[~jumping], motion.body)])
    motion = replace(motion, root=motion.root - lift)
    return Clip(name, motion, label_contacts(places - lift, motion.body, motion.fps), good, partner, kind, text)


# --- one file ---------------------------------------------------------------------------------------------------------


def read_motion(path, scale=None, fps=None):
    """(Motion at 60 frames a second or fewer, metres a unit, what was guessed in words or "") of a BVH or AMC file.

    `scale`: metres a unit; where it is None the file says it or the legs' length tells it. Raises FileError,
    SkeletonError.
    """
    path = Path(path)
    recording = asf.read(asf_of(path), path) if path.suffix.lower() == ".amc" else bvh.read(path)
    names = [*recording.names, *(f"{recording.names[p]}_end" for p in recording.end_parents)]
    parents = np.concatenate([recording.parents, recording.end_parents])
    offsets = np.concatenate([recording.offsets, recording.end_offsets])
    scale = scale or recording.metres_per_unit
    note = ""
    if scale is None:
        scale, note = unit_of(source_of(names, parents, offsets).body.leg)
    source = source_of(names, parents, offsets * scale)
    if not ANY_LEGS[0] <= source.body.leg <= ANY_LEGS[1]:
        raise SkeletonError(f"its scale makes legs of {source.body.leg:.3g} m; correct scale_to_m in index.csv")
    fps = fps or recording.fps
    step = max(1, int(np.ceil(fps / FASTEST - 1e-6)))
    turns = recording.rotations[::step]
    ends = np.tile(rot.IDENTITY, (len(turns), len(recording.end_parents), 1))
    root = recording.translations[::step, 0] * scale
    return motion_of(source, root, np.concatenate([turns, ends], 1), parents, fps / step), scale, note


def unit_of(leg):
    """(metres a unit, what was guessed) by the length of the legs in the file's units."""
    for name, scale in UNITS.items():
        if LEGS[0] <= leg * scale <= LEGS[1]:
            return scale, "" if scale in (1.0, 0.01) else f"its unit is taken to be {name}, by legs of {leg:.3g}"
    scale = REFERENCE_LEG / leg
    return scale, f"legs of {leg:.3g} are in no known unit: scaled by {scale:.4g} to legs of {REFERENCE_LEG} m"


def asf_of(path):
    """The ASF file of an AMC file: the longest name that its own begins with, else the only one. Raises FileError."""
    found = sorted(p for p in path.parent.iterdir() if p.suffix.lower() == ".asf")
    fitting = [p for p in found if path.stem.lower().startswith(p.stem.lower())]
    if fitting:
        return max(fitting, key=lambda p: len(p.stem))
    if len(found) == 1:
        return found[0]
    raise FileError(f"{path} has no ASF file. Put the skeleton's .asf beside it, with a name that its own begins with.")
