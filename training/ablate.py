"""What each part is worth: python -m training.ablate --data DATA --out FOLDER --steps 150 [--only NAME ...]

Every variant is a short run of its own from the same random numbers, alike but for one change; what it comes to on the
clips kept for choosing is a line of FOLDER/ablations.jsonl. Short runs tell large effects from none, and no more: a
difference of a few per cent is noise, and what pays late (composed pairs, dropout) does not show.
"""

import argparse
import contextlib
import json
import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from blender_motiondiff.core import reference as ref
from blender_motiondiff.core.denoiser import layout, network
from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.reference import PATH

from . import batches, feed, losses, tasks, train, variety
from .batches import Sampler, measure_tables
from .dataset import choosing, for_training, load_clips, read_index
from .feed import make_batch
from .pool import training_sampler
from .train import optimisers
from .validate import make_sets, validate

TOKENS = 600
ROUNDS = 15  # of windows for the tables, where a variant needs its own
SHARE_ALIKE = "CC BY-SA 3.0"  # the terms of HDM05


def fixed_frames(moving):
    """lay_frames with one frame a window, where the first person starts (`moving`), or the world's."""

    def lay(features, root_heading, masks, sources, rng):
        place, heading = np.zeros_like(features[..., :2]), np.zeros_like(root_heading)
        if moving:
            place += features[:, :1, :1, :2]
            heading += root_heading[:, :1, :1]
        return place, heading

    return lay


def unconditioned(rng, frames, *rest):
    """A task in which nothing is known: what is asked is imposed when sampling alone."""
    return np.zeros((frames, SIZE), bool), PATH


def flat_spread(tables, source, mask):
    """The features' plain deviations in place of what is expected at a distance from what is known."""
    return np.broadcast_to(tables.deviation, mask.shape) * np.ones(mask.shape, np.float32)


def mean_base(tables, source, observed, mask, place, heading):
    """The mean pose in place of the interpolation of what is known."""
    mean = np.broadcast_to(tables.mean[source][..., None, :], observed.shape)
    return np.where(mask, observed, mean)


def adam_alone(net):
    """AdamW for the blocks' matrices as well."""
    muon, rest = optimisers(net)
    matrices = muon.param_groups[0]["params"]
    return [torch.optim.AdamW(matrices, lr=train.ADAM_RATE, betas=(0.9, 0.98), weight_decay=train.DECAY), rest]


def patches(frames):
    """Tokens of `frames` frames, attention over the same seconds."""
    reach = layout.REACH * layout.PATCH // frames
    out = {(m, "PATCH"): frames for m in (layout, network, variety)}
    return out | {(layout, "REACH"): reach, (network, "REACH"): reach}


# Variant -> what replaces what: {(module, name): value}; a text names what `run` itself does otherwise.
VARIANTS = {
    "as it is": {},
    "a frame a window": {(batches, "lay_frames"): fixed_frames(True), "tables": "own"},
    "the world's frame": {(batches, "lay_frames"): fixed_frames(False), "tables": "own"},
    "no residual": {(ref, "base_of"): mean_base, "tables": "own"},
    "no spread": {(ref, "spread"): flat_spread},
    "AdamW alone": {(train, "optimisers"): adam_alone, (train, "MUON_RATE"): train.ADAM_RATE},
    "no HDM05": {"terms": SHARE_ALIKE},
    "paths of the raw pelvis": {(batches, "smooth_pelvis"): lambda pelvis, **_: pelvis},
    "no composed pairs": {"pairs": 0},
    "no bent paths": {"bends": 0},
    "imputation alone": {(tasks, "_single_task"): unconditioned},
    "partner's joints weighted alike": {(losses, "NEAR"): 1e3},
    "one answer": {(variety, "CHOICES"): 1},
    "tokens of 2 frames": patches(2),
    "tokens of 1 frame": patches(1),
    "256 wide, 6 layers": {"network": {"width": 256, "layers": 6, "heads": 8}},
}  # fmt: skip


def tables_for(clips, change, shared):
    """Tables measured as the variant has it; those of plain runs, in the list `shared`, once."""
    if "tables" not in change and shared:
        return shared[0]
    tables = measure_tables(Sampler(clips, seed=5), ROUNDS, report=lambda text: None)
    if not change:
        shared.append(tables)
    return tables


def run(clips, rows, chosen, steps, change, shared):
    """Numbers of training.validate of one variant after `steps` steps, and its seconds a step."""
    if "terms" in change:
        clips = {n: c for n, c in clips.items() if rows[n]["terms"] != change["terms"]}
    torch.manual_seed(0)
    tables = tables_for(clips, change, shared)
    sampler = training_sampler(clips, 0, **{k: change[k] for k in ("bends", "pairs") if k in change})
    sets = make_sets(chosen, tables)
    net, average = (Denoiser(**change.get("network", {})) for _ in range(2))
    average.load_state_dict(net.state_dict())
    opts, generator = train.optimisers(net), torch.Generator().manual_seed(0)
    weights, seconds = losses.channel_weights(SIZE), 0.0
    for step in range(steps):
        train.set_rates(opts, step / steps, step)
        pair = make_batch(sampler, tables, [0, 0, step])
        begun = time.process_time()
        train.learn(net, opts, pair, weights, generator)
        seconds += time.process_time() - begun
        with torch.no_grad():
            for a, b in zip(average.parameters(), net.parameters(), strict=True):
                a.lerp_(b, 1 - min(0.95, (1 + step) / (10 + step)))
    return validate(average, sets) | {"seconds_a_step": seconds / steps}


def main():
    """Runs the variants one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = read_index(args.data)
    clips, chosen = for_training(load_clips(args.data), rows), load_clips(args.data, names=choosing(args.data))
    shared = []
    for name in args.only:
        change = VARIANTS[name]
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(feed, "TOKENS", TOKENS))
            for key, value in change.items():
                if isinstance(key, tuple):
                    stack.enter_context(mock.patch.object(*key, value))
            numbers = run(clips, rows, chosen, args.steps, change, shared)
        line = json.dumps({"variant": name, "steps": args.steps} | {k: round(v, 3) for k, v in numbers.items()})
        print(line, flush=True)
        with open(args.out / "ablations.jsonl", "a") as file:
            file.write(line + "\n")


if __name__ == "__main__":
    main()
