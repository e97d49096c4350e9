"""What a few-step model is chosen by, on clips never trained on: errors, sharpness, feet, and how takes differ.

python -m training.distill_table --data FOLDER --runs TEACHER_RUN STUDENT_RUN ... : the raw network's answers, nothing
imposed after it; teachers are sampled by DDIM, distilled weights (their best.pt says `method`) by consistency steps.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.denoiser.layout import token_distance
from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.diffusion.schedule import alpha_bar, sampling_steps
from blender_motiondiff.core.features import ROTATIONS
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import FEET, Body

from . import losses
from .dataset import load_clips, validation
from .start import load_numbers, read_best, read_tables
from .validate import make_sets
from .variety import quiet

STEP_COUNTS = (1, 2, 4, 8, 50)
TAKES = 8
# The teacher's errors on the clips to choose on, for `choice`.
TYPICAL = {"path_cm": 14, "keys_cm": 10, "reaction_cm": 54, "reaction_best8_cm": 53}


def call(net, noisy, batch, level):
    """The network on tensors shaped as in batches.Batch, `level` a number or `(B,)`: clean residuals."""
    level = torch.as_tensor(level, dtype=torch.float32).expand(len(noisy))
    distance = torch.from_numpy(token_distance(noisy.shape[2]))
    return net(noisy, batch.given, 1 - batch.mask, level, batch.present, distance, noisy.shape[1] == 2)


@torch.no_grad()
def sample(net, batch, steps, generator, fresh, first):
    """One take: residuals `(B, P, T, 268)` in `steps` calls; noise drawn `fresh` at each (consistency), or DDIM.

    `first`: its first noise has no slow part, as that of the product's first take.
    """
    free = 1 - batch.mask
    x = torch.randn(batch.target.shape, generator=generator)
    if first:
        x = quiet(x, torch.ones(len(x)), net, torch.from_numpy(token_distance(x.shape[2])))
    x = x * free
    shares = alpha_bar(np.append(sampling_steps(steps), 0.0))
    for now, then in zip(shares[:-1], shares[1:], strict=True):
        clean = call(net, x, batch, now**0.5)
        noise = (x - now**0.5 * clean) / (1 - now) ** 0.5
        if fresh:
            noise = torch.randn(x.shape, generator=generator) * free
        x = then**0.5 * clean + (1 - then) ** 0.5 * noise
    return clean


def world_joints(batch, residual):
    """Joints `(B, P, T, 22, 3)` in the world, from the root and the rotations, as the product decodes them."""
    features = batch.base + batch.spread * residual
    places = losses.kinematics(features[..., ROTATIONS], batch.offsets)
    return losses.to_world(places, features, batch.place, batch.heading)


def made(batch):
    """Which persons are made: bool `(B, P)`, those of whom not everything is observed."""
    return batch.mask.flatten(2).min(-1).values < 1


def jerk(world):
    """Mean length of the third difference, m/s^3: `(N, T, 22, 3)` -> a number."""
    return float(torch.diff(world, n=3, dim=1).norm(dim=-1).mean()) * FPS**3


def standing(world, offsets):
    """(slip of standing feet in cm/s, share of the frames in which a foot joint stands), contacts by geometry."""
    moved, stood, count = 0.0, 0.0, 0
    for places, body in zip(world.double().numpy(), offsets.double().numpy(), strict=True):
        stands = label_contacts(places, Body(body), FPS)
        speed = np.linalg.norm(np.diff(places[:, list(FEET)], axis=0), axis=-1) * FPS
        both = stands[1:] & stands[:-1]
        moved, stood, count = moved + speed[both].sum(), stood + both.sum(), count + both.size
    return 100 * moved / max(stood, 1), stood / count


def measure(net, batch, steps, fresh, takes=TAKES, seed=0):
    """Figures of one batch by name: of first takes, of the best of all, of how they differ."""
    generator, chosen = torch.Generator().manual_seed(seed), made(batch)
    worlds = torch.stack(
        [world_joints(batch, sample(net, batch, steps, generator, fresh, k == 0))[chosen] for k in range(takes)]
    )
    true = world_joints(batch, batch.target)[chosen]
    offsets = batch.offsets[chosen]
    errors = (worlds - true).norm(dim=-1).mean((2, 3))  # (takes, windows)
    apart = (worlds[1:] - worlds[:1]).norm(dim=-1).mean() if takes > 1 else torch.tensor(0.0)
    slip, share = standing(worlds[0], offsets)
    recorded = (batch.contacts[chosen][:, 1:] * batch.contacts[chosen][:, :-1]).double()
    speed = torch.diff(worlds[0][:, :, list(FEET)], dim=1).norm(dim=-1) * FPS
    return {
        "cm": 100 * float(errors[0].mean()), "all_cm": 100 * float(errors.mean()),
        "best8_cm": 100 * float(errors.min(0).values.mean()),
        "spread_cm": 100 * float(apart), "jerk_ratio": jerk(worlds[0]) / jerk(true), "slip_cm_s": slip,
        "stands": share, "planned_slip_cm_s": 100 * float((speed * recorded).sum() / recorded.sum().clamp(min=1)),
    }  # fmt: skip


def real(batch):
    """The recorded motion's own (slip cm/s, share standing, slip where contacts are planned)."""
    chosen = made(batch)
    true = world_joints(batch, batch.target)[chosen]
    slip, share = standing(true, batch.offsets[chosen])
    planned = 100 * float(losses.feet(true[:, None], batch.contacts[chosen][:, None]))
    return {"slip_cm_s": slip, "stands": share, "planned_slip_cm_s": planned}


