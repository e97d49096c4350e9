"""Trains the denoiser: python -m training.train --data DATA --out FOLDER --minutes 60 [--resume]

Reads top to bottom. With --minutes the learning rate follows the clock, so a run ends finished whatever the machine's
speed; with --steps it follows the steps, and a run that is broken off and resumed comes to the same numbers as one that
was not. The best checkpoint by validation (averaged weights) is best.pt; last.pt holds what a resumed run needs. On a
graphics processor where there is one. Several of them, or several machines, through PyTorch's own launcher:

    torchrun --nproc-per-node 2 -m training.train ...
"""

import argparse
import contextlib
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import distributed

from blender_motiondiff.core.denoiser.layout import token_distance
from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.words import NAMES

from . import emphasis, losses, variety
from .batches import Sampler, measure_tables
from .dataset import choosing, for_training, load_clips, read_index
from .feed import batches
from .muon import Muon
from .start import BEST, TABLES, load_numbers, one_line, read_tables, read_weights, write_tables
from .validate import baseline, draw, make_sets, scalar, to_torch, validate

LAST_LAYER = "last.", "leave.", "smooth."  # what follows the blocks
MUON_RATE, ADAM_RATE = 4.0e-3, 2.0e-3
DECAY = 0.1
WARM_UP = 100  # steps
PURE_NOISE = 0.5  # share of the samples at full noise
AVERAGE = 0.998  # of the weights, a step
VALIDATE_SECONDS = 420


def load_tables(data, folder, begun_from=None):
    """The statistics, measured once and kept beside the checkpoints; those of the weights that a run begins from."""
    if begun_from is not None and not (folder / TABLES).exists():
        write_tables(folder, read_weights(begun_from)[1])
    if (folder / TABLES).exists():
        return read_tables(folder)
    sampler = Sampler(for_training(load_clips(data, report=print), read_index(data)), seed=5)
    tables = measure_tables(sampler)
    write_tables(folder, tables)
    return tables


def noised(batch, noise, generator, mix=None):
    """(noisy residual, level) with half of the samples at full noise; in the emphasis' mix where there is one."""
    count = len(batch.target)
    step = torch.rand(count, generator=generator) * STEPS
    step[torch.rand(count, generator=generator) < PURE_NOISE] = STEPS
    share = torch.from_numpy(alpha_bar(step.numpy())).float().to(noise.device)
    a = share[:, None, None, None]
    if mix is not None:
        return a.sqrt() * (batch.target @ mix) + (1 - a).sqrt() * noise, share.sqrt()
    return a.sqrt() * batch.target + (1 - a).sqrt() * noise * (1 - batch.mask), share.sqrt()


def optimisers(net):
    """Muon for the blocks' matrices, AdamW for the rest."""
    matrices = [
        p
        for n, p in net.named_parameters()
        if p.ndim == 2 and n.startswith("blocks") and "modulate" not in n and not n.endswith("bias")
    ]
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    return [
        Muon(matrices, lr=MUON_RATE, weight_decay=DECAY),
        torch.optim.AdamW(rest, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=DECAY),
    ]


def set_rates(opts, share, step, peak=1.0):
    """Cosine from `peak` times the full rates to 0 over the run, after a short warm-up."""
    factor = peak * float(0.5 * (1 + np.cos(np.pi * min(share, 1.0)))) * min(1.0, (step + 1) / WARM_UP)
    for opt, rate in zip(opts, (MUON_RATE, ADAM_RATE), strict=True):
        for group in opt.param_groups:
            group["lr"] = rate * factor


def precision(device):
    """bf16 autocast where that is quicker than fp32: on graphics processors, and on processors with matrix units."""
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    if device.type == "cuda" or (device.type == "cpu" and tiles()):
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def learn(net, opts, pair, weights, generator, mix=None, forward=None):
    """One step on a batch of singles and one of couples; the parts of the loss as numbers.

    `forward`: the network as DistributedDataParallel wraps it, which averages the gradients of all processes once.
    """
    shown, device = {}, weights.device
    for batch in pair:
        batch = to_torch(batch, device)
        couple = batch.target.shape[1] == 2
        distance = torch.from_numpy(token_distance(batch.target.shape[2])).to(device)
        alone = forward.no_sync() if forward is not None and not couple else contextlib.nullcontext()
        with alone, precision(device):
            if couple and mix is None:
                noise = variety.nearest(net, batch, distance, generator, weights)
            else:
                noise = torch.randn(batch.target.shape, generator=generator).to(device)
            noisy, level = noised(batch, noise, generator, mix)
            run = forward or net
            predicted = run(noisy, batch.given, 1 - batch.mask, level, batch.present, distance, couple).float()
            loss, parts = losses.total(predicted, batch, weights, mix)
            (0.5 * loss).backward()
        shown |= {f"{'couple' if couple else 'single'}_{k}": float(v.detach()) for k, v in parts.items()}
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    for opt in opts:
        opt.step()
        opt.zero_grad(set_to_none=True)
    return shown


