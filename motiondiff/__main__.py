"""`motiondiff generate REQUEST.json -o OUT.npz`: exits with 1 and one message on bad input, with 2 on bad usage."""

import argparse
import sys
from pathlib import Path

from blender_motiondiff.core.denoiser.back_ends import NAMES, BackendError
from blender_motiondiff.core.denoiser.weights import WeightsError
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.request import RequestError

from .generate import KINDS, run


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
    return top


def _out(text):
    path = Path(text)
    if path.suffix.lower() not in KINDS:
        raise argparse.ArgumentTypeError(f"{text} ends with none of {', '.join(KINDS)}")
    return path


def main(arguments=None):
    """Runs a command; returns the exit status."""
    options = parser().parse_args(arguments)
    changes = {n: getattr(options, n) for n in ("seed", "takes", "steps") if getattr(options, n) is not None}
    try:
        for line in run(options.request, options.out, changes, options.back_end, options.weights):
            print(line, flush=True)
    except (RequestError, FileError, BackendError, WeightsError) as error:
        print(f"motiondiff: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
