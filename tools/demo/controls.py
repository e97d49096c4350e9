"""Weights that must fail: the bundled ones without a last layer, and ones of random numbers.

Each is a folder of its own, right in every formal way (shapes, checksum), so that the extension loads it as any other.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from blender_motiondiff.core.denoiser import weights

LAST_LAYERS = ("leave.weight", "leave.bias")  # zero, and the network's residual is zero
TABLES = "tables."  # statistics of the data: both controls keep them
SEED = 9


def change_numbers(path, change):
    """Puts `change(name, numbers)` in the place of each tensor of the network in a safetensors file; sizes stay."""
    header, start = weights.read_header(path)
    data = bytearray(path.read_bytes())
    for name, entry in header.items():
        if name.startswith(TABLES):
            continue
        first, end = (start + offset for offset in entry["data_offsets"])
        numbers = np.frombuffer(bytes(data[first:end]), weights.DTYPES[entry["dtype"]]).reshape(entry["shape"])
        data[first:end] = change(name, numbers).astype(numbers.dtype).tobytes()
    path.write_bytes(data)


def no_network(name, numbers):
    """Nothing comes out of the network: what remains is the reference."""
    return np.zeros_like(numbers) if name in LAST_LAYERS else numbers


def random_weights(generator):
    """Numbers of each tensor's own mean size, without what was learned."""

    def change(_name, numbers):
        values = numbers.astype(np.float64)
        return values.mean() + max(values.std(), 0.02) * generator.standard_normal(numbers.shape)

    return change


def write_folder(bundled, target, change):
    """A weights folder like `bundled`, its numbers changed, its checksum right."""
    bundled, target = Path(bundled), Path(target)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(bundled, target)
    change_numbers(target / weights.MODEL, change)
    config = json.loads((target / weights.CONFIG).read_text())
    config["sha256"][weights.MODEL] = weights.checksum(target / weights.MODEL)
    (target / weights.CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    return target


def write_both(bundled, build):
    """The weights folders of both controls under `build`: name -> folder."""
    return {
        "no_network": write_folder(bundled, Path(build) / "weights_no_network", no_network),
        "random_weights": write_folder(
            bundled, Path(build) / "weights_random", random_weights(np.random.default_rng(SEED))
        ),
    }
