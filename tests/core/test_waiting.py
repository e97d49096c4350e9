"""Somebody who waits stays where they are."""

from dataclasses import replace

import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.steps import steps
from blender_motiondiff.core.cleanup.waiting import FADE, FARTHEST, LONG, kept_in_place
from blender_motiondiff.core.motion import FPS, Motion, positions
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

FRAMES = 120
TOES = [INDEX["left_foot"], INDEX["right_foot"]]


def drifting(speed, sway=0.0):
    """Somebody in the rest pose who glides along at `speed` metres a second, and sways."""
    body, time = average_body(), np.arange(FRAMES) / FPS
    root = np.tile([0.0, 0.0, body.standing_height], (FRAMES, 1))
    root[:, 0], root[:, 1] = speed * time, sway * np.sin(4 * time)
    return Motion(root, np.tile(rot.IDENTITY, (FRAMES, COUNT, 1)), body)


def stands(*spans):
    out = np.zeros((FRAMES, 4), bool)
    for start, end in spans:
        out[start:end] = True
    return out


def test_a_drift_is_gone_while_both_feet_stand():
    motion = kept_in_place(drifting(0.05, sway=0.05), stands((0, FRAMES)))
    assert np.ptp(positions(motion)[:, TOES, :2], axis=0).max() < 0.02
    np.testing.assert_array_equal(motion.root[:, 2], drifting(0.05).root[:, 2])


def test_nobody_is_moved_far_or_suddenly():
    before = drifting(0.24)
    after = kept_in_place(before, stands((0, 90)))
    moved = np.linalg.norm((after.root - before.root)[:, :2], axis=1)
    assert 0.5 * FARTHEST < moved.max() <= FARTHEST
    assert moved[90 + round(FADE * FPS) :].max() == 0.0, "what was added does not go"
    jump = np.abs(np.diff(after.root[:, 0] - before.root[:, 0], n=2)).max() * FPS**2
    assert jump < 25.0


def test_who_steps_is_left_alone():
    before = drifting(0.2)
    assert kept_in_place(before, stands()) is before
    short = int(LONG * FPS) - 1
    assert kept_in_place(before, stands((10, 10 + short), (60, 60 + short))) is before
    one_foot = stands((0, FRAMES))
    one_foot[:, :2] = False
    assert kept_in_place(before, one_foot) is before


def test_who_goes_somewhere_does_not_wait_whatever_is_said_of_the_feet():
    """Somebody who stands, comes nearer for a second, and stands again: told to stand with both feet throughout."""
    there = drifting(0.0)
    way = np.clip((np.arange(FRAMES) - 45) / 30, 0.0, 1.0)
    coming = replace(there, root=there.root + 0.6 * way[:, None] * [0.0, -1.0, 0.0])
    after = kept_in_place(coming, stands((0, FRAMES)))
    assert np.abs(after.root - coming.root).max() < 0.05


def test_waiting_feet_take_no_steps():
    """Feet that stray too far from any one place take steps, and stray no longer once the body is kept in place."""
    there = np.ones((2, FRAMES), bool)

    def taken(motion):
        return steps(there, np.moveaxis(positions(motion)[:, TOES], 1, 0), 1.0).max()

    before = drifting(0.15)
    assert taken(before) > 0.02 and taken(kept_in_place(before, stands((0, FRAMES)))) == 0.0


def test_a_body_of_another_size_moves_in_its_own_measure():
    small = drifting(0.2)
    size = 0.5
    scaled = replace(small, root=small.root * size, body=small.body.scaled(size))
    a, b = kept_in_place(small, stands((30, 90))), kept_in_place(scaled, stands((30, 90)))
    np.testing.assert_allclose(a.root * size, b.root, atol=1e-9)
