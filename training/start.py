"""Starting from numbers learnt before, of a run or of a weights folder, or ending with the one line why not."""

import contextlib
import pickle

import numpy as np
import torch

from blender_motiondiff.core.denoiser import weights as files
from blender_motiondiff.core.denoiser.layout import PATCH
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.reference import GIVEN, tables_as_numbers, tables_from_numbers

TABLES, BEST = "tables.npz", "best.pt"


@contextlib.contextmanager
def one_line():
    """What a command does within ends in one line where data, a run or weights can't be read."""
    try:
        yield
    except (FileError, files.WeightsError) as error:
        raise SystemExit(f"training: {error}") from error


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
    """(tensors by name, Tables) of a weights folder, whatever its layout. Raises FileError."""
    try:
        tensors = files.read_tensors(folder / files.MODEL)
    except (OSError, ValueError, KeyError) as error:
        raise FileError(f"{folder / files.MODEL} can't be read ({error}). Name a folder of weights.") from error
    numbers = {n: torch.from_numpy(v.astype(np.float32)) for n, v in tensors.items() if not n.startswith(files.TABLES)}
    return numbers, files.tables_of(tensors)


def read_best(folder):
    """What the best checkpoint of a run holds. Raises FileError."""
    try:
        return torch.load(folder / BEST, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise FileError(_no_run(folder / BEST, error)) from error


def _no_run(path, error):
    return f"{path} can't be read ({error}). Name the folder of a run that training.train has written."


def read_tables(folder):
    """The Tables beside the checkpoints of a run. Raises FileError."""
    try:
        with np.load(folder / TABLES) as numbers:
            return tables_from_numbers(dict(numbers))
    except (OSError, ValueError, KeyError) as error:
        raise FileError(_no_run(folder / TABLES, error)) from error


def write_tables(folder, tables):
    """Puts Tables beside the checkpoints of a run."""
    np.savez(folder / TABLES, **tables_as_numbers(tables))
