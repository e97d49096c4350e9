"""The same requests through PyTorch on a graphics processor, where there is one, and 64 takes in one batch."""

import torch

from blender_motiondiff.core.denoiser import back_ends, torch_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request.data import DRAFT_STEPS, STANDARD_STEPS

from . import intergen
from .figures import Figure, in_turn, milliseconds
from .network import SHAPES, inputs
from .requests import one, two

RUNS = 7
MANY = 64


def measure(threads):
    """Figures of this group; none without a graphics processor."""
    device = torch_backend.devices(torch)[0]
    if device == "cpu":
        return []
    denoiser = back_ends.load("torch", threads=threads)
    step, _ = intergen.sampler(300, device)
    tasks = {
        "one_120_draft": lambda: generate(one(120, DRAFT_STEPS), denoiser),
        "two_150_standard": lambda: generate(two(150, STANDARD_STEPS), denoiser),
        f"two_150_standard_{MANY}_takes": lambda: generate(two(150, STANDARD_STEPS, MANY), denoiser),
        "two_300_standard": lambda: generate(two(300, STANDARD_STEPS), denoiser),
        "two_300_draft": lambda: generate(two(300, DRAFT_STEPS), denoiser),
        "intergen_step": step,
    }
    given = {shape: inputs(*shape) for shape in (*SHAPES, (MANY, 2, 152))}
    for shape, x in given.items():
        tasks[f"forward_torch_{'x'.join(map(str, shape))}"] = lambda x=x: denoiser(*x)
    times = in_turn(tasks, RUNS, 2)
    out = [Figure(f"{device}_{name}_ms", milliseconds(values), "ms") for name, values in times.items()]
    whole = intergen.STEPS * times["intergen_step"]
    for name in ("standard", "draft"):
        out.append(Figure(f"{device}_intergen_ratio_{name}", tuple(whole / times[f"two_300_{name}"]), "x"))
    return out
