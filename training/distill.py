"""Few-step weights: python -m training.distill --data FOLDER --run TEACHER_RUN --out FOLDER --minutes 15 [--method ...]

Reads top to bottom. The student begins as the teacher. The learning rate follows the clock. best.pt (averaged weights,
chosen by validation) has the form of training's own and is exported the same way; last.pt holds what a resumed run
needs. Which method for what: training/LOG.md.
"""

import argparse
import contextlib
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core.denoiser.network import Denoiser

from .dataset import choosing, load_clips
from .distill_critic import Critic
from .distill_methods import METHODS
from .distill_table import choice, figures
from .feed import batches
from .start import BEST, load_numbers, one_line, read_best, read_tables, write_tables
from .validate import make_sets, to_torch

RATE = 3e-4  # AdamW; Muon's products cost a quarter of a step of so few windows
HELPER_RATE = {"one_step": 3e-4, "sharpen": 5e-4}
WARM_UP = 30  # steps: of the rate, and until the helper has its full say
AVERAGE = 0.98  # of the weights, a step
CONSISTENCY_AVERAGE = 0.95  # MotionLCM's: the averaged weights are the target there
VALIDATE_SECONDS = 240
CLIP = 1.0  # largest norm of the gradient


class Run:
    """The student, its teacher and average, the helper network of its method, and what goes over a break."""

    def __init__(self, saved, method, seed=0):
        self.method, self.saved = method, saved  # every network in eval mode: only dropout would be added
        self.student, self.average = (Denoiser(**saved["config"]).eval() for _ in range(2))
        self.teacher = Denoiser(**saved["config"]).eval().requires_grad_(False)
        for net in (self.student, self.average, self.teacher):
            load_numbers(net, saved["net"])
        self.average.requires_grad_(False)
        self.opt = torch.optim.AdamW(self.student.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
        self.helper = self.helper_opt = None
        if method == "one_step":
            self.helper = Denoiser(**saved["config"]).eval()
            load_numbers(self.helper, saved["net"])
        if method == "sharpen":
            self.helper = Critic()
        if self.helper is not None:
            self.helper_opt = torch.optim.AdamW(self.helper.parameters(), lr=HELPER_RATE[method], betas=(0.5, 0.99))
        self.generator = torch.Generator().manual_seed(seed)
        self.step, self.spent, self.best = 0, 0.0, float("inf")

    @property
    def helper_share(self):
        """How much the helper has to say, 0 to 1: nothing before it knows anything."""
        return min(1.0, self.step / WARM_UP)

    def parts(self):
        """What has a state to save, by name."""
        named = {"student": self.student, "average": self.average, "helper": self.helper, "opt": self.opt}
        named |= {"helper_opt": self.helper_opt}
        return {name: part for name, part in named.items() if part is not None}

    def save(self, folder, numbers):
        """best.pt when the validation is the best so far, and last.pt."""
        if choice(numbers) < self.best:
            self.best = choice(numbers)
            best = {"net": self.average.state_dict(), "config": self.student.config, "numbers": numbers}
            torch.save(self.saved | best | {"step": self.step, "method": self.method}, folder / BEST)
        state = {name: part.state_dict() for name, part in self.parts().items()}
        state |= {"step": self.step, "best": self.best, "spent": self.spent, "noise": self.generator.get_state()}
        torch.save(state, folder / "unfinished.pt")
        os.replace(folder / "unfinished.pt", folder / "last.pt")  # a break while writing costs nothing

    def resume(self, folder):
        """Goes on from last.pt of a folder."""
        state = torch.load(folder / "last.pt", weights_only=True)
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        self.step, self.best, self.spent = state["step"], state["best"], state["spent"]
        self.generator.set_state(state["noise"])


def set_rates(run, share):
    """Cosine to 0 over the run, after a short warm-up."""
    factor = float(0.5 * (1 + np.cos(np.pi * min(share, 1.0)))) * min(1.0, (run.step + 1) / WARM_UP)
    for group in run.opt.param_groups:
        group["lr"] = RATE * factor


def learn(run, pair):
    """One step on a batch of singles and one of couples; the parts of the losses as numbers."""
    shown = {}
    for batch in pair:
        kind = "couple" if batch.target.shape[1] == 2 else "single"
        shown |= {f"{kind}_{k}": v for k, v in METHODS[run.method](run, to_torch(batch)).items()}
    torch.nn.utils.clip_grad_norm_(run.student.parameters(), CLIP)
    run.opt.step()
    run.opt.zero_grad(set_to_none=True)
    keep = CONSISTENCY_AVERAGE if run.method == "consistency" else AVERAGE
    keep = min(keep, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for a, b in zip(run.average.parameters(), run.student.parameters(), strict=True):
            a.lerp_(b, 1 - keep)
    run.step += 1
    return shown


def look(run, sets):
    """Figures of the average in one step, those that decide first."""
    return figures(run.average, sets, 1, True, takes=4)


def distill(run, sets, feed, minutes, folder):
    """Steps until the minutes are over. The first look is at the teacher, so best.pt is never worse by its choice."""
    pair = next(feed)  # the clips are read before the clock starts
    begun, before, last_look, shown = time.time(), run.spent, -float("inf"), {}
    while True:
        run.spent = before + time.time() - begun
        share = run.spent / (60 * minutes)
        if share >= 1 or time.time() - last_look > VALIDATE_SECONDS:
            numbers = look(run, sets)
            line = {"step": run.step, "minutes": round(run.spent / 60, 1), "choice": round(choice(numbers), 3)}
            line |= {k: round(v, 2) for k, v in numbers.items()} | {k: round(v, 3) for k, v in shown.items()}
            print(json.dumps(line), flush=True)
            run.save(folder, numbers)
            last_look = time.time()
        if share >= 1:
            return
        set_rates(run, share)
        shown, pair = learn(run, pair), next(feed)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the teacher's training run")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--method", choices=METHODS, default="sharpen")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    return parser.parse_args()


@one_line()
def main():
    """Distills until the minutes are over."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    tables = read_tables(args.run)
    write_tables(args.out, tables)  # beside best.pt, where the export looks
    run = Run(read_best(args.run), args.method, args.seed)
    if args.resume:
        run.resume(args.out)
    sets = make_sets(load_clips(args.data, names=choosing(args.data)), tables)
    with contextlib.closing(batches(args.data, tables, args.seed + 500, 0, run.step)) as feed:
        distill(run, sets, feed, args.minutes, args.out)


if __name__ == "__main__":
    main()
