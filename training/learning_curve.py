"""What more recordings would bring between keys: python -m training.learning_curve --data D --from WEIGHTS --out FILE

The learned interpolation (`training.inbetween`) from random numbers on growing shares of the single people's clips,
each share drawn by several lots and trained to the end of its rate: how much less it misses than linear interpolation
does, on the clips it learns from and on clips of others. Every run is a line of FILE as soon as it is done, a run that
is there already is not done again, and the table of all of them is printed at the end.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from .dataset import choosing, for_training, load_clips, read_index, validation
from .inbetween import Learner, even_questions, look
from .start import one_line, read_weights

SHARES = (0.125, 0.25, 0.5, 1.0)
GAPS = (30, 40)  # frames from key to key
SEEN = 60  # clips of those learnt from that are looked at


def part_of(clips, share, lot):
    """A share of the clips, drawn by lot; a larger share of the same lot holds the smaller ones."""
    names = np.random.default_rng(lot).permutation(sorted(clips))[: max(1, round(share * len(clips)))]
    return {name: clips[name] for name in names}


def alone(clips):
    """The clips of people who have no partner."""
    return {name: clip for name, clip in clips.items() if not clip.partner}


def minutes_of(clips):
    """Usable minutes of clips by name."""
    return sum(clip.good.sum() / clip.motion.fps for clip in clips.values()) / 60


def run(clips, others, tables, steps, lot):
    """Trains on `clips`; what is left of linear interpolation's error, in per cent, by set and gap.

    `others`: clips by name, by the name of the set; the clips learnt from are looked at as "seen".
    """
    looked_at = others | {"seen": part_of(clips, min(1.0, SEEN / len(clips)), 0)}
    sets = {name: {gap: even_questions(part, tables, gap) for gap in GAPS} for name, part in looked_at.items()}
    learner, rng = Learner.of(clips, tables, lot), np.random.default_rng(lot)
    for step in range(steps):
        learner.step(rng, step, step / steps)
    found = {name: look(learner.average, asked, tables.deviation) for name, asked in sets.items()}
    return {name: {gap: round(100 * a / b, 1) for gap, (a, b) in one.items()} for name, one in found.items()}


def table_of(lines):
    """The table's rows as text: share, minutes, and the mean over lots with its range, by set and gap."""
    columns = [(name, gap) for name in lines[0]["left"] for gap in lines[0]["left"][name]]
    yield " | ".join(["share", "minutes", "lots", *(f"{name}, {gap} frames" for name, gap in columns)])
    for share in sorted({line["share"] for line in lines}):
        own = [line for line in lines if line["share"] == share]
        cells = [np.array([line["left"][name][gap] for line in own]) for name, gap in columns]
        minutes = np.mean([line["minutes"] for line in own])
        told = (f"{c.mean():.1f} ({c.min():.1f} to {c.max():.1f})" for c in cells)
        yield " | ".join([f"{share:g}", f"{minutes:.0f}", str(len(own)), *told])


@one_line()
def main():
    """Runs what FILE does not have yet, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--from", dest="begin_from", type=Path, required=True, help="weights, for their statistics")
    parser.add_argument("--out", type=Path, required=True, help="file of JSON lines")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--lots", type=int, default=2)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the clips")
    args = parser.parse_args()
    torch.set_num_threads(1)
    tables = replace(read_weights(args.begin_from)[1], between=None)
    clips = alone(for_training(load_clips(args.data), read_index(args.data)))
    parts = {"choosing": choosing(args.data), "validation": validation(args.data)}
    others = {name: alone(load_clips(args.data, names=names)) for name, names in parts.items()}
    lines = [json.loads(line) for line in args.out.read_text().splitlines()] if args.out.exists() else []
    done = {(line["share"], line["lot"], line["steps"]) for line in lines}
    for lot in range(1, args.lots + 1):
        for share in args.shares:
            if (share, lot, args.steps) in done:
                continue
            part = part_of(clips, share, lot)
            left = run(part, others, tables, args.steps, lot)
            line = {"share": share, "lot": lot, "steps": args.steps, "minutes": minutes_of(part), "left": left}
            with open(args.out, "a") as file:
                file.write(json.dumps(line) + "\n")
    kept = [json.loads(line) for line in args.out.read_text().splitlines()]
    print(*table_of([line for line in kept if line["steps"] == args.steps]), sep="\n")


if __name__ == "__main__":
    main()