def comparison_sets(clips, tables):
    """The batches of validation, and as many couples again: one draw of 32 windows tells little about the salsa."""
    first, second = make_sets(clips, tables, seed=1), make_sets(clips, tables, seed=2)
    more = (torch.cat(pair) for pair in zip(*(vars(s["reaction"]).values() for s in (first, second)), strict=True))
    return first | {"reaction": type(first["reaction"])(*more)}


def figures(net, sets, steps, fresh, takes=TAKES):
    """All figures as `kind_name`, and the network as it was: no dropout while measuring."""
    training = net.training
    net.eval()
    out = {}
    for kind, batch in sets.items():
        found = measure(net, batch, steps, fresh, takes if kind != "keys" else min(takes, 4))
        out |= {f"{kind}_{name}": value for name, value in found.items()}
    net.train(training)
    return out


def choice(numbers):
    """One number to choose checkpoints by, lower is better: errors, sharpness, feet and the best of the takes."""
    errors = sum(numbers[name] / typical for name, typical in TYPICAL.items() if name in numbers)
    jerks = sum(abs(np.log(value)) for name, value in numbers.items() if name.endswith("_jerk_ratio"))
    slips = [numbers[f"{kind}_planned_slip_cm_s"] for kind in ("path", "keys")]
    return float(errors + 0.5 * jerks + sum(slips) / 25)


def load(run):
    """(network, what its best.pt says) of a run folder."""
    saved = read_best(Path(run))
    net = Denoiser(**saved["config"])
    load_numbers(net, saved["net"])
    return net.eval(), saved


def line(name, found):
    """One row of the printed table."""
    return f"{name:28}" + " ".join(f"{found.get(c, float('nan')):>8.2f}" for c in COLUMNS)


NAMES = ("cm", "best8_cm", "spread_cm", "jerk_ratio", "slip_cm_s", "stands", "planned_slip_cm_s")
COLUMNS = [f"{kind}_{name}" for kind in ("path", "keys", "reaction") for name in NAMES]


def main():
    """Prints the table: a row a run and number of steps."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="run folders, the teacher's first")
    parser.add_argument("--steps", type=int, nargs="+", default=STEP_COUNTS)
    parser.add_argument("--takes", type=int, default=TAKES)
    args = parser.parse_args()
    tables = read_tables(args.runs[0])
    sets = comparison_sets(load_clips(args.data, names=validation(args.data)), tables)
    print(" | ".join(COLUMNS))
    print(line("real", {f"{k}_{n}": v for k, b in sets.items() for n, v in real(b).items()}), flush=True)
    for run in args.runs:
        net, saved = load(run)
        for steps in args.steps:
            print(line(f"{run.name}, {steps} steps", figures(net, sets, steps, "method" in saved, args.takes)))


if __name__ == "__main__":
    main()
