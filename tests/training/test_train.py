"""Runs: broken off and resumed, begun from weights, over two processes; batches by number; takes that differ."""

import os
import queue
import socket
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")

from blender_motiondiff.core.denoiser.layout import token_distance  # noqa: E402
from blender_motiondiff.core.denoiser.network import Denoiser  # noqa: E402
from blender_motiondiff.core.denoiser.weights import BUNDLED  # noqa: E402
from blender_motiondiff.core.features import SIZE  # noqa: E402
from training import average, distill, export, feed, losses, pack, variety  # noqa: E402
from training.batches import Sampler, prepare  # noqa: E402
from training.pack import DatasetError  # noqa: E402
from training.start import load_numbers, read_weights, write_tables  # noqa: E402
from training.train import Run, learn, train  # noqa: E402
from training.validate import to_torch  # noqa: E402

from .test_training import FLAT, made_clips  # noqa: E402

ROOT = Path(__file__).parents[2]


def settings(out, steps=6, **changes):
    fixed = {"out": out, "steps": steps, "minutes": None, "width": 48, "layers": 1, "seed": 0, "emphasis": 0}
    return Namespace(**fixed | {"rate": 1.0, "begin_from": None, "again": False, "last_layer": False} | changes)


def small(monkeypatch):
    monkeypatch.setattr(feed, "TOKENS", 60)
    monkeypatch.setattr(feed, "LENGTHS", {48: 1.0})


def by_number(sampler, step):
    """The feed from a step on, made here and not in a process of its own."""
    fresh, again = feed.played(step)
    waiting = [feed.make_batch(sampler, FLAT, [0, 0, k]) for k in range(again, fresh)]
    while True:
        if len(waiting) > feed.REUSE_AFTER:
            yield waiting.pop(0)
        else:
            waiting.append(feed.make_batch(sampler, FLAT, [0, 0, fresh]))
            fresh += 1
            yield waiting[-1]


def steps_of(run, sampler, monkeypatch, stop=None):
    """Trains a run to its end, or until `stop` steps are done."""
    monkeypatch.setattr("training.train.validate", lambda net, sets: {"path_cm": 1.0})
    monkeypatch.setattr("training.train.draw", lambda net, sets, path: None)
    source = by_number(sampler, run.step)
    given = source if stop is None else (next(source) for _ in range(stop - run.step))
    try:
        train(run, None, given, None, chief=True)
    except StopIteration:
        run.save(0.0, {"path_cm": 1.0})


def test_what_is_played_when_is_known_without_playing_it():
    waiting, fresh, again = [], 0, 0
    for step in range(100):
        assert feed.played(step) == (fresh, again)
        if len(waiting) > feed.REUSE_AFTER:
            waiting.pop(0)
            again += 1
        else:
            waiting.append(fresh)
            fresh += 1


def test_a_run_of_the_last_layer_leaves_the_blocks_as_they_were(tmp_path, monkeypatch):
    small(monkeypatch)
    run = Run(settings(tmp_path, last_layer=True), torch.device("cpu"))
    before = {name: p.detach().clone() for name, p in run.net.named_parameters()}
    steps_of(run, Sampler(made_clips(), 0), monkeypatch)
    changed = {name for name, p in run.net.named_parameters() if not torch.equal(p, before[name])}
    assert changed and all(name.startswith(("last.", "leave.", "smooth.")) for name in changed)


