"""Trains the encoder of `evaluation.encoder` on the training clips.

    python -m evaluation.train_encoder --data FOLDER [--out evaluation/encoder.safetensors]

Two things are asked of a window: its tag of action, and which of six things was done to it (nothing, or one of five
ways of spoiling motion that generated motion suffers from). Prints how often it is right about clips never trained on.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.denoiser.weights import write_tensors
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.skeleton import MIRROR

from .encoder import (
    CHANNELS,
    FILE,
    FLAWS,
    FRAME,
    KERNELS,
    NAMES,
    SHAPES,
    STRIDES,
    WIDTH,
    Encoder,
    embed,
    frame_features,
    frechet,
    joints_of,
    tag_of,
)

FRAMES = (40, 120)  # of a training window, both ends included
SPEEDS = (0.85, 1.18)
BATCH, STEPS, RATE, DECAY, DROPOUT = 32, 400, 4e-3, 0.1, 0.2
SHOWN = 100  # steps that a reported loss is the mean of
SPOILT = 0.5  # share of the training windows
SMOOTHING = 0.1  # of the labels
BALANCE = 0.5  # a tag is drawn as its share of the windows to this power
SILENT = -100  # the label of windows without a tag
STEP = 90  # frames between the windows that figures are taken of


class Net(torch.nn.Module):
    """The same as `evaluation.encoder`, to be learnt; its normalisations are folded into the weights (`numbers_of`)."""

    def __init__(self):
        super().__init__()
        for k, stride in enumerate(STRIDES):
            setattr(self, f"conv{k}", torch.nn.Conv1d(CHANNELS[k], CHANNELS[k + 1], KERNELS[k], stride))
        self.norms = torch.nn.ModuleList(torch.nn.BatchNorm1d(c) for c in (*CHANNELS[1:], 2 * CHANNELS[3]))
        self.embed = torch.nn.Linear(2 * CHANNELS[3], WIDTH)
        self.tags, self.flaws = torch.nn.Linear(WIDTH, len(NAMES)), torch.nn.Linear(WIDTH, len(FLAWS))

    def forward(self, x):
        """Standardised frames `(N, T, FRAME)` -> embedding, tags' and flaws' scores."""
        x = x.transpose(1, 2)
        for k in range(3):
            x = functional.dropout1d(x, 0.5 * DROPOUT, self.training)
            x = functional.relu(self.norms[k](getattr(self, f"conv{k}")(x)))
        pooled = self.norms[3](torch.cat([x.mean(2), x.amax(2)], 1))
        code = self.embed(functional.dropout(pooled, DROPOUT, self.training))
        seen = functional.relu(code)
        return code, self.tags(seen), self.flaws(seen)


# --- windows ----------------------------------------------------------------------------------------------------------


def stretches(clips, rows):
    """(joints `[F, 22, 3]` at body size 1, frames a second, index of its tag or SILENT, name) of all good stretches."""
    out = []
    for name, clip in clips.items():
        tag = tag_of(rows[name]["action_class"], rows[name]["description"])
        label = NAMES.index(tag) if tag else SILENT
        places = joints_of(clip.motion)
        for start, end in runs(clip.good):
            if (end - start) / clip.motion.fps * FPS >= FRAMES[0] + 1:
                out.append((places[start:end], clip.motion.fps, label, name))
    return out


def cut(places, fps, start, frames, speed):
    """`frames` frames at 30 a second of joints `[F, 22, 3]` from source frame `start`, played at `speed`."""
    at = np.minimum(start + np.arange(frames) * speed * fps / FPS, len(places) - 1)
    low = np.minimum(at.astype(int), len(places) - 2)
    share = (at - low)[:, None, None].astype(np.float32)
    return places[low] * (1 - share) + places[low + 1] * share


def mirrored(places):
    """Joints seen in a mirror."""
    return places[..., MIRROR, :] * np.array([-1.0, 1.0, 1.0], np.float32)


def spoil(places, kind, rng):
    """A window `[T, 22, 3]` with a flaw of FLAWS."""
    if kind == "jitter":
        return places + rng.normal(0, rng.uniform(0.004, 0.02), places.shape)
    if kind == "gliding":
        turn, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.15, 0.8)
        way = np.arange(len(places))[:, None] / FPS * speed * np.array([np.cos(turn), np.sin(turn), 0.0])
        return places + way[:, None]
    if kind == "blurred":
        half = int(rng.integers(4, 12))
        padded = np.pad(places, ((half, half), (0, 0), (0, 0)), mode="edge")
        total = np.cumsum(np.concatenate([padded[:1] * 0, padded]), axis=0)
        return (total[2 * half + 1 :] - total[: -2 * half - 1]) / (2 * half + 1)
    if kind == "stiff":
        own = places - places[:, :1]
        return places[:, :1] + own + rng.uniform(0.4, 0.9) * (own.mean(0) - own)
    if kind == "lifted":
        return places + np.array([0.0, 0.0, rng.choice([-1, 1]) * rng.uniform(0.05, 0.15)])
    return places


class Windows:
    """Draws training windows: stretched, mirrored, some of them spoilt."""

    def __init__(self, pool, seed):
        self.pool, self.rng = pool, np.random.default_rng(seed)
        self.seconds = np.array([len(p) / fps for p, fps, _, _ in pool])
        labels = np.array([label for _, _, label, _ in pool])
        weight = self.seconds**0.7
        of_tag = {k: weight[labels == k].sum() for k in np.unique(labels)}
        self.chance = weight * np.array([of_tag[k] ** (BALANCE - 1) for k in labels])

    def draw(self, count=BATCH):
        """(frames `[N, T - 1, FRAME]`, tags `[N]`, flaws `[N]`)."""
        rng = self.rng
        frames = int(rng.integers(FRAMES[0], FRAMES[1] + 1))
        speeds = rng.uniform(*SPEEDS, size=count)
        chance = self.chance * (self.seconds > frames / FPS * SPEEDS[1])
        picks = rng.choice(len(self.pool), size=count, p=chance / chance.sum())
        flaws = np.where(rng.random(count) < SPOILT, rng.integers(1, len(FLAWS), count), 0)
        out = []
        for i, speed, flaw in zip(picks, speeds, flaws, strict=True):
            places, fps, _, _ = self.pool[i]
            start = rng.uniform(0, len(places) - 1 - (frames - 1) * speed * fps / FPS)
            window = cut(places, fps, start, frames, speed) * rng.uniform(0.95, 1.05, 3).astype(np.float32)
            if rng.random() < 0.5:
                window = mirrored(window)
            out.append(spoil(window, FLAWS[flaw], rng).astype(np.float32))
        labels = np.array([self.pool[i][2] for i in picks])
        return frame_features(np.stack(out)), np.where(flaws == 0, labels, SILENT), flaws


def fixed_windows(pool, frames=FRAMES[1], least=60):
    """Windows `[T, 22, 3]`, tags and clips' names, every STEP frames; a shorter stretch gives one of its own length."""
    out = []
    for places, fps, label, name in pool:
        length = int((len(places) - 1) * FPS / fps) + 1
        if length < least:
            continue
        for start in range(0, max(1, length - frames + 1), STEP):
            out.append((cut(places, fps, start * fps / FPS, min(frames, length), 1.0), label, name))
    return out


