"""Trains the denoiser: python -m training.train --data FOLDER --out FOLDER --minutes 60 [--resume]

Reads top to bottom. The learning rate follows the clock, so a run ends finished whatever the machine's speed. The best
checkpoint by validation (averaged weights) is best.pt; last.pt holds what a resumed run needs.
"""

import argparse
import collections
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core.denoiser.layout import token_distance
from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.diffusion.schedule import STEPS, alpha_bar
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.reference import Tables
from blender_motiondiff.core.words import NAMES

from . import emphasis, losses, variety
from .batches import Sampler, measure_tables, prepare
from .dataset import for_training, kept_out, load_clips, read_index
from .muon import Muon
from .start import load_numbers, read_weights
from .validate import baseline, make_sets, scalar, to_torch, validate

TOKENS = 1200  # frames / 4 of all persons in a step
COUPLES = 0.4  # of those in windows of two
LENGTHS = {48: 0.2, 80: 0.3, 120: 0.35, 180: 0.15}  # frames of the windows, and their chance
MUON_RATE, ADAM_RATE = 4.0e-3, 2.0e-3
DECAY = 0.1
WARM_UP = 100  # steps
PURE_NOISE = 0.5  # share of the samples at full noise
AVERAGE = 0.998  # of the weights, a step
VALIDATE_SECONDS = 420
REUSE_AFTER = 12  # steps: every batch is learnt from twice, with other noise, since making one costs half a step


def produce(queue, data, tables, seed):
    """In a process of its own: batches for ever, one of singles and one of couples at a time."""
    torch.set_num_threads(1)
    clips = for_training(load_clips(data), read_index(data))
    sampler = Sampler(clips, seed)
    rng = np.random.default_rng(seed + 1)
    while True:
        frames = int(rng.choice(list(LENGTHS), p=list(LENGTHS.values())))
        tokens = frames // 4
        singles = prepare(sampler.draw(int(TOKENS * (1 - COUPLES) / tokens), frames, False), tables, rng)
        couples = prepare(sampler.draw(int(TOKENS * COUPLES / tokens / 2), frames, True), tables, rng)
        queue.put((singles, couples))


def load_tables(data, cache, begun_from=None):
    """The statistics, measured once and kept beside the checkpoints; those of the weights that a run begins from."""
    if begun_from is not None and not cache.exists():
        np.savez(cache, **vars(read_weights(begun_from)[1]))
    if cache.exists():
        with np.load(cache) as f:
            return Tables(f["mean"], f["deviation"], f["spread"])
    sampler = Sampler(for_training(load_clips(data, report=print), read_index(data)), seed=5)
    tables = measure_tables(sampler)
    np.savez(cache, **vars(tables))
    return tables


def noised(batch, noise, generator, mix=None):
    """(noisy residual, level) with half of the samples at full noise; in the emphasis' mix where there is one."""
    count = len(batch.target)
    step = torch.rand(count, generator=generator) * STEPS
    step[torch.rand(count, generator=generator) < PURE_NOISE] = STEPS
    share = torch.from_numpy(alpha_bar(step.numpy())).float()
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


def set_rates(opts, share, step):
    """Cosine to 0 over the run, after a short warm-up."""
    factor = float(0.5 * (1 + np.cos(np.pi * min(share, 1.0)))) * min(1.0, (step + 1) / WARM_UP)
    for opt, rate in zip(opts, (MUON_RATE, ADAM_RATE), strict=True):
        for group in opt.param_groups:
            group["lr"] = rate * factor