def test_a_run_broken_off_and_resumed_comes_to_the_same_numbers(tmp_path, monkeypatch):
    small(monkeypatch)
    sampler, cpu = Sampler(made_clips(), seed=0), torch.device("cpu")
    torch.manual_seed(0)
    whole = Run(settings(tmp_path), cpu)
    steps_of(whole, sampler, monkeypatch)
    torch.manual_seed(0)
    first = Run(settings(tmp_path), cpu)
    steps_of(first, sampler, monkeypatch, stop=3)
    assert first.step == 3
    torch.manual_seed(123)
    second = Run(settings(tmp_path), cpu)
    second.resume(tmp_path)
    steps_of(second, sampler, monkeypatch)
    assert second.step == whole.step == 6
    for (name, a), b in zip(whole.average.state_dict().items(), second.average.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_a_run_begins_from_released_weights(tmp_path):
    numbers, tables = read_weights(BUNDLED)
    net = Denoiser()
    load_numbers(net, numbers)
    assert all(torch.equal(v, numbers[n]) for n, v in net.state_dict().items()) and tables.spread.shape == (3, 14, SIZE)
    narrower = {n: v[:, :-8] if n == "enter_given.weight" else v for n, v in numbers.items() if "slow" not in n}
    narrower["enter_given.weight"] = torch.randn(192, 4 * 560)
    load_numbers(net, narrower)
    rows = net.enter_given.weight.detach().unflatten(1, (4, -1))
    assert torch.equal(rows[..., :560].flatten(1), narrower["enter_given.weight"]) and not rows[..., 560:].any()


def test_weights_between_two_are_between():
    from training.average import between, numbers_of

    begun = numbers_of(BUNDLED)
    learnt = {n: v + 1.0 for n, v in begun.items()}
    half = between(begun, learnt, 0.5)
    assert all(torch.allclose(half[n], v + 0.5, atol=1e-6) for n, v in begun.items())
    assert all(torch.equal(between(begun, learnt, 1.0)[n], v) for n, v in learnt.items())


def test_the_nearest_of_several_answers_is_learnt_from():
    torch.manual_seed(0)
    net = Denoiser(width=48, layers=1)
    torch.nn.init.normal_(net.enter_slow.weight, std=1.0)
    torch.nn.init.normal_(net.leave.weight, std=0.3)
    batch = to_torch(prepare(Sampler(made_clips(), 0).draw(6, 48, True), FLAT, np.random.default_rng(0)))
    distance, weights = torch.from_numpy(token_distance(48)), losses.channel_weights(SIZE)
    free = 1 - batch.mask

    def error(noise):
        level = torch.zeros(len(noise))
        with torch.no_grad():
            answer = net.eval()(noise * free, batch.given, free, level, batch.present, distance, True)
        return float(((((answer - batch.target) * weights) ** 2) * free).mean())

    generator = torch.Generator().manual_seed(0)
    chosen = error(variety.nearest(net, batch, distance, generator, weights))
    drawn = [error(torch.randn(batch.target.shape, generator=generator)) for _ in range(6)]
    assert chosen < np.mean(drawn)
    noise = torch.randn(batch.target.shape, generator=generator)
    quiet = variety.quiet(noise, torch.tensor([1.0, 0, 0, 0, 0, 0]), net, distance)
    slow = net.slow(quiet, distance)
    assert slow[0].std() < 0.35 and torch.equal(quiet[1:], noise[1:]) and 0.8 < slow[1:].std() < 1.2


def _share(rank, port, folder):
    """One of two processes that learn from a batch each; writes its network."""
    from torch import distributed

    torch.manual_seed(0)
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    run = Run(settings(folder), torch.device("cpu"))
    run.net.eval()  # dropout draws differ between processes
    forward = torch.nn.parallel.DistributedDataParallel(run.net)
    batch = feed.make_batch(Sampler(made_clips(), seed=0), FLAT, [0, rank, 0])
    learn(run.net, run.opts, batch, losses.channel_weights(SIZE), run.generator, None, forward)
    torch.save(run.net.state_dict(), folder / f"{rank}.pt")
    distributed.destroy_process_group()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_two_processes_with_other_batches_stay_one_network(tmp_path):
    torch.multiprocessing.spawn(_share, (free_port(), tmp_path), nprocs=2)
    a, b = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    torch.manual_seed(0)
    begun = Run(settings(tmp_path), torch.device("cpu")).net.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], begun[name]) for name in a)


