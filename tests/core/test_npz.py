import os
import re
import subprocess
import sys

import numpy as np
import pytest

from blender_motiondiff.core.files import npz
from blender_motiondiff.core.files.atomic import write_bytes
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.request import Take
from blender_motiondiff.core.skeleton import average_body

from .samples import random_motion


def a_take(persons=2, frames=9):
    motions = tuple(random_motion(k, frames, average_body().scaled(1 + 0.1 * k)) for k in range(persons))
    contacts = np.random.default_rng(0).random((persons, frames, 4))
    return Take(
        motions, np.arange(frames) / 30, contacts, {"path": {"mean_cm": 1.5}, "note": "Größe", "list": [1, None]}
    )


@pytest.mark.parametrize("persons", [1, 2])
def test_a_take_comes_back_bit_by_bit(tmp_path, persons):
    take, path = a_take(persons), tmp_path / "take.npz"
    npz.write(path, take)
    back = npz.read(path)
    assert back.report == take.report
    assert np.array_equal(back.times, take.times)
    assert np.array_equal(back.contacts, take.contacts)
    assert len(back.motions) == persons
    for got, expected in zip(back.motions, take.motions, strict=True):
        assert got.fps == expected.fps
        assert np.array_equal(got.root, expected.root)
        assert np.array_equal(got.rotations, expected.rotations)
        assert np.array_equal(got.body.offsets, expected.body.offsets)


def test_a_take_holds_no_pickles(tmp_path):
    npz.write(tmp_path / "take.npz", a_take())
    with np.load(tmp_path / "take.npz", allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "fiU" for name in file.files)


def test_pickled_files_are_refused(tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, schema=np.array([{"any": "object"}], dtype=object))
    with pytest.raises(FileError, match=r"evil\.npz is damaged or no take"):
        npz.read(path)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_cut_files_are_refused(tmp_path, share):
    path = tmp_path / "take.npz"
    npz.write(path, a_take())
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(FileError, match=r"damaged or no take.*Generate the take again"):
        npz.read(path)


def test_altered_files_are_refused(tmp_path):
    path = tmp_path / "take.npz"
    npz.write(path, a_take())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(FileError, match="damaged or no take"):
        npz.read(path)


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "take.npz"
    npz.write(path, a_take())
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"root_1": arrays["root_1"][:-1]}))
    with pytest.raises(FileError, match="person 1 has arrays of shapes"):
        npz.read(path)
    np.savez(path, **(arrays | {"schema": np.array(99)}))
    with pytest.raises(FileError, match="no take of this version"):
        npz.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.npz can't be read \(No such file"):
        npz.read(tmp_path / "gone.npz")


WRITES_ON_A_FULL_DISK = """
import resource, sys
from blender_motiondiff.core.files import npz
from blender_motiondiff.core.files.recording import FileError
take = npz.read(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    npz.write(sys.argv[2], take)
except FileError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    """In a process of its own: no file of it may grow over 100 bytes, and what pytest prints may go to a file too."""
    source, path = tmp_path / "source.npz", tmp_path / "full" / "take.npz"
    npz.write(source, a_take())
    path.parent.mkdir()
    path.write_bytes(b"what was there")
    command = [sys.executable, "-c", WRITES_ON_A_FULL_DISK, source, path]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert re.search(r"take\.npz can't be written .*nothing was changed", done.stderr), done.stderr
    assert path.read_bytes() == b"what was there"
    assert os.listdir(path.parent) == ["take.npz"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere/take\.npz can't be written \(No such file"):
        npz.write(tmp_path / "nowhere" / "take.npz", a_take())


def test_files_are_replaced_whole(tmp_path):
    path = tmp_path / "any"
    write_bytes(path, b"first, and longer")
    write_bytes(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(tmp_path) == ["any"]
