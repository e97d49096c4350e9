"""The denoiser in PyTorch: on a graphics processor where there is one, and the only one with a gradient.

What is switched on, and why (measured on two processor cores with the bundled weights, see benchmarks/network.py):
- Attention goes through scaled_dot_product_attention on graphics processors, whose kernels never store the table of
  weights, and on the processor for clips of MANY_TOKENS or more; shorter ones are as quick written out.
- Half precision is off unless asked for: fp16 moves an answer by up to 0.004 spreads and bf16 by 0.03, where the back
  ends agree to 0.00001 without, and a network of this size saves milliseconds by it.
- Compiled graphs are off unless asked for: a compilation takes a minute a shape and saves a quarter of a call of
  milliseconds, so it pays in long series of equal shapes (evaluation), never while somebody waits.
"""

import contextlib

import numpy as np

from . import weights as files
from .back_ends import BackendError, here
from .layout import PATCH, token_distance

MANY_TOKENS = 64
OLDEST = (2, 0)  # the first PyTorch with scaled_dot_product_attention and torch.compile


def _torch():
    try:
        import torch
    except (ImportError, OSError) as error:  # OSError: a library of its own that does not fit this system
        raise BackendError(
            f"PyTorch can't be loaded by {here()} ({error}). MotionDiff needs the package torch: install it into this "
            "Python (pip install torch), name another Python that has it in MotionDiff's preferences, or choose the "
            "back end onnx."
        ) from error
    if tuple(int(n) for n in torch.__version__.split(".")[:2]) < OLDEST:
        raise BackendError(
            f"PyTorch {torch.__version__} of {here()} is too old: MotionDiff needs the package torch from "
            f"{OLDEST[0]}.{OLDEST[1]} on. Update it (pip install -U torch), or choose the back end onnx."
        )
    return torch


def devices(torch):
    """Names of what torch can compute on here, the best first; ROCm calls itself cuda."""
    there = {
        "cuda": torch.cuda.is_available(),
        "xpu": hasattr(torch, "xpu") and torch.xpu.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    return [name for name, usable in there.items() if usable]


def _choose(torch, wanted):
    found = devices(torch)
    try:
        device = torch.device(wanted or found[0])
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BackendError(
            f"PyTorch {torch.__version__} of {here()} can't use {wanted or found[0]!r} ({error}). It can use: "
            f"{', '.join(found)}. Choose one of these, or install the package torch made for that device."
        ) from error
    return device


def _network(torch, weights, device):
    """The network with the numbers of a weights folder, fp32, without any gradients of its own."""
    from .network import Denoiser

    numbers = files.read_tensors(weights.folder / files.MODEL)
    numbers = {n: torch.from_numpy(v.astype(np.float32)) for n, v in numbers.items() if not n.startswith(files.TABLES)}
    network = Denoiser(**weights.config["network"])
    try:
        network.load_state_dict(numbers)
    except RuntimeError as error:
        raise files.WeightsError(
            f"The numbers in {weights.folder / files.MODEL} are not those of the network that {files.CONFIG} beside it "
            f"describes ({error}). Choose another weights folder in the preferences."
        ) from error
    return network.to(device).eval().requires_grad_(False)


def load(folder=None, threads=2, device=None, half=False, compiled=False):
    """The denoiser (see back_ends) in PyTorch.

    `device`: torch's name of one, by default the first of `devices`. `half`: fp16 (bf16 on the processor) where the
    network's layers allow it. `compiled`: torch.compile for every shape met. Raises BackendError or files.WeightsError.
    """
    weights = files.load(folder)
    torch = _torch()
    device = _choose(torch, device)
    if device.type == "cpu":
        torch.set_num_threads(threads)
    network = _network(torch, weights, device)
    forward = torch.compile(network, dynamic=False) if compiled else network
    kind = torch.bfloat16 if device.type == "cpu" else torch.float16
    precision = (lambda: torch.autocast(device.type, kind)) if half else contextlib.nullcontext

    def answer(noisy, given, free, present, level):
        """Tensors in, the residual as a float32 tensor out."""
        many = device.type != "cpu" or noisy.shape[2] >= MANY_TOKENS * PATCH
        network.compute_attention("fused" if many else "written")
        distance = torch.from_numpy(token_distance(noisy.shape[2])).to(device)
        couple = noisy.shape[1] == 2
        levels = torch.full((len(noisy),), float(level), device=device)
        with precision():
            return forward(noisy, given, free, levels, present, distance, couple).float()

    def tensors(*arrays):
        arrays = (np.ascontiguousarray(a, np.float32) for a in arrays)
        return [torch.from_numpy(a).to(device) for a in arrays]

    def denoise(noisy, given, free, level, present):
        with _memory(torch, noisy), torch.inference_mode():
            return answer(*tensors(noisy, given, free, present), level).cpu().numpy()

    def gradient(noisy, given, free, level, present, loss):
        """The residual, and a loss on it carried back to the noisy input through the network (GMD, section 4.3)."""
        with _memory(torch, noisy), torch.enable_grad():
            x, *rest = tensors(noisy, given, free, present)
            residual = answer(x.requires_grad_(), *rest, level)
            clean = residual.detach().cpu().numpy()
            _, slope = loss(clean)
            (back,) = torch.autograd.grad(residual, x, tensors(slope)[0])
            return clean, back.cpu().numpy()

    denoise.weights, denoise.name, denoise.device, denoise.gradient = weights, "torch", str(device), gradient
    return denoise


@contextlib.contextmanager
def _memory(torch, noisy):
    """Says what to do when a graphics processor's memory is too small."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise BackendError(
            f"The graphics processor's memory is too small for {len(noisy)} takes of {noisy.shape[2]} frames ({error}) "
            f"in PyTorch {torch.__version__} of {here()}. Ask for fewer takes or a shorter clip, or choose the device "
            "cpu."
        ) from error
