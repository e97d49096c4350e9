"""The extension registered in bpy from the tree, with a worker whose generator is made for tests."""

import json
import os
import sys
from dataclasses import replace

import bpy
import pytest

import blender_motiondiff
from blender_motiondiff import properties
from tests.scene.dump import dump
from tests.scene.dump import properties as dump_properties
from tools import rigs

CHILD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "worker", "child.py")


@pytest.fixture(scope="session")
def extension():
    """The extension, registered for all tests of this folder."""
    blender_motiondiff.register()
    yield blender_motiondiff
    blender_motiondiff.unregister()


@pytest.fixture
def scene(extension):
    """An empty scene."""
    bpy.ops.wm.read_homefile(use_empty=True)
    return bpy.context.scene


@pytest.fixture
def worker(extension, monkeypatch, tmp_path):
    """A function: from now on the worker behaves as told (see tests/worker/child.py)."""
    from blender_motiondiff import preferences
    from blender_motiondiff.worker import client

    own = preferences.worker_settings

    def behave(**manner):
        def settings():
            child = {"weights": json.dumps(manner), "boot": CHILD, "log": str(tmp_path / "worker.log"), "stamp": ()}
            return replace(own(), python=sys.executable, **child)

        monkeypatch.setattr(preferences, "worker_settings", settings)

    behave()
    yield behave
    client.stop_warm()


def straight_path(name="Path", length=2.0):
    """A straight curve along -Y."""
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("POLY")
    spline.points.add(1)
    spline.points[1].co = (0.0, -length, 0.0, 1.0)
    path = bpy.data.objects.new(name, data)
    bpy.context.collection.objects.link(path)
    return path


def new_clip(**values):
    """A clip with these properties."""
    data = bpy.context.scene.motiondiff
    clip = data.clips.add()
    clip.name = "Clip"
    clip.frame_start, clip.frame_end, clip.takes = 1, 25, 1
    for key, value in values.items():
        setattr(clip, key, value)
    data.active_clip = len(data.clips) - 1
    data.schema = properties.SCHEMA
    return clip


def everything():
    """The whole file with its clips, to be compared before and after."""
    return dump() | {"clips": [clip_dump(clip) for scene in bpy.data.scenes for clip in scene.motiondiff.clips]}


def clip_dump(clip):
    out = dump_properties(clip)
    out["results"] = [dump_properties(item) for item in clip.results]
    out["previous"] = [dump_properties(item) for item in clip.previous]
    return out


def refused(operator, **values):
    """The message with which an operator (bpy.ops...) refuses; it must leave everything as it was."""
    before = everything()
    with pytest.raises(RuntimeError) as caught:
        operator(**values)
    assert everything() == before
    return str(caught.value)


def keyed(armature, bone, frames, turn=0.6):
    """Keys a bone's rotation on the armature, another one on each frame."""
    pose = armature.pose.bones[bone]
    pose.rotation_mode = "QUATERNION"
    for number, frame in enumerate(frames):
        pose.rotation_quaternion = (1.0, turn * number, 0.0, 0.0)
        pose.keyframe_insert("rotation_quaternion", frame=frame)
    pose.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    return armature.animation_data.action


@pytest.fixture
def solo(scene):
    """A metarig with a path, as a clip."""
    return new_clip(character_a=rigs.metarig("Ann"), path=straight_path())


@pytest.fixture
def duet(scene):
    """Two rigs of different kinds, the first one animated, as a clip."""
    ann = rigs.metarig("Ann")
    keyed(ann, "spine", (1, 13, 25))
    return new_clip(character_a=ann, character_b=rigs.mixamo("Bob", location=(0.0, 1.0, 0.0), size=1.1))
