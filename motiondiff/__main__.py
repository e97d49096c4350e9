"""`motiondiff generate REQUEST.json -o OUT.npz` and `motiondiff evaluate --data FOLDER`.

Exits with 1 and one message on bad input, with 2 on bad usage.
"""

import argparse
import os
import sys
from pathlib import Path

from blender_motiondiff.core.denoiser.back_ends import NAMES, BackendError
from blender_motiondiff.core.denoiser.weights import WeightsError
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.request import RequestError
from blender_motiondiff.core.request.checks import MOST_STEPS

from . import evaluate, generate


def parser():
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="motiondiff", description="Generates the motion of one or two characters.")
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser(
        "generate", help="makes takes of a request", description="Makes takes of a request (see docs/request.md)."
    )
    one.add_argument("request", type=Path, metavar="REQUEST.json")
    one.add_argument(
        "-o", "--out", type=_out, required=True, metavar="OUT",
        help="OUT.npz, or OUT.bvh (OUT_a.bvh and OUT_b.bvh of two); several takes are numbered: OUT_1, OUT_2, ...",
    )  # fmt: skip
    one.add_argument("--seed", type=int, help="instead of the request's own")
    one.add_argument("--takes", type=int, help="instead of the request's own")
    one.add_argument("--steps", type=int, help="calls of the network a take, instead of the request's own")
    one.add_argument("--back-end", choices=NAMES, default=NAMES[0], help="what runs the network (default: %(default)s)")
    one.add_argument("--weights", type=Path, metavar="FOLDER", help="instead of the bundled weights")
    _add_evaluate(commands)
    return top


def _add_evaluate(commands):
    one = commands.add_parser(
        "evaluate", help="measures the weights on motion they never saw",
        description="Measures the weights on motion they never saw: a table, and report.json (see docs/evaluation.md).",
    )  # fmt: skip
    one.add_argument(
        "--data", type=Path, metavar="FOLDER", default=os.environ.get("MOTIONDIFF_DATA") or None,
        help="the motion data, or a folder of NAME.bvh, NAME_a.bvh with NAME_b.bvh (default: MOTIONDIFF_DATA)",
    )  # fmt: skip
    one.add_argument("--out", type=Path, default=Path("build/evaluate"), metavar="FOLDER", help="default: %(default)s")
    one.add_argument(
        "--steps",
        type=_steps,
        nargs="+",
        default=evaluate.STEPS,
        help="calls of the network a take (default: 1 2 4 8 50)",
    )
    one.add_argument("--weights", type=Path, metavar="FOLDER", help="instead of the bundled weights")


def _steps(text):
    if not text.isdigit() or not 1 <= int(text) <= MOST_STEPS:
        raise argparse.ArgumentTypeError(f"{text} is no number of steps from 1 to {MOST_STEPS}")
    return int(text)


def _out(text):
    path = Path(text)
    if path.suffix.lower() not in generate.KINDS:
        raise argparse.ArgumentTypeError(f"{text} ends with none of {', '.join(generate.KINDS)}")
    return path


def main(arguments=None):
    """Runs a command; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        for line in _lines(options):
            print(line, flush=True)
    except (RequestError, FileError, BackendError, WeightsError) as error:
        print(f"motiondiff: {error}", file=sys.stderr)
        return 1
    return 0


def _lines(options):
    if options.command == "evaluate":
        return evaluate.run(options.data, options.out, options.steps, options.weights)
    changes = {n: getattr(options, n) for n in ("seed", "takes", "steps") if getattr(options, n) is not None}
    return generate.run(options.request, options.out, changes, options.back_end, options.weights)


if __name__ == "__main__":
    sys.exit(main())
