"""Weights between two: python -m training.average --data DATA --begun WEIGHTS --run RUN --out FOLDER

A run that went on from released weights ends in the same basin, and points between the two are often better than both
(model soups, Wortsman et al. 2022, section 4). Prints the figures on the clips kept for choosing at several shares, and
writes a best.pt with the share of the run that `--share` says.
"""

import argparse
import json
from pathlib import Path

import torch

from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.words import NAMES

from .dataset import choosing, load_clips
from .start import BEST, load_numbers, one_line, read_best, read_tables, read_weights, write_tables
from .validate import make_sets, validate

SHARES = (1.0, 0.8, 0.6, 0.4, 0.0)  # of the run


def between(begun, learnt, share):
    """Numbers by name, `share` of the way from `begun` to `learnt`."""
    return {name: torch.lerp(begun[name], value, share) for name, value in learnt.items()}


def numbers_of(weights):
    """A released folder's numbers as today's network has them."""
    net = Denoiser()
    torch.nn.init.zeros_(net.enter_slow.weight)
    load_numbers(net, read_weights(weights)[0])
    return net.state_dict()


@one_line()
def main():
    """Prints the table and writes the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--begun", type=Path, required=True, help="the weights folder that the run went on from")
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.7, help="of the run, in what is written")
    args = parser.parse_args()
    saved = read_best(args.run)
    net, begun = Denoiser(**saved["config"]), numbers_of(args.begun)
    tables = read_tables(args.run)
    sets = make_sets(load_clips(args.data, names=choosing(args.data)), tables)
    for share in (*SHARES, args.share):
        net.load_state_dict(between(begun, saved["net"], share))
        numbers = validate(net, sets)
        print(json.dumps({"share": share} | {k: round(v, 2) for k, v in numbers.items()}), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    best = {"net": net.state_dict(), "config": saved["config"], "numbers": numbers, "step": saved["step"]}
    torch.save(best | {"vocabulary": list(NAMES)}, args.out / BEST)
    write_tables(args.out, tables)


if __name__ == "__main__":
    main()
