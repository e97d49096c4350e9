"""What runs the network: the only place that knows there is more than one way.

A denoiser is a function `denoise(noisy, given, free, level, present) -> residual` over float32 arrays (shapes as in
network.Denoiser.forward, but for `level`: a number, alike for all takes) with these attributes: `weights`
(weights.Weights), `name` (one of NAMES), `device` (text), and `gradient`, which is None where the back end cannot
differentiate through the network (ONNX Runtime), else

    gradient(noisy, given, free, level, present, loss) -> (residual, slope)

with `loss(residual) -> (value, d value / d residual)` and `slope` = d value / d noisy, of the shape of `noisy`.
"""

import platform
import sys

NAMES = ("onnx", "torch")


class BackendError(RuntimeError):
    """A back end that can't be used here; the message names the package, the Python and the remedy."""


def here():
    """This Python and system, for messages."""
    return f"Python {platform.python_version()} on {sys.platform} {platform.machine()}"


def load(name="onnx", folder=None, threads=2, device=None):
    """The denoiser of a back end: "onnx" (the default, in the zip) or "torch".

    `folder`: of the weights, the bundled ones by default. `threads`: of the processor. `device`: torch's name of one
    ("cpu", "cuda", "cuda:1", "xpu", "mps"), by default the first graphics processor there is; ONNX Runtime takes "cpu"
    alone. Raises BackendError or weights.WeightsError.
    """
    if name not in NAMES:
        raise BackendError(f"There is no back end named {name!r}. Choose one of: {', '.join(NAMES)}.")
    if name == "torch":
        from . import torch_backend

        return torch_backend.load(folder, threads, device)
    if device not in (None, "cpu"):
        raise BackendError(
            f"ONNX Runtime, as the extension carries it, runs on the processor, not on {device!r}. "
            "Choose the back end torch for a graphics processor."
        )
    from . import onnx_backend

    return onnx_backend.load(folder, threads)
