"""`motiondiff evaluate --data FOLDER`: how good the weights are on motion they never saw, as a table and a report."""

import json
from pathlib import Path

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.files.atomic import write_text
from blender_motiondiff.core.files.recording import FileError

STEPS = (1, 2, 4, 8, 50)
THREADS = 1


def run(data, out, steps=STEPS, weights=None, back_end="onnx"):
    """Evaluates on the folder `data`, writes `out`/report.json, and yields the lines to print.

    Raises FileError, BackendError, WeightsError.
    """
    from evaluation.run import evaluate  # it stands on the training's readers, which `generate` needs not

    if data is None:
        raise FileError("No folder is named and MOTIONDIFF_DATA is not set. Name one: --data FOLDER.")
    out = Path(out)
    try:  # before the work is done
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{out} can't be made ({error.strerror}). Name another folder: --out FOLDER.") from error
    denoiser = back_ends.load(back_end, weights, THREADS)
    path = out / "report.json"
    about = {"folder": str(weights or "bundled"), "back_end": f"{denoiser.name} {denoiser.device}"}
    # Written after each number of steps, so that who stops it keeps what was measured.
    for report in evaluate(Path(data), denoiser, list(dict.fromkeys(steps)), lambda line: print(line, flush=True)):
        write_text(path, json.dumps({"weights": about} | report, indent=1) + "\n")
    yield from table(report)
    minutes = {name: s / 60 for name, s in report["seconds"]["whole"].items()}
    yield f"{path}, after {minutes['wall']:.1f} minutes, {minutes['processor']:.1f} of them work of one core"


# --- the table --------------------------------------------------------------------------------------------------------


def table(report):
    """The report as lines: a block for each task, then what has to be reached, then what was left out."""
    results = report["results"]
    for task in next(iter(results.values())):
        yield from _task(task, results, report["intervals"])
    yield from ("", f"{'what has to be reached':57}{'measured':>10}{'floor':>10}{'aim':>10}  met")
    for row in report["floors"]:
        numbers = "".join(_cell(row[n], 10) for n in ("measured", "floor", "aim"))
        met = {True: "yes", False: "NO", None: "-"}[row["met"]].ljust(5)
        yield f"  {row['name']:55}{numbers}  {met}{row['where']}".rstrip()
    yield from (f"left out: {line}" for line in report["left_out"])
    yield from (f"{name}: {value}" for name, value in report["data"].items() if name in ("split", "same_people"))


def _task(task, results, intervals):
    """A task as a block: a line for each metric; a column for each number of steps, raw and final, then the rest."""
    columns = {f"{s} {v}": results[s][task][v] for s in results for v in ("raw", "final")}
    first = next(iter(results))
    fixed = [v for v in results[first][task] if v not in ("raw", "final")]
    columns |= {v.removeprefix("baseline_").split("_")[0]: results[first][task][v] for v in fixed}
    names = list(dict.fromkeys(n for found in columns.values() for n in found))
    yield from ("", task.ljust(24) + "".join(c.rjust(10) for c in columns) + "  worst of the last final")
    last = list(results)[-1]
    for name in names:
        about = intervals[last][task]["final"].get(name, {})
        cells = "".join(_cell(found.get(name), 10) for found in columns.values())
        yield f"  {name:22}{cells}  {about.get('worst', '')}".rstrip()


def _cell(value, width):
    if value is None:
        return "-".rjust(width)
    return (f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}").rjust(width)
