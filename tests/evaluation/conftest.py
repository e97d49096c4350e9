"""Folders of made motions, as BVH, and the folder of recorded clips where there is one."""

import os

import pytest

from blender_motiondiff.core.files import bvh
from tests.core.made_motion import swinging


@pytest.fixture(scope="session")
def data():
    folder = os.environ.get("MOTIONDIFF_DATA")
    if not folder:
        pytest.skip("MOTIONDIFF_DATA names no folder of recorded clips")
    return folder


@pytest.fixture
def made(tmp_path):
    """A folder with one person and a couple, who swing about on a curve."""
    folder = tmp_path / "made"
    folder.mkdir()
    bvh.write(folder / "one.bvh", swinging(130, 1))
    bvh.write(folder / "duo_a.bvh", swinging(125, 2))
    bvh.write(folder / "duo_b.bvh", swinging(125, 3))
    (folder / "index.csv").write_text("clip,scale_to_m,description\none,0.01,walks in a circle\nduo,,two who dance\n")
    return folder
