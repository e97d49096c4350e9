"""Trains the learned interpolation between keys: python -m training.inbetween --data DATA --out FOLDER --minutes 15

Before the denoiser, which learns what is left: writes it into tables.npz in the folder of a run (`training.train
--out`), with the spread about it. Windows of recorded and bent clips, keys as the denoiser's tasks lay them; the loss
is the error of joints, of turns by their levers, and of velocities, relative to what linear interpolation misses at
that length. What it sees is disturbed and dropped at random: seventy minutes of people are few.
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core import inbetween as core
from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.features import encode
from blender_motiondiff.core.motion import FPS, forward_kinematics
from blender_motiondiff.core.reference import OWN
from blender_motiondiff.core.skeleton import COUNT, average_body
from blender_motiondiff.core.solve.stiffness import ANCESTORS

from .batches import Sampler, measure_spread, measure_tables
from .dataset import choosing, for_training, load_clips, read_index
from .pool import training_sampler
from .start import one_line, read_weights, write_tables
from .tasks import keys_alone

WIDTH, HIDDEN = 512, 2
RATE, DECAY, DROPOUT, NOISE = 1.0e-3, 0.1, 0.1, 0.1
FRAMES = 150  # of a window
POOL, FRESH, BATCH = 1500, 6, 128  # windows at hand, of them made anew a step, and learnt from in a step
PAIRS = 6  # moments of a gap that are looked at, each with the frame after it
LEAST_LEVER = 0.01  # metres: what the turn of a joint without any below it counts
VELOCITY = 0.05  # seconds: weight of velocities
FLAT = torch.tensor([1.0, 1.0, 0.0])  # places are relative to the pelvis along the ground alone
BACKWARDS = 0.25  # share of the windows that run backwards: who lies down gets up
SPANS = 0.15  # share of the windows where somebody is known for a while, which tells speeds
AVERAGE = 0.999
LEAST_ERROR, ERROR_A_SECOND = 0.02, 0.065  # metres: what linear interpolation misses, about


class Between(torch.nn.Module):
    """The network of core.inbetween with dropout."""

    def __init__(self, width=WIDTH, hidden=HIDDEN):
        super().__init__()
        sizes = [core.INPUTS, *[width] * hidden, core.SINES * len(core.CHANNELS)]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True))
        torch.nn.init.zeros_(self.layers[-1].weight)
        torch.nn.init.zeros_(self.layers[-1].bias)

    def forward(self, x):
        """What is seen of gaps `(G, INPUTS)` -> coefficients `(G, SINES, C)`."""
        if self.training:
            x = x + NOISE * torch.randn_like(x) * (x != 0)
        for layer in self.layers[:-1]:
            x = torch.nn.functional.dropout(torch.nn.functional.silu(layer(x)), DROPOUT, self.training)
        return self.layers[-1](x).unflatten(1, (core.SINES, -1))

    def go_on_from(self, between):
        """Takes the numbers of a core.inbetween.Inbetween."""
        with torch.no_grad():
            for layer, weight, bias in zip(self.layers, between.weights, between.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(weight.T.copy()))
                layer.bias.copy_(torch.from_numpy(bias))

    def numbers(self):
        """As core.inbetween.Inbetween."""
        layers = [(layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy()) for layer in self.layers]
        return core.Inbetween(*zip(*layers, strict=True))


def laid_out(features, heading, full):
    """(relative features, place, heading) of a window whose poses are known in the frames `full [T]`."""
    keyed = np.flatnonzero(full)
    place, turn = ref.keyed_frames(len(full), keyed, features[keyed, :2], keyed, heading[keyed])
    return ref.to_relative(features, place, turn), place, turn


def draw_keys(rng, frames):
    """Which frames `[T]` of a window are known whole."""
    full = np.zeros(frames, bool)
    full[keys_alone(rng, frames, ())] = True
    if rng.random() < SPANS:
        start = int(rng.integers(frames))
        full[start : start + int(rng.integers(2, 30))] = True
    return full


@dataclass(frozen=True)
class Asked:
    """G gaps and M moments in each, of which some follow each other; of the network's channels alone."""

    told: torch.Tensor  # (G, INPUTS)
    sines: torch.Tensor  # (G, M, SINES)
    base: torch.Tensor  # (G, M, C) linear between the keys
    recorded: torch.Tensor  # (G, M, C)
    length: torch.Tensor  # (G) frames