class Run:
    """What a run carries from step to step and over a break."""

    def __init__(self, args, device):
        self.args = args
        self.net, self.average = (Denoiser(width=args.width, layers=args.layers).to(device) for _ in range(2))
        self.opts = optimisers(self.net)
        self.generator = torch.Generator().manual_seed(args.seed)
        self.step, self.cycle, self.best, self.spent = 0, 0, float("inf"), 0.0
        if args.begin_from is not None:
            load_numbers(self.net, read_weights(args.begin_from)[0])
        for name, p in self.net.named_parameters():
            p.requires_grad_(not args.last_layer or name.startswith(LAST_LAYER))
        self.average.load_state_dict(self.net.state_dict())

    def resume(self, folder):
        """Goes on from last.pt of a folder; `--again` starts the learning rate's cycle anew."""
        saved = torch.load(folder / "last.pt", weights_only=True, map_location="cpu")
        load_numbers(self.net, saved["net"])
        load_numbers(self.average, saved["average"])
        for opt, state in zip(self.opts, saved["opts"], strict=True):
            opt.load_state_dict(state)
        self.step, self.best = saved["step"], saved["best"]
        self.cycle, self.spent = (self.step, 0.0) if self.args.again else (saved["cycle"], saved["spent"])
        self.generator.set_state(saved["noise"])
        torch.set_rng_state(saved["dropout"])

    def save(self, elapsed, numbers):
        """best.pt when the validation is the best so far, and last.pt."""
        folder = self.args.out
        if scalar(numbers) < self.best:
            self.best = scalar(numbers)
            best = {"net": self.average.state_dict(), "config": self.net.config, "numbers": numbers, "step": self.step}
            torch.save(best | {"vocabulary": list(NAMES)}, folder / BEST)
        state = {"net": self.net.state_dict(), "average": self.average.state_dict()}
        state["opts"] = [opt.state_dict() for opt in self.opts]
        state |= {"noise": self.generator.get_state(), "dropout": torch.get_rng_state()}
        state |= {"step": self.step, "cycle": self.cycle, "best": self.best, "spent": elapsed}
        torch.save(state, folder / "unfinished.pt")
        os.replace(folder / "unfinished.pt", folder / "last.pt")  # a break while writing costs nothing

    def follow(self):
        """Moves the average towards the network."""
        keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for a, b in zip(self.average.parameters(), self.net.parameters(), strict=True):
                a.lerp_(b, 1 - keep)

    def share(self, elapsed):
        """How much of the run is over, the same in every process."""
        if self.args.steps is not None:
            return (self.step - self.cycle) / self.args.steps
        share = torch.tensor(elapsed / (60 * self.args.minutes))
        if distributed.is_initialized():
            distributed.broadcast(share, 0)
        return float(share)


def train(run, sets, feed, forward, chief):
    """Steps until the run is over; the process that is `chief` validates and saves."""
    device = next(run.net.parameters()).device
    weights = losses.channel_weights(SIZE).to(device)
    mix = emphasis.matrix(run.args.emphasis)
    begun = last_look = time.time()
    shown = {}
    while True:
        elapsed = time.time() - begun + run.spent
        share = run.share(elapsed)
        set_rates(run.opts, share, run.step - run.cycle, run.args.rate)
        if chief and (time.time() - last_look > VALIDATE_SECONDS or share >= 1):
            last_look = time.time()
            numbers = validate(run.average, sets)
            line = {"step": run.step, "minutes": round(elapsed / 60, 1)} | {k: round(v, 2) for k, v in numbers.items()}
            print(json.dumps(line | {k: round(v, 3) for k, v in shown.items()}), flush=True)
            run.save(elapsed, numbers)
            draw(run.average, sets, run.args.out / "samples.png")
        if share >= 1:
            return
        shown = learn(run.net, run.opts, next(feed), weights, run.generator, mix, forward)
        run.step += 1
        run.follow()


def arguments(words=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the data folder, or a dataset that was built of one")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoints")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1.0, help="times the learning rate; less for a short run --from")
    parser.add_argument(
        "--emphasis", type=float, default=0, help="on the pelvis (GMD); measured by benchmarks.emphasis"
    )
    parser.add_argument("--from", dest="begin_from", type=Path, metavar="WEIGHTS", help="a weights folder to learn on")
    parser.add_argument(
        "--last-layer", action="store_true", help="learn what follows the blocks alone: how, and not what, is answered"
    )
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    parser.add_argument("--again", action="store_true", help="with --resume: a new cycle of the learning rate")
    return parser.parse_args(words)


def main():
    """Trains until the run is over; exits with one message where the data or the weights can't be read."""
    with one_line():
        run_of(arguments())


def run_of(args):
    """The run that the command line asks for. Raises FileError, WeightsError."""
    rank, spread = int(os.environ.get("RANK", "0")), "WORLD_SIZE" in os.environ
    graphics = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if graphics else torch.device("cpu")
    if spread:
        distributed.init_process_group("nccl" if graphics else "gloo")
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    if rank == 0:
        load_tables(args.data, args.out, args.begin_from)
    if spread:
        distributed.barrier()  # the others read what the first measured
    tables = load_tables(args.data, args.out)
    run = Run(args, device)
    if args.resume:
        run.resume(args.out)
    sets = make_sets(load_clips(args.data, names=choosing(args.data)), tables, device=device) if rank == 0 else None
    if rank == 0:
        print("base alone:", {k: round(v, 2) for k, v in baseline(sets).items()}, flush=True)
        print(f"{sum(p.numel() for p in run.net.parameters()) / 1e6:.2f} M parameters on {device}", flush=True)
    forward = None
    if spread:
        forward = torch.nn.parallel.DistributedDataParallel(run.net, find_unused_parameters=False)
        run.generator.manual_seed(args.seed + 1000 * rank + run.step)
    feed = batches(args.data, tables, args.seed, rank, run.step)
    with contextlib.closing(feed):
        train(run, sets, feed, forward, chief=rank == 0)
    if spread:
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
