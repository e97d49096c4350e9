"""Prints a table and writes build/bench/report.json: python -m benchmarks [GROUP...]"""

import argparse
import importlib
import json
import os
import sys
import traceback
from pathlib import Path

GROUPS = ("end_to_end", "stages", "network", "length", "graphics")
ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "build" / "bench" / "report.json"


def line(figure):
    """One row of the table."""
    low, high = figure.spread
    asked = "" if figure.limit is None else f"{'>=' if figure.least else '<='} {figure.limit:g}"
    met = {None: "", True: "met", False: "MISSED"}[figure.met]
    numbers = f"{figure.median:10.4g} {figure.unit:3} ({low:.4g} to {high:.4g}, {len(figure.values)} runs)"
    return f"{figure.name:36} {numbers:48} {asked:>8} {met:6}  {figure.note}".rstrip()


def run(groups, threads):
    """(figures by name, errors by group); what is measured is printed at once."""
    figures, errors = {}, {}
    for group in groups:
        print(f"-- {group}", flush=True)
        try:
            found = importlib.import_module(f"benchmarks.{group}").measure(threads)
        except Exception as error:  # one group that fails must not hide the others
            traceback.print_exc()
            errors[group] = f"{type(error).__name__}: {error}"
            continue
        for figure in found:
            figures[figure.name] = figure.as_dict()
            print(line(figure), flush=True)
    return figures, errors


def main():
    """Returns the exit status: 1 when a group could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpu", action="store_true", help="one thread, and processor time: for a machine at work")
    parser.add_argument("--out", type=Path, default=REPORT)
    args = parser.parse_args()
    if unknown := set(args.groups) - set(GROUPS):
        parser.error(f"no group named {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    args.threads = 1 if args.cpu else args.threads
    # Before NumPy is loaded: BLAS reads it once. One thread of its own, as in the worker: its products are small.
    os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from benchmarks import figures, machine
    except ImportError as error:
        print(f"bench: {error}. The comparison needs PyTorch: run `make torch` first.", file=sys.stderr)
        return 1
    about = {**machine.describe(args.threads), "clock": "processor time" if args.cpu else "wall clock"}
    print("  ".join(f"{name}: {value}" for name, value in about.items()), flush=True)
    if about["load"] > 0.5 and not args.cpu:
        print(f"Other work runs here (load {about['load']}): times are too long, those on several threads most of all.")
    if args.cpu:
        figures.use_processor_time()
    measured, errors = run(args.groups or GROUPS, args.threads)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    values = {name: figure["value"] for name, figure in measured.items()}
    report = {**values, "machine": about, "figures": measured, "errors": errors}
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {args.out}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
