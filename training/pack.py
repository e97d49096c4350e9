"""The compact dataset: one npz file of canonical clips at 30 frames a second, on their ground, with the split.

Arrays, clips one after another: `root [N, 3]` float32 metres, `rotvec [N, 22, 3]` int16 local rotation vectors of
pi/32767 radians a unit, `contacts [N, 4]` and `good [N]` bool, `bodies [B, 22, 3]` float32 rest offsets in metres.
`index`: JSON, a row a clip: name, first frame, frames, body, partner, action, description, terms, text, split.
"""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files.atomic import write_bytes
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, Motion, resample
from blender_motiondiff.core.skeleton import COUNT, Body

SCHEMA = 1
UNIT = np.pi / 32767  # radians a stored unit; half of it is 0.003 degrees
SPLITS = ("training", "choosing", "validation")


class DatasetError(FileError):
    """A dataset that can't be read or built; the message names the file, the cause and the remedy."""


def is_packed(data):
    """Whether `data` names a packed dataset file and not a folder."""
    return data is not None and Path(data).suffix == ".npz"


def at_core_rate(clip):
    """A Clip at 30 frames a second.

    Contacts are those of the nearest frame; a frame is good where every frame of the source is from the one before it
    to the last one before the next.
    """
    motion = clip.motion
    if abs(motion.fps - FPS) < 1e-6:
        return clip
    times = np.arange(0.0, motion.duration + 1e-9, 1 / FPS)
    at = times * motion.fps
    last = motion.frames - 1
    bad = np.concatenate([[0], np.cumsum(~clip.good)])
    first, after = np.floor(at + 1e-6).astype(int), np.ceil(at + motion.fps / FPS - 1e-6).astype(int)
    good = bad[np.clip(after, 1, last + 1)] == bad[np.clip(first, 0, last)]
    contacts = clip.contacts[np.clip(np.round(at).astype(int), 0, last)]
    resampled = replace(resample(motion, times), fps=FPS)
    return replace(clip, motion=resampled, contacts=contacts, good=good)


def write(path, clips, rows):
    """Writes Clips (any rate) with their rows of the index (`split` among them); the file appears whole or not at all.

    Returns its size in bytes.
    """
    bodies, index, parts, first = {}, [], [], 0
    for name, clip in clips.items():
        clip = at_core_rate(clip)
        motion, row = clip.motion, rows[name]
        offsets = motion.body.offsets.astype(np.float32)
        body = bodies.setdefault(offsets.tobytes(), (len(bodies), offsets))[0]
        index.append({
            "clip": name, "first": first, "frames": motion.frames, "body": body, "partner": clip.partner,
            "action_class": clip.action, "description": row.get("description", ""), "terms": row.get("terms", ""),
            "text": clip.text, "split": row["split"],
        })  # fmt: skip
        turns = np.round(rot.to_rotvec(motion.rotations) / UNIT).astype(np.int16)
        parts.append((motion.root.astype(np.float32), turns, clip.contacts.astype(bool), clip.good.astype(bool)))
        first += motion.frames
    columns = dict(zip(("root", "rotvec", "contacts", "good"), map(np.concatenate, zip(*parts, strict=True))))
    data = io.BytesIO()
    np.savez_compressed(
        data, schema=np.array(SCHEMA), index=np.array(json.dumps(index)),
        bodies=np.stack([offsets for _, offsets in bodies.values()]), **columns,
    )  # fmt: skip
    write_bytes(path, data.getvalue())
    return data.tell()


def read_rows(path):
    """Rows of the index by clip name. Raises DatasetError."""
    return {row["clip"]: row for row in _open(path, ("index",))["index"]}


def read_clips(path, names=None):
    """Clip name -> the fields of training.dataset.Clip. Raises DatasetError."""
    file = _open(path, ("index", "root", "rotvec", "contacts", "good", "bodies"))
    out = {}
    for row in file["index"]:
        if names is not None and row["clip"] not in names:
            continue
        span = slice(row["first"], row["first"] + row["frames"])
        rotations = rot.from_rotvec(file["rotvec"][span] * UNIT)
        body = Body(file["bodies"][row["body"]].astype(float))
        motion = Motion(file["root"][span].astype(float), rotations, body, FPS)
        out[row["clip"]] = {
            "name": row["clip"], "motion": motion, "contacts": file["contacts"][span], "good": file["good"][span],
            "partner": row["partner"], "action": row["action_class"], "text": row["text"],
        }  # fmt: skip
    return out


def _open(path, wanted):
    """The named arrays of a dataset file, `index` as a list of rows."""
    try:
        with np.load(path, allow_pickle=False) as file:
            if "schema" not in file or int(file["schema"]) != SCHEMA:
                raise DatasetError(f"{path} is no dataset of this version ({SCHEMA}). Build it again.")
            out = {name: file[name] for name in wanted}
    except FileNotFoundError as error:
        raise DatasetError(f"There is no dataset {path}. Build it with python -m training.build_dataset.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} is damaged or no dataset ({error}). Build it again.") from error
    out["index"] = json.loads(str(out["index"]))
    if "rotvec" in out and out["rotvec"].shape[1:] != (COUNT, 3):
        raise DatasetError(f"{path} has rotations of shape {out['rotvec'].shape}. Build it again.")
    return out
