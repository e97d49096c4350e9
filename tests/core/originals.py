"""Recorded source files, unpacked from the data folder, and the same clips as the data's own loader gives them."""

import importlib.util
import re
import tarfile
from functools import cache

import numpy as np

from blender_motiondiff.core.files.recording import world

from .samples import data_folder

MOST = 5  # files of a kind that are compared: all 48 take minutes


def originals(folder, part, ending):
    """Some source files of one kind, unpacked into `folder`; skips the test where there are none."""
    with tarfile.open(data_folder() / "originals.tar.gz") as archive:
        members = [m for m in archive.getmembers() if m.isfile() and f"/{part}/" in m.name]
        archive.extractall(folder, members=members, filter="data")
    found = sorted((folder / "originals" / part).glob(f"*{ending}"))
    assert found
    return found[:: max(1, -(-len(found) // MOST))]


@cache
def data():
    """The data's own loader, its index and its skeletons."""
    spec = importlib.util.spec_from_file_location("motion_data_loader", data_folder() / "load.py")
    load = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(load)
    return load, load.index(), load.skeletons()


def assert_recorded(recording, stem, first, step):
    """Every joint of `recording` within 1 mm of the data's clip of that name, frame by frame."""
    load, rows, bodies = data()
    trial = re.match(r"(\d+)_(\d+)", stem)
    clip = load.load(f"{int(trial[1]):03d}_{trial[2]}" if trial else f"100style_{stem}", rows, bodies, False)
    expected, _ = load.world(clip)
    metres = bodies[clip["info"]["skeleton"]]["metres_per_unit"]
    joints = [j for j, name in enumerate(clip["names"]) if not name.endswith("_end")]
    assert [clip["names"][j] for j in joints] == list(recording.names)
    got = metres * world(recording)[0][first::step]
    assert len(got) == len(expected)
    assert np.linalg.norm(got - expected[:, joints], axis=-1).max() < 1e-3
