"""The whole way, small: scene, worker with the bundled weights, takes on the rigs as Blender evaluates them."""

import json

import bpy
import numpy as np
import pytest

from blender_motiondiff.scene.path_curve import timed_path
from blender_motiondiff.scene.retarget import read_motion
from blender_motiondiff.scene.rig_maps import map_rig
from blender_motiondiff.worker import client
from tools import rigs

from .conftest import keyed, new_clip, straight_path


@pytest.fixture(autouse=True)
def own_worker():
    """The worker as in the product, ended after each test."""
    client.stop_warm()
    yield
    client.stop_warm()


def hips(armature, frames):
    """Places of the pelvis `[T, 3]` on the evaluated rig."""
    return read_motion(armature, map_rig(armature), bpy.context.scene, frames).root


def test_a_rig_follows_a_path_and_the_same_seed_gives_the_same_motion(scene):
    scene.render.fps = 24
    max_ = rigs.mixamo("Max", location=(3.0, 1.0, 0.0))
    clip = new_clip(character_a=max_, path=straight_path(length=2.0), frame_start=101, frame_end=149, takes=2, seed=3)
    assert bpy.ops.motiondiff.generate() == {"FINISHED"}
    frames = np.arange(101.0, 150.0)
    wanted = timed_path(clip.path, 2.0, scene, 101)
    seconds = (frames - 101) / 24
    at = np.stack([np.interp(seconds, wanted.times, wanted.points[:, i]) for i in (0, 1)], 1)
    places = hips(max_, frames)
    off = np.linalg.norm(places[:, :2] - at, axis=1)
    assert off.mean() < 0.05 and off.max() < 0.2  # the raw pelvis sways about its path
    assert 0.6 < places[:, 2].mean() < 1.1
    report = json.loads(clip.results[0].report)
    assert report["worker_peak_mb"] > 30 and report["seconds"]["load"] > 0
    other = clip.results[1].action
    assert not np.allclose(places, (bpy.ops.motiondiff.take_show(step=1), hips(max_, frames))[1], atol=1e-3)
    assert max_.animation_data.action == other
    bpy.ops.motiondiff.reject()
    clip.takes = 1
    bpy.ops.motiondiff.generate()
    np.testing.assert_allclose(hips(max_, frames), places, atol=1e-5)


def test_a_partner_reacts_and_the_leader_moves_as_before(scene):
    ann = rigs.metarig("Ann")
    keyed(ann, "spine", (1, 13, 25))
    bob = rigs.mixamo("Bob", location=(5.0, 5.0, 0.0), size=0.9)
    frames = np.arange(1.0, 26.0)
    before = hips(ann, frames)
    new_clip(character_a=ann, character_b=bob, takes=1)
    assert bpy.ops.motiondiff.generate_partner() == {"FINISHED"}
    bpy.ops.motiondiff.bake()
    np.testing.assert_array_equal(hips(ann, frames), before)
    apart = np.linalg.norm(hips(bob, frames)[:, :2] - before[:, :2], axis=1)
    assert apart.min() > 0.1 and apart.max() < 3.0
