"""A request's file -> takes in files, and their reports as tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.files import bvh, npz
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS, resample
from blender_motiondiff.core.request import from_json, validate

KINDS = (".npz", ".bvh")
WIDE = 6  # columns of a table that fit a terminal


def run(path, out, changes=None, back_end="onnx", weights=None):
    """Generates the request in the file `path` into `out`, and yields lines that say how it went.

    `changes`: fields of the request to replace. Raises RequestError, FileError, BackendError, WeightsError.
    """
    request = validate(replace(read(path), **(changes or {})))
    if not out.absolute().parent.is_dir():  # said before the work is done
        raise FileError(f"{out} can't be written: there is no folder {out.parent}. Make it, or name another.")
    takes = generate(request, back_ends.load(back_end, weights))
    for number, take in enumerate(takes, 1):
        numbered = out if len(takes) == 1 else out.with_name(f"{out.stem}_{number}{out.suffix}")
        yield f"take {number} of {len(takes)}: {', '.join(str(p) for p in write(numbered, take))}"
        yield from tables(take.report)


def read(path):
    """The request in a JSON file; the motions it names are looked for beside it. Raises RequestError, FileError."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise FileError(f"{path} can't be read ({error.strerror}). Name a request's JSON file.") from error
    return from_json(text, path.parent)


def write(path, take):
    """Writes a take as its name's ending says; returns the files' paths. Raises FileError."""
    if path.suffix.lower() == ".npz":
        npz.write(path, take)
        return [path]
    # Keys lie on the take's own times, which are a little uneven; BVH knows one frame time alone.
    times = np.arange(len(take.times)) / FPS
    ends = [""] if len(take.motions) == 1 else ["_a", "_b"]
    paths = [path.with_name(f"{path.stem}{end}{path.suffix}") for end in ends]
    for one, motion in zip(paths, take.motions):
        bvh.write(one, resample(motion, times, take.times))
    return paths


# --- the report -------------------------------------------------------------------------------------------------------


def tables(report):
    """A report as lines: lists of like things as tables, the rest as lines of their own."""
    for name, value in report.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"  {name}"
            yield from (f"    {line}" for line in _table([_flat(row) for row in value]))
        elif isinstance(value, list):
            yield from (f"  {name}: {_cell(item)}" for item in value)
        elif isinstance(value, dict):
            yield f"  {name}: {', '.join(f'{k} {_cell(v)}' for k, v in _flat(value).items())}"
        else:
            yield f"  {name}: {_cell(value)}"


def _flat(row, before=""):
    """A dict without dicts in it: their fields' names are joined by dots."""
    out = {}
    for name, value in row.items():
        out |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}": value}
    return out


def _table(rows):
    """Aligned lines; columns in the order in which they first appear. Few wide rows are laid on their side."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names] + [[_cell(row[n]) if n in row else "" for n in names] for row in rows]
    left = [all(isinstance(row.get(n, ""), str) for row in rows) for n in names]
    if len(names) > WIDE > len(rows):
        cells, left = list(zip(*cells)), [True] + [False] * len(rows)
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        aligned = (c.ljust(w) if is_left else c.rjust(w) for c, w, is_left in zip(line, widths, left))
        yield "  ".join(aligned).rstrip()


def _cell(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e4 else f"{value:.3g}"
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    return str(value)
