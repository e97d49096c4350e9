"""The network alone: both back ends, and the share of the machine's matrix rate that it reaches."""

import numpy as np
import torch

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.denoiser.layout import PATCH
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.reference import GIVEN

from .figures import Figure, in_turn, milliseconds

SHAPES = ((1, 1, 120), (1, 2, 152), (1, 2, 300), (16, 2, 152))  # takes, persons, frames
COMPARED = (1, 2, 120)  # 2 x 30 tokens
SHARED = (1, 2, 300)
RUNS = 15
REPEATED = 5  # calls whose products are timed at once: threads that slept have woken then


def inputs(takes, persons, frames, seed=0):
    """`(noisy, given, free, level, present)` of a shape, random."""
    rng = np.random.default_rng(seed)
    shape = (takes, persons, frames)
    return (
        rng.standard_normal((*shape, SIZE), np.float32), rng.standard_normal((*shape, GIVEN), np.float32),
        np.ones((*shape, SIZE), np.float32), 0.3,
        np.full((takes, persons), float(persons == 2), np.float32),
    )  # fmt: skip


def products(config, takes, persons, frames):
    """Matrix products of one call of the exported graph: {(batch, m, k, n): how many of them}."""
    width, heads, time = config["width"], config["heads"], config["time_width"]
    layers, tokens = config["layers"], frames // PATCH
    rows, apart = takes * persons * tokens, takes * persons * heads
    found = {}

    def add(count, *sizes):
        found[sizes] = found.get(sizes, 0) + count

    add(1, 1, 1, 32, time)
    add(1, 1, 1, time, time)
    add(1, 1, 1, time, (3 * layers + 1) * 3 * width)
    add(1, 1, rows, PATCH * SIZE, width)
    add(1, 1, rows, PATCH * GIVEN, width)
    add(1, takes * persons, tokens, tokens, SIZE)  # the noise's slow part
    add(1, 1, rows, SIZE, width)
    for _ in range(2 * layers):  # attention to oneself and to the partner
        add(4, 1, rows, width, width)  # queries, keys, values, and out
        add(1, apart, tokens, width // heads, tokens)
        add(1, apart, tokens, tokens, width // heads)
    add(layers, 1, rows, width, 4 * width)
    add(layers, 1, rows, 4 * width, width)
    add(1, 1, rows, width, PATCH * SIZE)
    return found


def operations(found):
    """Multiplications and additions of such products."""
    return sum(2 * count * b * m * k * n for (b, m, k, n), count in found.items())


def all_products(found):
    """A task that multiplies, with torch, all that one call multiplies, each product with matrices of its own."""
    pairs = []
    for (b, m, k, n), count in found.items():
        for _ in range(count):
            a, c = torch.randn(b, m, k), torch.randn(b, k, n)
            pairs.append((a[0], c[0]) if b == 1 else (a, c))

    def task():
        for _ in range(REPEATED):
            for a, c in pairs:
                torch.matmul(a, c)

    return task


def matmul_share(denoiser, shape=SHARED, runs=RUNS):
    """Time of the network's matrix products by themselves, in torch, over the time of the whole network."""
    found = products(denoiser.weights.config["network"], *shape)
    x = inputs(*shape)
    with torch.inference_mode():
        times = in_turn({"network": lambda: denoiser(*x), "products": all_products(found)}, runs)
    bare = times["products"] / REPEATED
    alone, inside = (operations(found) / np.median(t) / 1e9 for t in (bare, times["network"]))
    note = f"{'x'.join(map(str, shape))}: {inside:.0f} Gflop/s in the network, {alone:.0f} in torch.matmul by itself"
    return Figure("matmul_share", tuple(bare / times["network"]), "", 0.6, True, note)


def measure(threads):
    """Figures of this group."""
    torch.set_num_threads(threads)
    onnx = back_ends.load("onnx", threads=threads)
    other = back_ends.load("torch", threads=threads, device="cpu")
    out = []
    for shape in SHAPES:
        x = inputs(*shape)
        runs = RUNS if shape[0] == 1 else 5
        times = in_turn({"onnx": lambda x=x: onnx(*x), "torch": lambda x=x: other(*x)}, runs)
        for name, values in times.items():
            out.append(Figure(f"forward_{name}_{'x'.join(map(str, shape))}_ms", milliseconds(values), "ms"))
    x = inputs(*COMPARED)
    times = in_turn({"onnx": lambda: onnx(*x), "torch": lambda: other(*x)}, 2 * RUNS, 3)
    out.append(Figure("ort_over_torch", tuple(times["onnx"] / times["torch"]), "", 0.6, note="2 x 30 tokens"))
    return [*out, matmul_share(onnx)]
