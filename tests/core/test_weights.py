"""Weights are checked before they are used."""

import errno
import json
import shutil

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import weights
from blender_motiondiff.core.files.recording import FileError


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "base"
    shutil.copytree(weights.BUNDLED, copy)
    return copy


def test_the_bundled_weights_are_whole_and_small():
    loaded = weights.load()
    assert loaded.tables.spread.shape == (3, 14, 268) and (loaded.tables.spread > 0).all()
    assert (weights.BUNDLED / weights.MODEL).stat().st_size <= 16e6
    assert (weights.BUNDLED / weights.GRAPH).stat().st_size < 0.5e6


@pytest.mark.parametrize("name", [weights.MODEL, weights.GRAPH, weights.CONFIG])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(weights.WeightsError, match=f"{name} is missing"):
        weights.load(folder)


@pytest.mark.parametrize("name", [weights.MODEL, weights.GRAPH])
def test_truncated_and_altered_files_are_refused(folder, name):
    data = bytearray((folder / name).read_bytes())
    (folder / name).write_bytes(data[:-100])
    with pytest.raises(weights.WeightsError, match="checksum differs"):
        weights.load(folder)
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(weights.WeightsError, match="checksum differs"):
        weights.load(folder)


def test_another_layout_is_refused(folder):
    config = json.loads((folder / weights.CONFIG).read_text())
    (folder / weights.CONFIG).write_text(json.dumps({**config, "layout": 99}))
    with pytest.raises(weights.WeightsError, match="another version"):
        weights.load(folder)


def test_tensors_come_back_as_written(tmp_path):
    rng = np.random.default_rng(0)
    tensors = {"a": rng.normal(size=(3, 4)).astype(np.float16), "b.c": rng.normal(size=(5,)).astype(np.float32)}
    weights.write_tensors(tmp_path / "t.safetensors", tensors)
    back = weights.read_tensors(tmp_path / "t.safetensors")
    assert all(np.array_equal(back[name], value) for name, value in tensors.items())
    library = pytest.importorskip("safetensors.numpy", reason="the safetensors library is not installed")
    theirs = library.load_file(tmp_path / "t.safetensors")
    assert all(np.array_equal(theirs[name], value) for name, value in tensors.items())


def test_a_full_disk_leaves_the_old_weights(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    weights.write_tensors(path, {"a": np.zeros(4, np.float32)})
    before = path.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FileError, match="Free some space"):
        weights.write_tensors(path, {"a": np.ones(4, np.float32)})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
