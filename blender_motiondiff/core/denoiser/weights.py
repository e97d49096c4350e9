"""A folder of weights: `model.safetensors`, `graph.onnx` (which points into it), `config.json`, `card.md`.

Everything is checked before anything is used: the checksum of the numbers, the layout they were trained for. Only the
safetensors format is read, never pickle.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..features import SIZE
from ..files.atomic import write_bytes
from ..reference import GIVEN, Tables, tables_from_numbers

MODEL, GRAPH, CONFIG = "model.safetensors", "graph.onnx", "config.json"
TABLES = "tables."  # how the names of the reference's own tensors begin
LAYOUT = 3  # of features, reference and network input; weights of another layout are refused
BUNDLED = Path(__file__).parent / "weights" / "base"
DTYPES = {"F16": np.float16, "F32": np.float32}


class WeightsError(RuntimeError):
    """Weights that can't be used; the message names the file, the cause and the remedy."""


@dataclass(frozen=True)
class Weights:
    """Checked weights: where they lie, what they are, and the statistics that the reference needs."""

    folder: Path
    config: dict
    tables: Tables


def load(folder=None):
    """Checks a folder (the bundled one by default) and reads its configuration and tables.

    Raises WeightsError for a missing, truncated or altered file.
    """
    folder = Path(folder) if folder else BUNDLED
    for name in (CONFIG, MODEL, GRAPH):
        if not (folder / name).is_file():
            raise WeightsError(f"The weights file {folder / name} is missing. {_remedy(folder)}")
    try:
        config = json.loads((folder / CONFIG).read_text())
        layout, checksums = config["layout"], config["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder / CONFIG} can't be read ({error!r}). {_remedy(folder)}") from error
    if layout != LAYOUT or config.get("features") != SIZE or config.get("given") != GIVEN:
        raise WeightsError(
            f"The weights in {folder} are made for another version of MotionDiff (layout {layout}, this one reads "
            f"{LAYOUT}). Choose weights of this version in the preferences."
        )
    for name in (MODEL, GRAPH):
        found = checksum(folder / name)
        if found != checksums.get(name):
            raise WeightsError(f"The weights file {folder / name} is damaged: its checksum differs. {_remedy(folder)}")
    return Weights(folder, config, tables_of(read_tensors(folder / MODEL, prefix=TABLES)))


def tables_of(tensors):
    """The Tables among a weights file's tensors."""
    return tables_from_numbers({n.removeprefix(TABLES): v for n, v in tensors.items() if n.startswith(TABLES)})


def _remedy(folder):
    if folder == BUNDLED:
        return "Install the MotionDiff zip again."
    return "Choose another weights folder in the preferences, or leave it empty for the bundled weights."


def checksum(path):
    """SHA-256 of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_header(path):
    """A safetensors file's header: (dict of tensors, offset of the first number)."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    header.pop("__metadata__", None)
    return header, 8 + size


def read_tensors(path, prefix=""):
    """Tensors of a safetensors file by name, those that start with `prefix`."""
    header, start = read_header(path)
    out = {}
    with open(path, "rb") as file:
        for name, entry in header.items():
            if name.startswith(prefix):
                begin, end = entry["data_offsets"]
                file.seek(start + begin)
                data = np.frombuffer(file.read(end - begin), DTYPES[entry["dtype"]])
                out[name] = data.reshape(entry["shape"])
    return out


def write_tensors(path, tensors):
    """Writes tensors (float16 or float32 arrays by name) as safetensors, whole or not at all (files.FileError)."""
    names = {np.dtype(v): k for k, v in DTYPES.items()}
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {
            "dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes],
        }  # fmt: skip
        offset += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = b"".join(np.ascontiguousarray(value).tobytes() for value in tensors.values())
    write_bytes(path, len(text).to_bytes(8, "little") + text + numbers)
