"""The demo's weights that must fail are well-formed weights."""

import json

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import weights
from tools.demo import controls


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "base"
    made.mkdir()
    generator = np.random.default_rng(0)
    tensors = {
        "blocks.0.grow.weight": generator.normal(0, 0.1, (8, 4)).astype(np.float16),
        "leave.weight": generator.normal(0, 0.1, (6, 4)).astype(np.float16),
        "leave.bias": np.ones(6, np.float16),
        "tables.mean": generator.normal(0, 1, (3, 5)).astype(np.float32),
    }
    weights.write_tensors(made / weights.MODEL, tensors)
    (made / weights.GRAPH).write_bytes(b"graph")
    sums = {name: weights.checksum(made / name) for name in (weights.MODEL, weights.GRAPH)}
    (made / weights.CONFIG).write_text(json.dumps({"name": "base", "sha256": sums}))
    return made, tensors


def test_no_network_zeroes_the_last_layer_and_nothing_else(folder, tmp_path):
    bundled, tensors = folder
    made = controls.write_both(bundled, tmp_path)["no_network"]
    found = weights.read_tensors(made / weights.MODEL)
    assert not found["leave.weight"].any() and not found["leave.bias"].any()
    for name in ("blocks.0.grow.weight", "tables.mean"):
        np.testing.assert_array_equal(found[name], tensors[name])


def test_random_weights_keep_shapes_sizes_and_tables(folder, tmp_path):
    bundled, tensors = folder
    made = controls.write_both(bundled, tmp_path)["random_weights"]
    found = weights.read_tensors(made / weights.MODEL)
    assert weights.read_header(made / weights.MODEL) == weights.read_header(bundled / weights.MODEL)
    np.testing.assert_array_equal(found["tables.mean"], tensors["tables.mean"])
    grown, own = found["blocks.0.grow.weight"].astype(float), tensors["blocks.0.grow.weight"].astype(float)
    assert not np.array_equal(grown, own)
    assert 0.5 < grown.std() / own.std() < 2


def test_checksums_are_those_of_the_changed_files_and_the_original_stays(folder, tmp_path):
    bundled, tensors = folder
    for made in controls.write_both(bundled, tmp_path).values():
        sums = json.loads((made / weights.CONFIG).read_text())["sha256"]
        assert sums == {name: weights.checksum(made / name) for name in (weights.MODEL, weights.GRAPH)}
    np.testing.assert_array_equal(weights.read_tensors(bundled / weights.MODEL)["leave.bias"], tensors["leave.bias"])
