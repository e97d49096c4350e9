"""Times the stages of a few generations and prints them as JSON: run in a process of its own by test_no_blas.py."""

import ctypes
import json
from dataclasses import replace

import numpy as np

from benchmarks import figures
from benchmarks.requests import two
from benchmarks.stages import shares
from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request.data import STANDARD_STEPS, Spacing

RUNS = 5
WISH = Spacing(0.5, 0.9, weight=1.0)  # something that steering can push


def calls():
    """How often the plain loops have run; None where they are not loaded."""
    try:
        return ctypes.c_long.in_dll(ctypes.CDLL(None), "no_blas_calls").value
    except ValueError:
        return None


def main():
    figures.use_processor_time()
    denoiser, request = back_ends.load(threads=1), two(150, STANDARD_STEPS)
    request = replace(request, spacings=(*request.spacings, WISH))
    take = generate(request, denoiser)[0]
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 40, 40))
    sound = float(np.abs(np.linalg.solve(a, a @ b.T @ c) - b.T @ c).max()) + float(
        np.abs((a @ a.T) - (a @ a.T).T).max()
    )
    rows = [shares(denoiser, request) for _ in range(RUNS)]
    print(json.dumps({
        "calls": calls(), "sound": sound, "places": [positions(m)[::30].tolist() for m in take.motions],
        "seconds": {name: min(row[name] for row in rows) for name in rows[0]},
    }))  # fmt: skip


if __name__ == "__main__":
    main()
