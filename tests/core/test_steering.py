"""Goals between calls of the network: their slope, and how it reaches the motion."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.conditions import human_scale, in_shared_frame
from blender_motiondiff.core.diffusion.course import settle
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.diffusion.sampling import open_window, sample
from blender_motiondiff.core.diffusion.steering import goals, steerer
from blender_motiondiff.core.diffusion.timing import with_times
from blender_motiondiff.core.features import decode
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request import Character, Contact, Path, Pin, Request
from blender_motiondiff.core.skeleton import INDEX, average_body

SECONDS = 3.0


def walks(**known):
    t = np.linspace(0, SECONDS, 31)
    paths = [Path(t, np.stack([np.full(31, x), -0.8 * t], -1)) for x in (0.0, 0.9)]
    pins = (Pin("left_wrist", 1.0, 1.1, place=np.array([0.4, -0.8, 1.5])),)
    people = (Character("A", average_body(), path=paths[0], pins=pins), Character("B", average_body(), path=paths[1]))
    touch = Contact((0, "right_wrist"), (1, "left_wrist"), 0.0, 2.0, 2.2)
    return replace(Request(people, SECONDS, contacts=(touch,)), **known)


def opened(request, denoiser):
    shared = with_times(in_shared_frame(human_scale(request)[0])[0])
    course = settle(shared)[0]
    return shared, course, open_window(shared, [course], denoiser.weights.tables, slice(0, len(course.times)))


@pytest.fixture(scope="module")
def denoiser():
    return back_ends.load("onnx")


def test_the_slope_of_goals_is_that_of_finite_differences(denoiser):
    shared, course, window = opened(walks(), denoiser)
    loss = goals(shared, [course], window)
    rng = np.random.default_rng(0)
    clean = rng.normal(size=window.free.shape) * window.free
    value, slope = loss(clean)
    assert value > 0
    for _ in range(5):
        way = rng.normal(size=clean.shape) * window.free
        ahead, behind = loss(clean + 1e-4 * way)[0], loss(clean - 1e-4 * way)[0]
        assert (ahead - behind) / 2e-4 == pytest.approx(float((slope * way).sum()), rel=1e-4)


def test_steering_meets_what_is_linear(denoiser):
    shared, course, window = opened(walks(), denoiser)
    steer, loss = steerer(shared, [course], window), goals(shared, [course], window)
    clean = np.zeros(window.free.shape, np.float32)
    assert loss(steer(clean, 0.5))[0] < 0.05 * loss(clean)[0]


def test_dense_guidance_brings_the_whole_motion_nearer(denoiser):
    pytest.importorskip("torch", reason="dense guidance needs PyTorch")
    torch = back_ends.load("torch", device="cpu")
    elbow = Pin("left_elbow", 1.0, 1.1, place=np.array([0.35, -0.9, 1.35]))
    people = walks().characters
    request = walks(steps=4, characters=(replace(people[0], pins=(elbow,)), people[1]))

    def missed(back_end):
        """Of the joint as the rotations have it, before the solve."""
        shared, course, _ = opened(request, back_end)
        motion, _ = decode(sample(shared, [course], back_end)[0, 0], shared.characters[0].body)
        inside = (course.times >= 1.0 - 1e-6) & (course.times <= 1.1 + 1e-6)
        off = positions(motion)[inside, INDEX["left_elbow"]] - shared.characters[0].pins[0].place
        return np.linalg.norm(off, axis=-1).mean()

    assert missed(torch) < missed(denoiser)
    assert np.isfinite(generate(request, torch)[0].motions[0].rotations).all()
