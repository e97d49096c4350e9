"""What the figures were taken on."""

import os
import platform
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core.denoiser import torch_backend

PACKAGES = ("numpy", "onnxruntime", "torch")


def processor():
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def describe(threads):
    """Names and versions; `load` is the average of the last minute before anything was measured."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    device = torch_backend.devices(torch)[0]
    return {
        "processor": processor(), "cores": os.cpu_count(), "threads": threads, "system": platform.platform(),
        "python": platform.python_version(), "blas": f"{blas.get('name')} {blas.get('version')}",
        "graphics": torch.cuda.get_device_name() if device == "cuda" else device if device != "cpu" else "none",
        "load": round(os.getloadavg()[0], 2), **{name: metadata.version(name) for name in PACKAGES},
    }  # fmt: skip
