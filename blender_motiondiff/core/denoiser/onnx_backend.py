"""The denoiser in ONNX Runtime: the default, from the wheel that the extension carries."""

import functools
import sys

import numpy as np

from . import weights as files
from .back_ends import BackendError, here
from .layout import PATCH, token_distance

# Added before a softmax for tokens that are REACH or more away: nothing is left of them in 32 bits. The -10,000 of the
# network would do the same, but ONNX Runtime makes denormal numbers of it, and they took a third of a call.
UNSEEN = -40.0
LENGTHS = 4  # lengths of clips whose attention biases are kept


def _runtime():
    try:
        import onnxruntime
    except ImportError as error:
        version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
        raise BackendError(
            f"ONNX Runtime can't be loaded by {here()} ({error}). MotionDiff needs the wheel "
            f"onnxruntime-*-{version}-*: install the MotionDiff zip made for this system, or name another Python with "
            "onnxruntime in MotionDiff's preferences."
        ) from error
    return onnxruntime


def load(folder=None, threads=2):
    """The denoiser (see back_ends) on the processor. Raises BackendError or files.WeightsError."""
    weights = files.load(folder)
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads wait for their next share of work by spinning for 100 microseconds, which bridges an operator that one of
    # them does alone: with 30, calls take a tenth longer, without any a third. By default they spin far longer, which
    # brings nothing more and keeps a core busy after every call, beside Blender. Other settings (graph optimisation,
    # which is at its highest by default, memory arena and pattern) made no difference that could be measured.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
    try:
        session = runtime.InferenceSession(
            str(weights.folder / files.GRAPH), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime raises classes of its own that differ between versions
        raise BackendError(
            f"ONNX Runtime {runtime.__version__} can't load {weights.folder / files.GRAPH} ({error}). "
            "Install the MotionDiff zip again."
        ) from error

    lookup = _lookup(weights, [i.name for i in session.get_inputs()])

    def denoise(noisy, given, free, level, present):
        feed = {"noisy": noisy, "given": given, "free": free, "present": present}
        feed = {name: np.ascontiguousarray(value, np.float32) for name, value in feed.items()}
        feed["level"] = np.full(1, level, np.float32)
        return session.run(None, feed | lookup(noisy.shape[2] // PATCH))[0]

    denoise.weights, denoise.name, denoise.device, denoise.gradient = weights, "onnx", "cpu", None
    return denoise


def _lookup(weights, names):
    """`lookup(tokens)`: the graph's inputs that depend on the number of tokens alone, by name.

    Among `names`, an attention's bias `[2 REACH + 1, heads]` is wanted as `[1, heads, N, N]` by the tokens' distance.
    """
    numbers = files.read_tensors(weights.folder / files.MODEL)
    tables = {name: value.astype(np.float32) for name, value in numbers.items() if name in names}
    for table in tables.values():
        table[[0, -1]] += UNSEEN

    @functools.lru_cache(LENGTHS)
    def lookup(tokens):
        distance = token_distance(tokens * PATCH)
        rows = {n: table.T[None].copy()[..., distance] for n, table in tables.items()}
        return {"distance": distance, **rows}

    return lookup
