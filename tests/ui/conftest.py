"""The extension registered in bpy from the tree, with a worker whose generator is made for tests."""

import json
import os
import sys
from dataclasses import replace

import addon_utils
import bpy
import pytest

import blender_motiondiff
from blender_motiondiff import properties

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


def metarig(name, at=(0.0, 0.0, 0.0), scale=1.0):
    """A Rigify human metarig without animation."""
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    rig = bpy.context.object
    rig.name = name
    rig.location, rig.scale = at, (scale, scale, scale)
    return rig


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


@pytest.fixture
def solo(scene):
    """A metarig with a path, as a clip."""
    return new_clip(character_a=metarig("Ann"), path=straight_path())


@pytest.fixture
def duet(scene):
    """Two metarigs of different sizes, the first one animated, as a clip."""
    ann = metarig("Ann")
    for frame, turn in ((1, 0.0), (25, 1.0)):
        bone = ann.pose.bones["spine"]
        bone.rotation_mode = "QUATERNION"
        bone.rotation_quaternion = (1.0, turn, 0.0, 0.0)
        bone.keyframe_insert("rotation_quaternion", frame=frame)
    return new_clip(character_a=ann, character_b=metarig("Bob", at=(0.0, 1.0, 0.0), scale=1.2))
