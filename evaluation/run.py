"""The whole evaluation of a folder: every task, every number of steps, every variant, as one JSON-able report."""

import os
import time
from pathlib import Path

import numpy as np

from blender_motiondiff.core.files.recording import FileError

from . import answers, baselines, clips, floors, measures, summary, tasks
from . import encoder as judge

TAKES = {"reaction": 8, "free": 2}  # of a window; others have one, and every window a seed of its own
NO_TRAINING_DATA = "MOTIONDIFF_DATA names no folder with shards, and the partners it learns from are there"


def evaluate(folder, denoiser, steps, tell=lambda line: None):
    """Yields the report on `folder`, a dict, after each of the numbers of `steps`: the last one is the whole.

    `tell(line)` hears how it goes. Raises FileError.
    `results[steps][task][variant][metric]` are plain numbers; `intervals` has the same nesting, with what stands
    beside each: `low` and `high` of 95 %, the `worst` window, how many `windows` and `trials`.
    `kinds[steps]["keys"][kind]`: of each kind of motion the joint errors (m) of `final` and `baseline`, and `windows`.
    """
    begun, seconds = _now(), {}
    windows, facts = clips.windows(folder)
    tell(f"{len(windows)} windows of {facts['clips_single']} single clips and {facts['clips_couple']} couples")
    asked = {t: [w for w in windows if (w.leader is not None) == (t == "reaction")] for t in tasks.TASKS}
    asked = {t: found for t, found in asked.items() if found}
    known = {w.name: measures.recorded(w) for w in windows}
    left_out = [f"{t}: the folder holds none" for t in tasks.TASKS if t not in asked]
    encoder = _encoder(left_out)
    fixed = {t: _fixed(t, found, known, folder, left_out, encoder) for t, found in asked.items()}
    seconds["recordings and baselines"] = _since(begun)
    made = {}
    for count in steps:
        for task, found in asked.items():
            lap = _now()
            made[str(count), task] = _generated(task, found, known, denoiser, count, encoder)
            seconds[f"{count} steps, {task}"] = spent = _since(lap)
            time_spent = f"{spent['wall']:.0f} s, {spent['processor']:.0f} s of them work"
            tell(f"{count} steps, {task}: {len(found)} windows in {time_spent}")
        seconds["whole"] = _since(begun)
        results, intervals = _results(steps[: steps.index(count) + 1], asked, fixed, made)
        yield {
            "data": facts,
            "takes": {task: TAKES.get(task, 1) for task in asked},
            "results": results,
            "intervals": intervals,
            "floors": floors.rows(results),
            "kinds": _kinds(steps[: steps.index(count) + 1], asked, fixed, made),
            "left_out": left_out,
            "seconds": seconds,
        }


def _now():
    return time.perf_counter(), time.process_time()


def _since(begun):
    """Seconds of the clock on the wall, and of the processor's work, which others on the machine don't lengthen."""
    wall, processor = (now - then for now, then in zip(_now(), begun, strict=True))
    return {"wall": round(wall, 1), "processor": round(processor, 1)}


# --- a task's variants: rows of figures a window, and figures of the whole set ----------------------------------------


def _fixed(task, windows, known, folder, left_out, encoder):
    """variant -> (rows, figures of the set) of the recordings and the baselines, which know no steps."""
    motions = [[w.motion] for w in windows]
    real = [measures.of_real(task, known[w.name]) for w in windows]
    of_set = _set_figures(task, windows, motions, encoder, real)
    of_set.pop("frechet_distance", None)  # of the recordings to themselves
    out = {"real": (real, of_set)}
    pairs = _pairs(folder, left_out) if task == "reaction" else None
    for name in answers.BASELINES.get(task, ()):
        if name in answers.LEARNED and pairs is None:
            continue
        made = [[answers.baseline(name, w, pairs)] for w in windows]
        rows = [measures.of_all(task, known[w.name], m) for w, m in zip(windows, made, strict=True)]
        out[f"baseline_{name}"] = (rows, {})
    return out


def _pairs(folder, left_out):
    """The couples of training that baselines answer from; None, and a line in `left_out`, without the motion data."""
    for place in (folder, os.environ.get("MOTIONDIFF_DATA")):
        if place and (Path(place) / "shards").is_dir():
            return baselines.load_pairs(place)
    left_out.append(f"{', '.join(f'baseline_{n}' for n in answers.LEARNED)}: {NO_TRAINING_DATA}")
    return None


def _encoder(left_out):
    try:
        return judge.load()
    except FileError as error:
        left_out.append(f"frechet_distance, diversity, tag_agreement: {error}")
        return None


def _generated(task, windows, known, denoiser, steps, encoder):
    """variant -> (rows, figures of the set) of what the network makes, raw and final."""
    rows, motions = {"raw": [], "final": []}, {"raw": [], "final": []}
    for number, window in enumerate(windows):
        request = tasks.request(task, window, number, TAKES.get(task, 1), steps)
        raw, final = answers.both(request, denoiser)
        raw, final = [take[-1] for take in raw], [take.motions[-1] for take in final]
        for variant, made, before in (("raw", raw, None), ("final", final, raw)):
            rows[variant].append(measures.of_all(task, known[window.name], made, before))
            motions[variant].append(made)
    return {v: (rows[v], _set_figures(task, windows, motions[v], encoder, rows[v])) for v in rows}


def _set_figures(task, windows, motions, encoder, rows):
    """Figures of a whole set of `free` takes in the encoder's features; its classes' agreement goes into the `rows`."""
    if task != "free" or encoder is None:
        return {}
    made, real = (judge.features(encoder, found) for found in ([m for own in motions for m in own],
                                                               [w.motion for w in windows]))  # fmt: skip
    for window, own, row in zip(windows, motions, rows, strict=True):
        wanted = judge.tag_of(window.action, window.description)
        agreed = [float(tag == wanted) for tag in judge.tags(encoder, own)] if wanted is not None else [0.0] * len(own)
        row["tag_agreement"] = (np.array(agreed), np.full(len(own), float(wanted is not None)))
    return {"frechet_distance": float(judge.frechet(real, made)), "diversity": float(judge.diversity(made))}


def _kinds(steps, asked, fixed, made):
    out = {str(count): {} for count in steps}
    if "keys" not in asked:
        return out
    spline = summary.by_kind(asked["keys"], fixed["keys"]["baseline_spline"][0])
    for count, of_steps in out.items():
        final = summary.by_kind(asked["keys"], made[count, "keys"]["final"][0])
        of_steps["keys"] = {k: {"windows": n, "final": v, "baseline": spline[k][0]} for k, (v, n) in final.items()}
    return out


def _results(steps, asked, fixed, made):
    results, intervals = {}, {}
    for count in map(str, steps):
        results[count], intervals[count] = {}, {}
        for task, windows in asked.items():
            real = fixed[task]["real"][0]
            into, about = results[count].setdefault(task, {}), intervals[count].setdefault(task, {})
            for variant, (rows, of_set) in {**made[count, task], **fixed[task]}.items():
                into[variant], about[variant] = summary.summed_up(windows, rows, real)
                into[variant] |= of_set
    return results, intervals