def question(tables, features, heading, full, moments):
    """What a window asks, as arrays of Asked; None without a gap. `moments(start, end) [G, M]`: frames inside gaps."""
    relative, place, turn = laid_out(features, heading, full)
    gaps = core.gaps_between(full)
    if not len(gaps):
        return None
    start, end = gaps[:, 1:2], gaps[:, 2:3]
    at = moments(start, end)
    share = ((at - start) / (end - start)).astype(np.float32)
    sines = np.sin(np.pi * share[..., None] * np.arange(1, core.SINES + 1)) * core.room(end - start)[..., None]
    known = relative[:, core.CHANNELS]
    base = known[start] + share[..., None] * (known[end] - known[start])
    told = core.inputs(tables.mean[OWN], tables.deviation, relative, place, turn, gaps)
    return told, sines, base, known[at], (end - start)[:, 0]


def joined(questions):
    """Asked of many windows' questions."""
    return Asked(*(torch.from_numpy(np.concatenate(column)).float() for column in zip(*questions, strict=True)))


def answered(net, asked, deviation):
    """The network's channels `(G, M, C)` with the detours that it adds."""
    return asked.base + asked.sines @ net(asked.told) * torch.from_numpy(deviation[core.CHANNELS])


def lever_weights():
    """Metres by which the mean joint moves when a joint turns by a radian, `(22,)`; ends count a little as well."""
    places, _ = forward_kinematics(np.zeros(3), np.tile(rot.IDENTITY, (COUNT, 1)), average_body().offsets)
    reach = np.linalg.norm(places[:, None] - places[None], axis=-1)
    return torch.from_numpy((ANCESTORS * reach).sum(0) / COUNT + LEAST_LEVER).float()


def errors(asked, answer):
    """Mean joint error `(G, M)`, metres: of the places, and of the rotations by their levers."""
    off = answer - asked.recorded
    places = off[..., : 3 * COUNT].unflatten(-1, (COUNT, 3))
    places = torch.cat([places[..., :1, :], places[..., 1:, :] + places[..., :1, :] * FLAT], -2)
    turns = off[..., 3 * COUNT :].unflatten(-1, (COUNT, 6)).norm(dim=-1)
    return places, places.norm(dim=-1).mean(-1), turns @ lever_weights() / 2**0.5


def loss_of(asked, answer):
    """Error of joints and of their velocities, relative to what a gap of that length leaves open."""
    places, direct, turned = errors(asked, answer)
    weight = 1 / (LEAST_ERROR + ERROR_A_SECOND * (asked.length / FPS) ** 0.7)
    moves = (places[:, 1::2] - places[:, ::2]).norm(dim=-1).mean(-1) * FPS
    return ((direct + turned).mean(1) * weight).mean() + VELOCITY * (moves.mean(1) * weight).mean()


def _turned_back(values, which):
    """Values of windows `[N, T, ...]`, those of `which [N]` from their last frame to their first."""
    out = values.copy()
    out[which] = values[which, ::-1]
    return out


class Pool:
    """Augmented windows at hand, some of them replaced a step: features, headings, bodies."""

    def __init__(self, sampler, size=POOL, backwards=0.0):
        self.sampler, self.backwards = sampler, backwards
        self.features, self.heading = self._made(size)
        self.oldest = 0

    def _made(self, count):
        win = self.sampler.draw(count, FRAMES, couples=False)
        root, turns, offsets, contacts = (v[:, 0] for v in (win.root, win.rotations, win.offsets, win.contacts))
        back = np.arange(count) < self.backwards * count
        root, turns, contacts = (_turned_back(v, back) for v in (root, turns, contacts))
        features = encode(root, turns, offsets[:, None], contacts).astype(np.float32)
        return features, np.unwrap(rot.heading(turns[..., 0, :]), axis=-1)

    def refresh(self, count=FRESH):
        """Replaces the oldest windows."""
        at = (self.oldest + np.arange(count)) % len(self.features)
        self.features[at], self.heading[at] = self._made(count)
        self.oldest = (self.oldest + count) % len(self.features)

    def batch(self, rng, tables, count=BATCH):
        """Asked of windows, keys and moments at random: pairs of frames that follow each other."""

        def moments(start, end):
            at = start + (rng.random((len(start), PAIRS)) * (end - start)).astype(int)
            return np.stack([at, at + 1], -1).reshape(len(start), -1)

        chosen = rng.choice(len(self.features), count, replace=False)
        asked = [question(tables, self.features[i], self.heading[i], draw_keys(rng, FRAMES), moments) for i in chosen]
        return joined([q for q in asked if q is not None])