def test_torchrun_trains_with_two_processes(tmp_path):
    clips = made_clips()
    rows = [
        {"clip": n, "split": part, "partner": c.partner, "action_class": "walk", "description": "walk", "terms": "made"}
        for (n, c), part in zip(clips.items(), ("training", "training", "training", "choosing"), strict=True)
    ]
    pack.write(tmp_path / "made.npz", clips, {row["clip"]: row for row in rows})
    (tmp_path / "run").mkdir()
    write_tables(tmp_path / "run", FLAT)  # measuring them takes minutes
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(free_port()),
    ]
    command += ["-m", "training.train", "--data", str(tmp_path / "made.npz"), "--out", str(tmp_path / "run")]
    command += ["--steps", "2", "--width", "48", "--layers", "1"]
    said = tmp_path / "said.txt"
    with open(said, "w") as out:  # not a pipe: what is left over after a time limit would hold it open
        status = subprocess.run(
            command, cwd=ROOT, stdout=out, stderr=out, timeout=600, env=os.environ | {"OMP_NUM_THREADS": "1"}
        ).returncode
    assert status == 0, said.read_text()[-2000:]
    saved = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert saved["step"] == 2 and said.read_text().count('"step": 2') == 1
    assert (tmp_path / "run" / "samples.png").read_bytes().startswith(b"\x89PNG")


def test_windows_too_long_for_composed_pairs_are_drawn_of_the_recorded_ones():
    clips = made_clips()
    short = [tuple(replace(c, motion=replace(c.motion, root=c.motion.root[:90], rotations=c.motion.rotations[:90]),
                           contacts=c.contacts[:90], good=c.good[:90]) for c in (clips["a"], clips["b"]))]  # fmt: skip
    sampler = Sampler(clips, seed=0, composed=short)
    assert sampler.draw(3, 180, couples=True).root.shape == (3, 2, 180, 3)
    alone = Sampler({"c": clips["c"]}, seed=0, composed=short)
    assert not alone.pairs(180) and alone.pairs(48) and alone.draw(2, 48, couples=True).root.shape == (2, 2, 48, 3)


def test_a_feed_whose_process_has_ended_says_so(monkeypatch):
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.1)
    ended = torch.multiprocessing.get_context("spawn").Process(target=print)
    ended.start()
    ended.join()
    with pytest.raises(RuntimeError, match="ended"):
        feed._next(queue.Queue(), ended)


def test_clips_that_are_too_short_are_told_by_name_of_what_is_missing():
    short = Sampler(made_clips(), 0)
    longest = max(c.motion.frames for c in short.singles)
    assert short.holds(48) and not short.holds(longest + 1)
    with pytest.raises(DatasetError, match=r"one person is .* s long"):
        short.draw(2, longest + 1, couples=False)
    with pytest.raises(DatasetError, match="two people"):
        short.draw(2, longest + 1, couples=True)


def test_lengths_that_no_clip_holds_are_not_drawn(monkeypatch):
    monkeypatch.setattr(feed, "LENGTHS", {48: 0.5, 5000: 0.5})
    for number in range(4):
        for batch in feed.make_batch(Sampler(made_clips(), 0), FLAT, [0, 0, number]):
            assert batch.mask.shape[2] == 48


@pytest.mark.parametrize("command", [average, distill, export])
def test_a_folder_without_a_run_ends_commands_in_one_line(command, tmp_path, monkeypatch):
    words = ["--run", tmp_path / "none", "--out", tmp_path / "out"]
    if command is not export:
        words += ["--data", tmp_path / "none.npz"]
    if command is average:
        words += ["--begun", tmp_path]
    if command is distill:
        words += ["--minutes", 1]
    monkeypatch.setattr("sys.argv", ["command", *map(str, words)])
    with pytest.raises(SystemExit, match=r"none.*can't be read.*training\.train"):
        command.main()
