"""Feet of which nothing is known: the network's first estimate says when they stand, and later calls know it."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.course import settle
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.diffusion.sampling import open_window, standing
from blender_motiondiff.core.features import CONTACTS
from blender_motiondiff.core.request import Character, Request
from blender_motiondiff.core.skeleton import average_body

from .made_motion import swinging

FRAMES = slice(0, 91)
STOOD = slice(20, 60)


@pytest.fixture(scope="module")
def denoiser():
    return back_ends.load("onnx")


def reaction(takes=1, steps=2):
    leader = swinging(91, speed=0.3)
    people = (Character("Ann", leader.body, motion=leader), Character("Bob", average_body()))
    return Request(people, 3.0, takes=takes, steps=steps)


def estimate(window, likelihood):
    """Residuals of a window whose feet stand with a `likelihood` `[takes, T, 4]` in the second person's answer."""
    clean = np.zeros_like(window.free)
    base, spread = (rows[:, 1, : likelihood.shape[1]][..., CONTACTS] for rows in (window.base, window.spread))
    clean[:, 1, : likelihood.shape[1]][..., CONTACTS] = (likelihood - base) / spread
    return clean


def test_what_a_foot_likely_does_is_known_as_if_it_had_been_planned(denoiser):
    request, tables = reaction(takes=2), denoiser.weights.tables
    courses = settle(request, 2)
    likelihood = np.full((2, 91, 4), 0.1)
    likelihood[0, STOOD, 0], likelihood[1, STOOD, 3] = 0.7, 0.7
    likelihood[0, 30, 0] = 0.5  # stays standing
    likelihood[1, 80, 1] = 0.9  # too short
    window = open_window(request, courses, tables, FRAMES)
    found = standing(window, estimate(window, likelihood), courses[0], tables)
    planned = np.zeros((2, 91, 4))
    planned[0, STOOD, 0], planned[1, STOOD, 3] = 1.0, 1.0
    known = [
        replace(c, people=(c.people[0], replace(c.people[1], contacts=p)))
        for c, p in zip(courses, planned, strict=True)
    ]
    as_planned = open_window(request, known, tables, FRAMES)
    for name in ("base", "given", "free"):
        np.testing.assert_allclose(
            getattr(found, name)[:, :, FRAMES], getattr(as_planned, name)[:, :, FRAMES], atol=1e-5, err_msg=name
        )
    assert window.free[:, 1, :, CONTACTS].all(), "the window before was changed"


def test_what_is_known_already_stays(denoiser):
    request, tables = reaction(), denoiser.weights.tables
    courses = settle(request)
    window = open_window(request, courses, tables, FRAMES)
    found = standing(window, estimate(window, np.ones((1, 91, 4))), courses[0], tables)
    np.testing.assert_array_equal(found.base[:, 0], window.base[:, 0])
    assert (found.base[:, 1, FRAMES][..., CONTACTS] == 1.0).all()


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_one_call_more_where_feet_are_open(denoiser, steps):
    calls = []

    def counted(*arrays):
        calls.append(arrays)
        return denoiser(*arrays)

    counted.weights, counted.gradient = denoiser.weights, None
    generate(reaction(steps=steps), counted)
    assert len(calls) == steps + 1
    free = [arrays[2][:, 1, :, CONTACTS] for arrays in calls]
    assert free[0].all() and not any(f.any() for f in free[1:])
