"""What the network is told of several takes at once."""

from dataclasses import fields

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.denoiser import weights
from blender_motiondiff.core.diffusion.conditions import build
from blender_motiondiff.core.diffusion.course import settle
from blender_motiondiff.core.diffusion.timing import with_times
from blender_motiondiff.core.features import CONTACTS
from blender_motiondiff.core.motion import FPS, Motion, positions
from blender_motiondiff.core.request import Character, Path, Request
from blender_motiondiff.core.skeleton import COUNT, average_body


def test_takes_are_told_together_what_each_is_told_alone():
    t = np.linspace(0, 1.5, 16)
    walker = Character("A", average_body(), path=Path(t, np.stack([0.2 * t, -t], -1)))
    request = with_times(Request((walker, Character("B", average_body())), 1.5, takes=3))
    courses, tables = settle(request, 3), weights.load().tables
    together = build(request, courses, tables, slice(0, 46))
    for k, course in enumerate(courses):
        alone = build(request, [course], tables, slice(0, 46))
        for name in (f.name for f in fields(alone)):
            one, own = getattr(together, name), getattr(alone, name)
            assert np.array_equal(one if own.ndim < 4 else one[k], own if own.ndim < 4 else own[0])
    assert together.base.shape == (3, 2, 48, 268)
    assert not np.array_equal(together.base[0, 0, :, CONTACTS], together.base[1, 0, :, CONTACTS])  # own steps


def test_the_network_is_told_which_feet_of_a_given_leader_stand():
    tables = weights.load().tables
    body = average_body()
    root = np.zeros((46, 3))
    root[:, 2] = body.standing_height + 0.3 * (np.arange(46) > 20)  # stands, then hangs in the air
    leader = Motion(root, np.tile(rot.IDENTITY, (46, COUNT, 1)), body)
    request = Request((Character("A", leader.body, motion=leader), Character("B", average_body())), 1.5)
    told = build(request, settle(request), tables, slice(0, 46))
    stands = label_contacts(positions(leader), leader.body, FPS)
    assert stands.any() and not stands.all()
    assert np.array_equal(told.base[0, 0, :46, CONTACTS], stands)
    assert not told.free[0, 0, :46, CONTACTS].any()
