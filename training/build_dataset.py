"""Recordings -> one compact dataset file: python -m training.build_dataset --data FOLDER --out dataset.npz

FOLDER is the motion data (it has `shards`), or holds source files: BVH of any humanoid or ASF/AMC, see
training/folders.py. The file has canonical clips at 30 frames a second, on their ground, with contacts, proportions,
descriptions and the split; NAME_report.json and NAME_report.md beside it say what is in it. Recorded motion stays out
of the repository, and so does what is built from it.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from blender_motiondiff.core.files.atomic import write_text

from . import data_report, dataset, folders, pack
from .pack import DatasetError
from .soundness import ROLLS, impossible

REPOSITORY = Path(__file__).resolve().parent.parent
LARGEST = 60e6  # bytes: a file to be carried to a machine with a GPU
VALIDATION, CHOOSING = 10, 20  # one of so many takes of a kind is kept out to validate on, and to choose on


def from_shards(data):
    """(clips, rows, Notes) of the motion data's usable clips, at 30 frames a second, with the committed split."""
    notes, rows = folders.Notes([], []), dataset.read_index(data)
    usable = set()
    for name, row in rows.items():
        why = dataset.why_left_out(name, row)
        if why:
            notes.dropped.append((name, why))
        else:
            usable.add(name)
    found = dataset.load_clips(data, usable, lambda text: notes.dropped.append(tuple(text.split(": left out, ", 1))))
    clips = {}
    for name, clip in found.items():
        if not rows[name]["split"]:
            notes.dropped.append((name, "in none of the committed lists of the split"))
            continue
        clips[name] = clip = pack.at_core_rate(clip)
        rolling = impossible(clip.motion).sum() / clip.motion.fps
        if rolling:
            notes.repaired.append((name, f"{rolling:.2f} s about {ROLLS} are left out"))
        start, bad = int(rows[name]["good_from"] or 0), rows[name]["bad_frames"].split()
        if start:
            notes.repaired.append((name, f"the first {start} frames are wrong in the source and left out"))
        if bad:
            notes.repaired.append((name, f"{len(bad)} frames with jumps, and those about them, are left out"))
    return clips, rows, notes


def without_terms(clips, rows, notes, terms):
    """Takes out the clips under any of `terms`. Raises DatasetError where no clip is."""
    for name in terms:
        if name not in {row.get("terms") for row in rows.values()}:
            known = ", ".join(sorted({row.get("terms") or "(none)" for row in rows.values()}))
            raise DatasetError(f'No clip is under the terms "{name}". Those here: {known}.')
    for name in list(clips):
        if rows[name].get("terms") in terms:
            notes.dropped.append((name, f"under {rows[name]['terms']}"))
            clips.pop(name)
    return {name: _alone(clip, clips) for name, clip in clips.items()}


def _alone(clip, clips):
    return clip if clip.partner in clips else replace(clip, partner="")


def split(clips, rows):
    """Rows with a `split` for each clip: what the index says, else the last takes of every kind are kept out.

    Takes of a couple stay together. One in ten takes of a kind, by name, goes to validation and one in twenty to
    choosing, from the end, so that neighbours of one session stay on one side; at least one of each, and of couples
    where there are four.
    """
    trials = {}
    for name, clip in clips.items():
        trials.setdefault(min(name, clip.partner or name), []).append(name)
    part = {t: next((rows[n]["split"] for n in names if rows[n].get("split")), "") for t, names in trials.items()}
    if not any(part.values()):
        part = dict.fromkeys(trials, "training")
        for couples in (False, True):
            _keep_out([t for t, names in trials.items() if (len(names) == 2) == couples], clips, part, couples)
    part = {t: p or "training" for t, p in part.items()}
    missing = [p for p in pack.SPLITS if p not in part.values()]
    if missing:
        raise DatasetError(
            f"{len(trials)} takes leave none for {' and '.join(missing)}. Add takes (three at least), or say which is "
            "for what in the column split of index.csv."
        )
    return {name: rows[name] | {"split": part[t]} for t, names in trials.items() for name in names}


def _keep_out(trials, clips, part, couples):
    """Marks the last takes of every kind in `part`."""
    kinds = {}
    for t in sorted(trials):
        kinds.setdefault(clips[t].action or t.rstrip("0123456789_"), []).append(t)
    for group in kinds.values():
        last = len(group) - len(group) // VALIDATION
        part |= dict.fromkeys(group[last:], "validation")
        part |= dict.fromkeys(group[last - len(group) // CHOOSING : last], "choosing")
    if len(trials) < (4 if couples else 3):
        return
    for wanted in ("validation", "choosing"):
        if wanted not in [part[t] for t in trials]:
            part[max(t for t in trials if part[t] == "training")] = wanted


def build(data, out, terms=(), report=print):
    """Writes the dataset and its report; returns what the report says. Raises DatasetError."""
    out = Path(out)
    if not pack.is_packed(out):
        raise DatasetError(f"{out} doesn't end in .npz. Name the dataset file so.")
    if REPOSITORY in out.resolve().parents:
        raise DatasetError(f"{out} lies in the repository, where no recorded motion belongs. Name a place outside.")
    shards = (Path(data) / "shards" / "index.csv").exists()
    clips, rows, notes = from_shards(data) if shards else folders.read_folder(data)
    clips = without_terms(clips, rows, notes, terms)
    if not clips:
        raise DatasetError(f"{data} has no clip left. Leave out fewer of its terms.")
    if not shards:
        rows = split(clips, rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    size = pack.write(out, clips, rows)
    found = data_report.report(clips, rows, notes, size)
    words = data_report.text(found, f"Dataset {out.name}")
    write_text(out.with_name(f"{out.stem}_report.json"), json.dumps(found, indent=1) + "\n")
    write_text(out.with_name(f"{out.stem}_report.md"), words)
    report(words)
    if size > LARGEST:
        report(f"The file has {size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} MB that are easily carried.")
    return found


def main():
    """Builds, and ends with one line where it can't."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the motion data, or a folder of BVH or ASF/AMC files")
    parser.add_argument("--out", type=Path, required=True, help="the dataset file, outside the repository")
    parser.add_argument(
        "--without-terms", action="append", default=[], metavar="TERMS",
        help='leave out clips under these terms, as "CC BY-SA 3.0" (HDM05); may be said again',
    )  # fmt: skip
    args = parser.parse_args()
    try:
        build(args.data, args.out, args.without_terms)
    except DatasetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
