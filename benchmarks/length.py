"""Long clips: time by length, and the memory of ten minutes in a process of its own.

python -m benchmarks.length        the most memory that ten minutes take, MB, as the only line printed
"""

import resource
import subprocess
import sys

import numpy as np

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.request.data import STANDARD_STEPS

from .figures import Figure, in_turn
from .requests import one

MINUTES = (2, 5, 10)
RUNS = 3


def clip(minutes):
    """A request for one character over that many minutes."""
    return one(int(minutes * 60 * FPS), STANDARD_STEPS)


def linear(denoiser, minutes=MINUTES, runs=RUNS):
    """How far the time a frame strays from being the same for all lengths."""
    requests = {m: clip(m) for m in minutes}
    times = in_turn({m: (lambda r=r: generate(r, denoiser)) for m, r in requests.items()}, runs, 0)
    each = np.array([times[m] / requests[m].frames for m in minutes])  # [lengths, runs]
    deviation = np.abs(each / each.mean(0) - 1).max(0)
    note = "largest deviation of the time a frame from its mean, at " + ", ".join(f"{m} min" for m in minutes)
    return [
        *(Figure(f"minutes_{m}_s", tuple(times[m]), "s") for m in minutes),
        Figure("linear_deviation", tuple(deviation), "", 0.10, note=note),
    ]


def peak_mb():
    """Peak resident memory of this process in MB (10^6 bytes)."""
    if sys.platform.startswith("linux"):  # not getrusage: there its figure begins at the parent's peak
        with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on macOS


def memory():
    """Ten minutes in a process that holds the core alone."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.length"], capture_output=True, text=True, timeout=900)
    if done.returncode:
        raise RuntimeError(f"Ten minutes of motion ended with an error: {done.stderr.strip().splitlines()[-1]}")
    note = "one character, standard, in a process of its own"
    return [Figure("ten_minutes_peak_mb", (float(done.stdout.split()[-1]),), "MB", 600, note=note)]


def measure(threads):
    """Figures of this group."""
    return linear(back_ends.load(threads=threads)) + memory()


if __name__ == "__main__":
    generate(clip(10), back_ends.load(threads=1))
    print(f"{peak_mb():.1f}")