# --- training ---------------------------------------------------------------------------------------------------------


def train(net, windows, mean, deviation, steps=STEPS, report=print):
    """Learns for `steps` steps, the rate going to 0."""
    opt = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(opt, RATE, steps, pct_start=0.05)
    begun, shown = time.time(), []
    for step in range(steps):
        frames, labels, flaws = windows.draw()
        x = torch.from_numpy((frames - mean) / deviation)
        _, tags, kinds = net(x)
        labels, flaws = torch.from_numpy(labels), torch.from_numpy(flaws)
        loss = functional.cross_entropy(tags, labels, ignore_index=SILENT, label_smoothing=SMOOTHING)
        loss = loss + 0.5 * functional.cross_entropy(kinds, flaws, label_smoothing=SMOOTHING)
        opt.zero_grad()
        loss.backward()
        opt.step()
        rates.step()
        shown.append(float(loss.detach()))
        if len(shown) == SHOWN:
            report(f"step {step + 1}: loss {np.mean(shown):.3f}, {time.time() - begun:.0f} s")
            shown.clear()
    net.eval()


def numbers_of(net, mean, deviation):
    """The tensors of SHAPES but the features' centre and scale, the normalisations folded in."""
    out = {name: value.detach().numpy() for name, value in net.state_dict().items() if "norms" not in name}
    norms = [[v.detach().numpy() for v in (n.weight, n.bias, n.running_mean, n.running_var)] for n in net.norms]
    scales = [weight / np.sqrt(variance + 1e-5) for weight, _, _, variance in norms]
    shifts = [bias - middle * scale for (_, bias, middle, _), scale in zip(norms, scales, strict=True)]
    for k in range(3):
        out[f"conv{k}.weight"] = out[f"conv{k}.weight"] * scales[k][:, None, None]
        out[f"conv{k}.bias"] = out[f"conv{k}.bias"] * scales[k] + shifts[k]
    out["embed.bias"] = out["embed.bias"] + out["embed.weight"] @ shifts[3]
    out["embed.weight"] = out["embed.weight"] * scales[3]
    return {**out, "mean": mean, "deviation": deviation}


