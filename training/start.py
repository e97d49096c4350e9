"""Starting from numbers learnt before, those of a run or those of a weights folder."""

import numpy as np
import torch

from blender_motiondiff.core.denoiser import weights as files
from blender_motiondiff.core.denoiser.layout import PATCH
from blender_motiondiff.core.reference import GIVEN, tables_as_numbers, tables_from_numbers

TABLES = "tables.npz"


def widened(name, value, like):
    """A parameter for today's inputs: further channels of `given` start without a say."""
    if name != "enter_given.weight" or value.shape == like.shape:
        return value
    out = torch.zeros(len(value), PATCH, GIVEN)
    old = value.unflatten(1, (PATCH, -1))
    out[..., : old.shape[-1]] = old
    return out.flatten(1)


def load_numbers(net, numbers):
    """Puts numbers (tensors by name) into a network; an input it did not have then starts as the network made it."""
    own = net.state_dict()
    net.load_state_dict({n: widened(n, numbers[n], v) if n in numbers else v for n, v in own.items()})


def read_weights(folder):
    """(tensors by name, Tables) of a weights folder, whatever its layout. Raises files.WeightsError, OSError."""
    tensors = files.read_tensors(folder / files.MODEL)
    numbers = {n: torch.from_numpy(v.astype(np.float32)) for n, v in tensors.items() if not n.startswith(files.TABLES)}
    return numbers, files.tables_of(tensors)


def read_tables(folder):
    """The Tables beside the checkpoints of a run."""
    with np.load(folder / TABLES) as numbers:
        return tables_from_numbers(dict(numbers))


def write_tables(folder, tables):
    """Puts Tables beside the checkpoints of a run."""
    np.savez(folder / TABLES, **tables_as_numbers(tables))
