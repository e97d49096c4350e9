"""What the network is told of several takes at once."""

from dataclasses import fields

import numpy as np

from blender_motiondiff.core.denoiser import weights
from blender_motiondiff.core.diffusion.conditions import build
from blender_motiondiff.core.diffusion.course import settle, with_times
from blender_motiondiff.core.features import CONTACTS
from blender_motiondiff.core.request import Character, Path, Request
from blender_motiondiff.core.skeleton import average_body


def test_takes_are_told_together_what_each_is_told_alone():
    t = np.linspace(0, 1.5, 16)
    walker = Character("A", average_body(), path=Path(t, np.stack([0.2 * t, -t], -1)))
    request = with_times(Request((walker, Character("B", average_body())), 1.5, takes=3))
    courses, tables = [settle(request, k) for k in range(3)], weights.load().tables
    together = build(request, courses, tables, slice(0, 46))
    for k, course in enumerate(courses):
        alone = build(request, [course], tables, slice(0, 46))
        for name in (f.name for f in fields(alone)):
            one, own = getattr(together, name), getattr(alone, name)
            assert np.array_equal(one if own.ndim < 4 else one[k], own if own.ndim < 4 else own[0])
    assert together.base.shape == (3, 2, 48, 268)
    assert not np.array_equal(together.base[0, 0, :, CONTACTS], together.base[1, 0, :, CONTACTS])  # own steps
