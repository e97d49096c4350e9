"""Fixtures for tests that run in Blender."""

import os
import tarfile
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a module (bpy) is not installed in this environment")

from blender_motiondiff import properties  # noqa: E402
from blender_motiondiff.ids import SCENE_PROPERTY  # noqa: E402


@pytest.fixture(autouse=True)
def scene():
    """An empty file's scene, with the clips' properties registered."""
    registered = not hasattr(bpy.types.Scene, SCENE_PROPERTY)
    if registered:
        properties.register()
    bpy.ops.wm.read_homefile(use_empty=True)
    yield bpy.context.scene
    bpy.ops.wm.read_homefile(use_empty=True)
    if registered:
        properties.unregister()


@pytest.fixture
def clip(scene):
    """A clip of 41 frames without characters."""
    new = getattr(scene, SCENE_PROPERTY).clips.add()
    new.name, new.frame_start, new.frame_end, new.takes, new.seed = "Duet", 11, 51, 2, 5
    return new


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """A function: path inside the data folder's archive of source files -> the unpacked file."""
    folder = os.environ.get("MOTIONDIFF_DATA")
    archive = Path(folder, "originals.tar.gz") if folder else None
    unpacked = tmp_path_factory.mktemp("originals")

    def get(name):
        if archive is None or not archive.exists():
            pytest.skip("needs recorded motion: MOTIONDIFF_DATA names no folder with originals.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extract(f"originals/{name}", unpacked, filter="data")
        return unpacked / "originals" / name

    return get
