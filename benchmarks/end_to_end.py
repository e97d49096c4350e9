"""A request in, takes out: the times that an animator waits, and their ratio to a denoiser of InterGen's size."""

import functools

import numpy as np
import torch

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.crew import hire
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request.data import DRAFT_STEPS, STANDARD_STEPS

from . import intergen
from .figures import Figure, in_turn, milliseconds, seconds
from .requests import one, two

RUNS = 7
RATIO_FRAMES = 300
RATIO_RUNS = 7


def ratios(denoiser, runs=RATIO_RUNS, frames=RATIO_FRAMES):
    """How many times quicker than InterGen's denoiser as its authors sample it, step and generations in turn."""
    step, network = intergen.sampler(frames)
    tasks = {
        "step": step,
        "standard": lambda: generate(two(frames, STANDARD_STEPS), denoiser),
        "draft": lambda: generate(two(frames, DRAFT_STEPS), denoiser),
    }
    times = in_turn(tasks, runs)
    whole = intergen.STEPS * times["step"]
    size = intergen.parameters(network) / 1e6
    note = (
        f"{intergen.STEPS} x one measured step of {size:.0f} M parameters at 2 x {frames} frames, over ours end to end"
    )
    return [
        Figure("intergen_step_s", tuple(times["step"]), "s", note="one DDIM step with guidance: a batch of two"),
        Figure("two_300_standard_ms", milliseconds(times["standard"]), "ms"),
        Figure("two_300_draft_ms", milliseconds(times["draft"]), "ms"),
        Figure("intergen_ratio_standard", tuple(whole / times["standard"]), "x", 200, True, note),
        Figure("intergen_ratio_draft", tuple(whole / times["draft"]), "x", 1000, True, note),
    ]


def waits(denoiser, runs=RUNS):
    """The times of the two requests that stand for everyday use."""
    tasks = {
        "one_120_draft_ms": lambda: generate(one(120, DRAFT_STEPS), denoiser),
        "two_150_standard_ms": lambda: generate(two(150, STANDARD_STEPS), denoiser),
    }
    times = in_turn(tasks, runs, 2)
    limits = {"one_120_draft_ms": 30, "two_150_standard_ms": 200}
    return [Figure(name, milliseconds(values), "ms", limits[name]) for name, values in times.items()]


def batch(denoiser, threads, takes=16, runs=RATIO_RUNS):
    """What many takes in one batch cost in takes, with the helpers that the worker has too."""
    crew = functools.cache(lambda: hire(threads))
    tasks = {n: (lambda n=n: generate(two(150, STANDARD_STEPS, n), denoiser, crew=crew)) for n in (1, takes)}
    times = in_turn(tasks, runs, 2)
    note = f"{takes} takes of 2 x 150 frames, standard"
    return [Figure(f"batch{takes}_over_1", tuple(times[takes] / times[1]), "x", 10, note=note)]


def first_answer(threads):
    """Seconds from nothing loaded to the first take: what the first use waits for."""

    def task():
        generate(one(120, DRAFT_STEPS), back_ends.load(threads=threads))

    return [Figure("load_and_first_take_ms", milliseconds(np.array([seconds(task) for _ in range(3)])), "ms")]


def measure(threads):
    """Figures of this group."""
    torch.set_num_threads(threads)
    denoiser = back_ends.load(threads=threads)
    return waits(denoiser) + ratios(denoiser) + batch(denoiser, threads) + first_answer(threads)
