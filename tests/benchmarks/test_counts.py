"""What does not depend on the machine: calls of the network, bytes allocated, arrays copied, sizes handed over."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.requests import one, two
from blender_motiondiff.core.denoiser import back_ends, onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request.data import DRAFT_STEPS, STANDARD_STEPS

SHORT = 32  # frames


@pytest.fixture(scope="module")
def denoiser():
    return back_ends.load(threads=1)


class Counted:
    """A denoiser that notes what it is called with."""

    def __init__(self, denoiser):
        self.denoiser, self.seen = denoiser, []
        self.weights, self.name, self.device, self.gradient = denoiser.weights, denoiser.name, denoiser.device, None

    def __call__(self, *arrays):
        self.seen.append(arrays)
        return self.denoiser(*arrays)


def calls(denoiser, request):
    counted = Counted(denoiser)
    generate(request, counted)
    return len(counted.seen)


def test_the_two_settings():
    assert (DRAFT_STEPS, STANDARD_STEPS) == (1, 2)


@pytest.mark.parametrize("sampler", ["ddim", "ddpm", "lcm", "mixed"])
@pytest.mark.parametrize(("steps", "repaint", "expected"), [
    (1, 1, 1), (2, 1, 2), (4, 1, 4), (10, 1, 10), (1, 3, 1), (2, 3, 4), (4, 3, 10),
])  # fmt: skip
def test_calls_of_the_network_a_generation(denoiser, sampler, steps, repaint, expected):
    assert calls(denoiser, replace(two(SHORT, steps), sampler=sampler, repaint=repaint)) == expected


def test_takes_share_their_calls(denoiser):
    assert calls(denoiser, two(SHORT, STANDARD_STEPS, takes=4)) == 2


def test_guidance_away_from_the_unconstrained_answer_doubles_the_calls(denoiser):
    assert calls(denoiser, replace(two(SHORT, STANDARD_STEPS), constraint_guidance=2.0)) == 4


@pytest.mark.parametrize(("seconds", "windows"), [(6, 1), (60, 6), (600, 60)])
def test_calls_grow_with_the_length_alone(denoiser, seconds, windows):
    """Windows of 12 s that overlap by 2 s: a call a step for each of them, and never a longer input."""
    from blender_motiondiff.core.diffusion.windows import LENGTH, spans

    parts = spans(30 * seconds)
    assert len(parts) == windows and max(end - start for start, end in parts) <= LENGTH
    if seconds <= 60:
        counted = Counted(denoiser)
        generate(one(30 * seconds, STANDARD_STEPS), counted)
        assert len(counted.seen) == windows * STANDARD_STEPS
        assert max(arrays[0].shape[2] for arrays in counted.seen) <= LENGTH


@pytest.mark.parametrize("request_of", [one, two])
def test_nothing_is_copied_on_its_way_into_the_network(denoiser, request_of, monkeypatch):
    """Every array reaches the session as it was made: 4-byte floats without gaps, so that no copy is needed."""
    copied = []

    class Watched:
        def __getattr__(self, name):
            return getattr(np, name)

        @staticmethod
        def ascontiguousarray(array, kind):
            out = np.ascontiguousarray(array, kind)
            copied.append(not np.shares_memory(out, array))
            return out

    monkeypatch.setattr(onnx_backend, "np", Watched())
    generate(request_of(150, STANDARD_STEPS, takes=2), denoiser)
    assert len(copied) == 4 * STANDARD_STEPS and sum(copied) == 0


@pytest.mark.parametrize(("request_of", "frames", "steps", "takes", "megabytes"), [
    (one, 120, DRAFT_STEPS, 1, 3.4), (two, 150, STANDARD_STEPS, 1, 6.1), (two, 150, STANDARD_STEPS, 4, 22.0),
])  # fmt: skip
def test_bytes_allocated_at_once(denoiser, request_of, frames, steps, takes, megabytes):
    """The largest amount that Python and NumPy hold at one moment of a generation, the takes themselves included."""
    request = request_of(frames, steps, takes)
    generate(request, denoiser)
    tracemalloc.start()
    try:
        generate(request, denoiser)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < megabytes * 1e6


def test_memory_grows_with_the_length_of_what_is_handed_back_alone(denoiser):
    """Windows keep the sampling flat: twice the length holds no more than twice as much."""
    peaks = {}
    for seconds in (20, 40):
        request = one(30 * seconds, STANDARD_STEPS)
        tracemalloc.start()
        try:
            generate(request, denoiser)
            peaks[seconds] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peaks[40] < 2.1 * peaks[20]
