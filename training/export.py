"""Checkpoint -> the folder that is shipped: python -m training.export --run FOLDER --out WEIGHTS_FOLDER

Numbers go into model.safetensors once, as fp16; the ONNX graph points into it (training.graph).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from blender_motiondiff.core.denoiser import weights as files
from blender_motiondiff.core.denoiser.layout import token_distance
from blender_motiondiff.core.denoiser.network import Denoiser
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.files.atomic import write_text
from blender_motiondiff.core.reference import GIVEN, tables_as_numbers

from . import graph
from .start import one_line, read_best, read_tables

KEPT_BITS = 7  # of the ten after the point, as many as bfloat16 has: no figure changes, and files pack by a quarter


def sample_input(batch=2, persons=2, frames=40):
    """Arguments of the shapes that the network takes."""
    shape = (batch, persons, frames)
    return (
        torch.randn(*shape, SIZE), torch.randn(*shape, GIVEN), torch.ones(*shape, SIZE), torch.rand(1).expand(batch),
        torch.ones(batch, persons), torch.from_numpy(token_distance(frames)),
    )  # fmt: skip


def write_numbers(folder, net, tables):
    """model.safetensors: the network's parameters and the interpolation's as rounded fp16, the statistics as fp32."""
    tensors = {name: rounded(value.detach().numpy()) for name, value in net.state_dict().items()}
    for name, value in tables_as_numbers(tables).items():
        tensors[files.TABLES + name] = rounded(value) if name.startswith("between") else value.astype(np.float32)
    files.write_tensors(folder / files.MODEL, tensors)


def rounded(values):
    """Values as fp16 of which only KEPT_BITS of the mantissa are used, to the nearest, half to even."""
    bits, spare = values.astype(np.float16).view(np.uint16), 10 - KEPT_BITS
    up = (1 << spare - 1) - 1 + (bits >> spare & 1)
    return (bits + up >> spare << spare).astype(np.uint16).view(np.float16)


def write_config(folder, net, facts, vocabulary):
    """config.json: what the weights are, the tags they know (words.TAGS), and the checksums that guard them."""
    config = {
        "name": folder.name, "layout": files.LAYOUT, "features": SIZE, "given": GIVEN, "network": net.config,
        "vocabulary": list(vocabulary),
        "sha256": {name: files.checksum(folder / name) for name in (files.MODEL, files.GRAPH)}, "training": facts,
    }  # fmt: skip
    write_text(folder / files.CONFIG, json.dumps(config, indent=1) + "\n")


@one_line()
def main():
    """Exports and says how far the fp16 numbers in ONNX Runtime are from the checkpoint in torch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of a training run")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    saved = read_best(args.run)
    net = Denoiser(**saved["config"]).eval()
    net.load_state_dict(saved["net"])
    args.out.mkdir(parents=True, exist_ok=True)
    write_numbers(args.out, net, read_tables(args.run))
    graph.write(args.out, net.config)
    write_config(args.out, net, {"validation": saved["numbers"], "steps": saved["step"]}, saved["vocabulary"])

    from blender_motiondiff.core.denoiser import onnx_backend

    denoise = onnx_backend.load(args.out)
    for shape in ((2, 2, 40), (1, 1, 180)):
        x = sample_input(*shape)
        with torch.no_grad():
            given = [v.numpy() for v in x[:3]] + [float(x[3][0]), x[4].numpy()]
            difference = np.abs(denoise(*given) - net(*x).numpy()).max()
        print(f"{shape}: largest difference between ONNX Runtime (fp16 numbers) and torch {difference:.1e}")
    print({p.name: p.stat().st_size for p in args.out.iterdir()})


if __name__ == "__main__":
    main()
