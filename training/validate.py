"""Validation on trials never trained on: the numbers by which a checkpoint is chosen."""

import numpy as np
import torch

from blender_motiondiff.core.denoiser.layout import token_distance
from blender_motiondiff.core.features import CONTACTS, ROTATIONS, SIZE
from blender_motiondiff.core.reference import OWN, PARTNER, PATH

from . import losses, picture, variety
from .batches import Sampler, prepare
from .tasks import observe_key

FRAMES = 120
TAKES = 8


def to_torch(batch, device="cpu"):
    """A Batch of NumPy arrays as one of float32 tensors."""
    arrays = (np.ascontiguousarray(v, np.float32) for v in vars(batch).values())
    return type(batch)(*(torch.from_numpy(a).to(device) for a in arrays))


@torch.no_grad()
def answer(net, batch, generator, first=True):
    """One step from pure noise: the answer's features in their frames, `(B, P, T, 268)`.

    `first`: the first take, whose noise has no slow part.
    """
    free = 1 - batch.mask
    device = batch.target.device
    noise = torch.randn(batch.target.shape, generator=generator).to(device)
    level = torch.zeros(len(noise), device=device)
    distance = torch.from_numpy(token_distance(noise.shape[2])).to(device)
    if first:
        noise = variety.quiet(noise, torch.ones_like(level), net, distance)
    noise = noise * free
    couple = noise.shape[1] == 2
    predicted = net(noise, batch.given, free, level, batch.present, distance, couple)
    return batch.base + batch.spread * predicted


def fixed_tasks(kind, count, frames):
    """The same questions every time: a path with planned contacts, a key a second, the partner's whole motion."""
    if kind == "reaction":
        masks = np.zeros((count, 2, frames, SIZE), bool)
        masks[:, 0] = True
        return masks, np.tile([OWN, PARTNER], (count, 1))
    masks = np.zeros((count, 1, frames, SIZE), bool)
    if kind == "keys":
        for m in masks[:, 0]:
            observe_key(m, np.append(np.arange(0, frames, 30), frames - 1), with_root=True)
        return masks, np.full((count, 1), OWN)
    masks[..., CONTACTS] = True
    return masks, np.full((count, 1), PATH)


def make_sets(clips, tables, seed=1, device="cpu"):
    """The validation batches by name, without augmentation."""
    sampler = Sampler(clips, seed, augment=False)
    out = {}
    for kind, count in (("path", 48), ("keys", 48), ("reaction", 32)):
        if kind == "reaction" and not sampler.pairs(FRAMES):
            continue
        win = sampler.draw(count, FRAMES, couples=kind == "reaction")
        tasks = fixed_tasks(kind, count, FRAMES)
        out[kind] = to_torch(prepare(win, tables, np.random.default_rng(seed), tasks), device)
    return out


def joint_errors(batch, features):
    """Mean joint error of each window `(B,)` in metres, and the world places that have it.

    From the rotations and the root, of the persons that were not observed.
    """
    truth = batch.base + batch.spread * batch.target
    worlds = []
    for f in (features, truth):
        places = losses.kinematics(f[..., ROTATIONS], batch.offsets)
        worlds.append(losses.to_world(places, f, batch.place, batch.heading))
    error = (worlds[0] - worlds[1]).norm(dim=-1)
    made = 1 - batch.mask.flatten(2).min(-1).values  # (B, P)
    return (error.mean((2, 3)) * made).sum(1) / made.sum(1), worlds[0]


def several(net, batch, generator):
    """Of TAKES takes, mean joint error of the best (m), and mean distance between two of them (m)."""
    answers = [joint_errors(batch, answer(net, batch, generator, first=k == 0)) for k in range(TAKES)]
    best = torch.stack([error for error, _ in answers]).min(0).values
    worlds = torch.stack([world[:, -1] for _, world in answers])
    apart = (worlds[1:] - worlds[:-1]).norm(dim=-1).mean()
    return float(best.mean()), float(apart)


def validate(net, sets, seed=0):
    """Numbers by name: joint errors in cm, slip of standing feet in cm/s, and the error of the contacts."""
    net.eval()
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for kind, batch in sets.items():
        features = answer(net, batch, generator)
        error, world = joint_errors(batch, features)
        out[f"{kind}_cm"] = 100 * float(error.mean())
        if kind == "reaction":
            best, apart = several(net, batch, generator)
            out |= {"reaction_best8_cm": 100 * best, "reaction_spread_cm": 100 * apart}
        if kind != "keys":
            person = slice(world.shape[1] - 1, None)
            out[f"{kind}_slip"] = 100 * float(losses.feet(world[:, person], batch.contacts[:, person]))
    net.train()
    return out


def baseline(sets):
    """The same numbers for the base alone, residual 0."""
    return {f"{kind}_cm": 100 * float(joint_errors(b, b.base)[0].mean()) for kind, b in sets.items()}


def draw(net, sets, path, seed=0):
    """Writes a sheet of first takes of the validation batches as a PNG file."""
    net.eval()
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for batch in sets.values():
        error, answered = joint_errors(batch, answer(net, batch, generator))
        recorded = joint_errors(batch, batch.base + batch.spread * batch.target)[1]
        made = 1 - batch.mask.flatten(2).min(-1).values > 0
        order = error.argsort()[:: max(1, len(error) // picture.WINDOWS)]  # from the best to the worst
        rows += picture.rows_of(*(v[order].cpu().numpy() for v in (answered, recorded, made)))
    net.train()
    picture.write_png(path, np.concatenate(rows))


def scalar(numbers):
    """One number to choose by: each error relative to a typical value."""
    typical = {"path_cm": 16, "path_slip": 40, "keys_cm": 5, "reaction_cm": 25}
    return float(sum(numbers[name] / value for name, value in typical.items() if name in numbers))
