"""Where the time of one generation goes: the network, projection, guidance, the kinematic solve, the rest."""

import importlib
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request.data import STANDARD_STEPS

from .figures import Figure, milliseconds, now, seconds
from .requests import two

RUNS = 15
CORE = "blender_motiondiff.core."
# Where each stage is entered: (module that calls it, name there). None of them is inside another one.
ENTERED = {
    "steering": (("diffusion.sampling", "steerer"),),  # projection and guidance at each of the sampler's steps
    "projection": (("diffusion.sampling", "onto_paths"),),
    "solve": (("diffusion.finish", "meet_all"),),
    "feet": (("diffusion.finish", "lock_all_feet"),),
    "report": (("diffusion.generate", "report"),),
}


class Clock:
    """Adds up the time spent in what it wraps; a function that is handed back by it counts as well."""

    def __init__(self):
        self.spent = 0.0
        self._depth = 0

    def around(self, function):
        """The function, timed."""

        def timed(*args, **kwargs):
            begun, outermost = now(), self._depth == 0
            self._depth += 1
            try:
                answer = function(*args, **kwargs)
            finally:
                self._depth -= 1
                if outermost:
                    self.spent += now() - begun
            return self.around(answer) if callable(answer) else answer

        return timed


def shares(denoiser, request):
    """Seconds of each stage, of the network and of the whole of one generation."""
    clocks = {name: Clock() for name in (*ENTERED, "network")}
    network = clocks["network"].around(denoiser)
    for name in ("weights", "name", "device", "gradient"):
        setattr(network, name, getattr(denoiser, name))
    with ExitStack() as patched:
        for stage, places in ENTERED.items():
            for module, name in places:
                module = importlib.import_module(CORE + module)
                patched.enter_context(patch.object(module, name, clocks[stage].around(getattr(module, name))))
        whole = seconds(lambda: generate(request, network))
    return {"whole": whole, **{name: clock.spent for name, clock in clocks.items()}}


def measure(threads, frames=150, runs=RUNS):
    """Figures of this group."""
    denoiser = back_ends.load(threads=threads)
    request = two(frames, STANDARD_STEPS)
    shares(denoiser, request)
    rows = [shares(denoiser, request) for _ in range(runs)]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns["rest"] = 2 * columns["whole"] - np.sum(list(columns.values()), 0)
    out = [Figure(f"stage_{name}_ms", milliseconds(values), "ms") for name, values in columns.items()]
    ours = sum(columns[name] for name in ("steering", "projection", "solve"))
    note = "projection, guidance and the kinematic solve at 2 x 150 frames, standard"
    return [*out, Figure("solve_share", tuple(ours / columns["whole"]), "", 0.25, note=note)]
