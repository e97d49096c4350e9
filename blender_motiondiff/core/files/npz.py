"""Takes as npz files: plain arrays, no pickle, so a file from anywhere is safe to open."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np

from ..motion import Motion
from ..request import Take
from ..skeleton import COUNT, Body
from .atomic import write_bytes
from .recording import FileError

SCHEMA = 1


def write(path, take):
    """Writes a Take; the file appears whole or not at all. Raises FileError."""
    arrays = {
        "schema": np.array(SCHEMA),
        "times": np.asarray(take.times, float),
        "contacts": np.asarray(take.contacts, float),
        "report": np.array(json.dumps(take.report)),
        "fps": np.array([m.fps for m in take.motions]),
    }
    for p, motion in enumerate(take.motions):
        arrays |= {f"root_{p}": motion.root, f"rotations_{p}": motion.rotations, f"offsets_{p}": motion.body.offsets}
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    write_bytes(path, data.getvalue())


def read(path):
    """A Take from its file. Raises FileError."""
    try:
        with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError as error:
        if error.strerror is None:  # NumPy's own way to say that the bytes are no array
            raise _no_take(path, error) from error
        raise FileError(
            f"{path} can't be read ({error.strerror}). Choose another file, or allow reading it."
        ) from error
    except (ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise _no_take(path, error) from error
    if int(arrays.get("schema", -1)) != SCHEMA:
        raise FileError(f"{path} is no take of this version ({SCHEMA}). Update MotionDiff, or generate the take again.")
    try:
        return _take(arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise _no_take(path, error) from error


def _no_take(path, error):
    return FileError(f"{path} is damaged or no take ({error}). Generate the take again.")


def _take(arrays):
    motions = []
    frames = len(arrays["times"])
    for p, fps in enumerate(arrays["fps"]):
        root, rotations, offsets = (arrays[f"{name}_{p}"] for name in ("root", "rotations", "offsets"))
        shapes = (root.shape, rotations.shape, offsets.shape)
        if shapes != ((frames, 3), (frames, COUNT, 4), (COUNT, 3)):
            raise ValueError(f"person {p} has arrays of shapes {shapes}")
        motions.append(Motion(root, rotations, Body(offsets), float(fps)))
    return Take(tuple(motions), arrays["times"], arrays["contacts"], json.loads(str(arrays["report"])))