def learn(net, opts, batches, weights, generator, mix=None):
    """One step on a batch of singles and one of couples; the parts of the loss as numbers."""
    shown = {}
    for batch in batches:
        batch = to_torch(batch)
        couple = batch.target.shape[1] == 2
        distance = torch.from_numpy(token_distance(batch.target.shape[2]))
        if couple and mix is None:
            noise = variety.nearest(net, batch, distance, generator, weights)
        else:
            noise = torch.randn(batch.target.shape, generator=generator)
        noisy, level = noised(batch, noise, generator, mix)
        predicted = net(noisy, batch.given, 1 - batch.mask, level, batch.present, distance, couple)
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

    def __init__(self, args):
        self.args = args
        self.net, self.average = (Denoiser(width=args.width, layers=args.layers) for _ in range(2))
        self.opts = optimisers(self.net)
        self.step, self.best, self.spent = 0, float("inf"), 0.0
        if args.begin_from is not None:
            load_numbers(self.net, read_weights(args.begin_from)[0])
        self.average.load_state_dict(self.net.state_dict())

    def resume(self, folder):
        """Goes on from last.pt of a folder; `--again` starts the learning rate's cycle anew."""
        saved = torch.load(folder / "last.pt", weights_only=True)
        load_numbers(self.net, saved["net"])
        load_numbers(self.average, saved["average"])
        for opt, state in zip(self.opts, saved["opts"], strict=True):
            opt.load_state_dict(state)
        self.step, self.best = saved["step"], saved["best"]
        self.spent = 0.0 if self.args.again else saved["spent"]

    def save(self, elapsed, numbers):
        """best.pt when the validation is the best so far, and last.pt."""
        folder = self.args.out
        if scalar(numbers) < self.best:
            self.best = scalar(numbers)
            best = {"net": self.average.state_dict(), "config": self.net.config, "numbers": numbers, "step": self.step}
            best["vocabulary"] = list(NAMES)
            torch.save(best, folder / "best.pt")
        state = {"net": self.net.state_dict(), "average": self.average.state_dict()}
        state["opts"] = [opt.state_dict() for opt in self.opts]
        torch.save({**state, "step": self.step, "best": self.best, "spent": elapsed}, folder / "last.pt")

    def follow(self):
        """Moves the average towards the network."""
        keep = min(AVERAGE, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for a, b in zip(self.average.parameters(), self.net.parameters(), strict=True):
                a.lerp_(b, 1 - keep)


def twice(queue):
    """Batches from the queue, each of them again REUSE_AFTER fresh ones later."""
    waiting = collections.deque()
    while True:
        waiting.append(queue.get())
        yield waiting[-1]
        if len(waiting) > REUSE_AFTER:
            yield waiting.popleft()


def train(run, sets, queue, generator):
    """Steps until the run's minutes are over."""
    weights, mix = losses.channel_weights(SIZE), emphasis.matrix(run.args.emphasis)
    begun = last_look = time.time()
    first_step, shown, batches = run.step, {}, twice(queue)
    while True:
        elapsed = time.time() - begun + run.spent
        share = elapsed / (60 * run.args.minutes)
        set_rates(run.opts, share, run.step - first_step)
        if time.time() - last_look > VALIDATE_SECONDS or share >= 1:
            last_look = time.time()
            numbers = validate(run.average, sets)
            line = {"step": run.step, "minutes": round(elapsed / 60, 1)} | {k: round(v, 2) for k, v in numbers.items()}
            print(json.dumps(line | {k: round(v, 3) for k, v in shown.items()}), flush=True)
            run.save(elapsed, numbers)
        if share >= 1:
            return
        shown = learn(run.net, run.opts, next(batches), weights, generator, mix)
        run.step += 1
        run.follow()


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--emphasis", type=float, default=0, help="on the pelvis (GMD); measured by benchmarks.emphasis"
    )
    parser.add_argument("--from", dest="begin_from", type=Path, metavar="WEIGHTS", help="a weights folder to learn on")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    parser.add_argument("--again", action="store_true", help="with --resume: a new cycle of the learning rate")
    return parser.parse_args()


def main():
    """Trains until the minutes are over."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tables = load_tables(args.data, args.out / "tables.npz", args.begin_from)
    sets = make_sets(load_clips(args.data, names=kept_out()), tables)
    print("base alone:", {k: round(v, 2) for k, v in baseline(sets).items()}, flush=True)
    run = Run(args)
    if args.resume:
        run.resume(args.out)
    print(f"{sum(p.numel() for p in run.net.parameters()) / 1e6:.2f} M parameters", flush=True)
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue(maxsize=3)
    maker = spawn.Process(target=produce, args=(queue, args.data, tables, args.seed + 100 + run.step), daemon=True)
    maker.start()
    train(run, sets, queue, torch.Generator().manual_seed(args.seed + run.step))
    maker.kill()


if __name__ == "__main__":
    main()