def codes(tensors, windows):
    """Embeddings `[N, 32]` of windows of any length, by the NumPy encoder."""
    return np.concatenate([embed(Encoder(tensors), places[None]) for places, _, _ in windows])


def says(tensors, code, head):
    """Which class of a head ("tags", "flaws") embeddings are given."""
    return (np.maximum(code, 0) @ tensors[f"{head}.weight"].T + tensors[f"{head}.bias"]).argmax(-1)


def figures(tensors, windows, learnt, seed=0):
    """Lines on windows of clips never trained on: tags, flaws, and the Fréchet distance that each flaw makes."""
    rng = np.random.default_rng(seed)
    code, labels = codes(tensors, windows), np.array([label for _, label, _ in windows])
    told, right = labels != SILENT, says(tensors, code, "tags") == labels
    names = np.array([name for _, _, name in windows])
    by_clip = [right[names == n].mean() for n in np.unique(names[told])]
    out = [f"{told.sum()} windows of {len(by_clip)} clips: tag right in {right[told].mean():.1%} of the windows, "
           f"{np.mean(by_clip):.1%} of the average clip"]  # fmt: skip
    out += [f"  {tag}: {right[labels == k].mean():.0%} of {(labels == k).sum()}"
            for k, tag in enumerate(NAMES) if (labels == k).any()]  # fmt: skip
    standard = (code - tensors["centre"]) / tensors["scale"]
    out.append(f"Fréchet distance to as many training windows {frechet(standard, learnt(len(windows))):.2f}")
    for k, kind in enumerate(FLAWS):
        spoilt = codes(tensors, [(spoil(places, kind, rng).astype(np.float32), 0, "") for places, _, _ in windows])
        apart = frechet((spoilt - tensors["centre"]) / tensors["scale"], standard)
        known = (says(tensors, spoilt, "flaws") == k).mean()
        out.append(f"  {kind}: known in {known:.0%}, Fréchet distance to the unspoilt {apart:.2f}")
    return out


def prepare(folder):
    """(training stretches, validation stretches) of the data folder."""
    from training.dataset import for_training, kept_out, load_clips, read_index

    clips, rows = load_clips(folder), read_index(folder)
    seen = {n: clips[n] for n in clips if n in kept_out()}
    return stretches(for_training(clips, rows), rows), stretches(seen, rows)


def main(folder, out, steps=STEPS, seed=0):
    """Trains, writes the numbers, prints the figures."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    pool, held = prepare(folder)
    windows = Windows(pool, seed)
    rows = np.concatenate([windows.draw()[0].reshape(-1, FRAME) for _ in range(20)])
    mean, deviation = rows.mean(0), np.maximum(rows.std(0), 0.02)
    net = Net()
    train(net, windows, mean, deviation, steps)
    tensors = numbers_of(net, mean, deviation)
    known = codes(tensors, fixed_windows(pool))
    tensors |= {"centre": known.mean(0), "scale": known.std(0)}
    tensors = {name: np.asarray(tensors[name], np.float32) for name in SHAPES}
    standard, rng = (known - tensors["centre"]) / tensors["scale"], np.random.default_rng(seed)
    for line in figures(tensors, fixed_windows(held), lambda n: standard[rng.permutation(len(standard))[:n]]):
        print(line)
    for count in (50, 100, 200, 400):
        order = rng.permutation(len(standard))[: 2 * count]
        print(f"two times {count} training windows: {frechet(standard[order[:count]], standard[order[count:]]):.2f}")
    write_tensors(out, {n: v.astype(np.float16 if "weight" in n else np.float32) for n, v in tensors.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m evaluation.train_encoder", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the motion data")
    parser.add_argument("--out", type=Path, default=FILE, help="the safetensors file to write")
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    main(options.data, options.out, options.steps)