def even_questions(clips, tables, gap, count=160):
    """Windows of kept-out clips with a key every `gap` frames, always the same: what `look` measures."""
    pool = Pool(Sampler(clips, 3, augment=False), count)
    full = np.arange(FRAMES) % gap == 0

    def moments(start, end):
        return start + np.arange(1, gap)

    return joined([question(tables, f, h, full, moments) for f, h in zip(pool.features, pool.heading, strict=True)])


@torch.no_grad()
def look(net, sets, deviation):
    """Errors of places in cm by gap: learned, linear."""
    net.eval()
    out = {}
    for gap, asked in sets.items():
        both = (answered(net, asked, deviation), asked.base)
        out[gap] = tuple(round(100 * float(errors(asked, answer)[1].mean()), 2) for answer in both)
    net.train()
    return out


@dataclass(frozen=True)
class Learner:
    """A network, the average of it over the steps, and what it learns from."""

    net: Between
    average: Between
    optimiser: torch.optim.Optimizer
    pool: Pool
    tables: object  # core.reference.Tables

    @classmethod
    def of(cls, clips, tables, seed):
        """One that begins from the tables' interpolation where they have one, and learns from the clips by name."""
        torch.manual_seed(seed)
        net, average = Between(), Between()
        if tables.between is not None:
            net.go_on_from(tables.between)
        average.load_state_dict(net.state_dict())
        optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
        return cls(net, average, optimiser, Pool(training_sampler(clips, seed, pairs=0), backwards=BACKWARDS), tables)

    def step(self, rng, step, share):
        """One step after `step` others, at a rate that is 0 when the `share` of the run gets to 1; returns the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * share)) * min(1.0, (step + 1) / 50)
        self.pool.refresh()
        asked = self.pool.batch(rng, self.tables)
        loss = loss_of(asked, answered(self.net, asked, self.tables.deviation))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        keep = min(AVERAGE, (2 + step) / (11 + step))
        with torch.no_grad():
            for a, b in zip(self.average.parameters(), self.net.parameters(), strict=True):
                a.lerp_(b, 1 - keep)
        return loss.item()


def train(data, tables, minutes, seed=0, report=print):
    """Numbers averaged over the steps, the rate going to 0 by the clock."""
    rng = np.random.default_rng(seed)
    learner = Learner.of(for_training(load_clips(data), read_index(data)), tables, seed)
    kept = load_clips(data, names=choosing(data))
    sets = {gap: even_questions(kept, tables, gap) for gap in (15, 30, 40, 60)}
    begun = looked = time.time()
    step = 0
    while (spent := (time.time() - begun) / (60 * minutes)) < 1:
        loss = learner.step(rng, step, spent)
        step += 1
        if time.time() - looked > 60:
            looked = time.time()
            now = look(learner.average, sets, tables.deviation)
            report(f"step {step} loss {loss:.3f} cm learned, linear by gap {now}")
    report(f"step {step} cm learned, linear by gap {look(learner.average, sets, tables.deviation)}")
    return learner.average.eval().numbers()


@one_line()
def main():
    """Trains, measures the spread that is left, writes both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of a run")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument(
        "--from",
        dest="begin_from",
        type=Path,
        metavar="WEIGHTS",
        help="whose statistics to go by, and whose interpolation to learn on",
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    sampler = training_sampler(for_training(load_clips(args.data), read_index(args.data)), seed=5)
    tables = read_weights(args.begin_from)[1] if args.begin_from else measure_tables(sampler)
    tables = replace(tables, between=train(args.data, tables, args.minutes))
    left = tables.spread.copy()
    left[OWN] = measure_spread(sampler, tables).spread[OWN]  # the others' frames have no part in it
    write_tables(args.out, replace(tables, spread=left))


if __name__ == "__main__":
    main()
