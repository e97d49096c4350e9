"""The denoiser as an ONNX graph, operator by operator: `core.denoiser.network.Denoiser` for takes at one noise level.

`python -m training.graph WEIGHTS_FOLDER` writes it anew, after a change of this file. PyTorch's exporter makes nearly
twice as many operators of the same network, most of them about shapes, and a short clip feels every one of them. The
graph keeps no numbers: its initialisers are byte ranges of a safetensors file, cast to float when the session loads,
and whatever depends on them alone is computed then, once. Inputs that are called like a parameter, an attention's bias,
want its rows by the tokens' distance: the same for every clip of a length (core.denoiser.onnx_backend).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from blender_motiondiff.core.denoiser import weights as files
from blender_motiondiff.core.denoiser.layout import PATCH, REACH, SLOW
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.files.atomic import write_bytes, write_text
from blender_motiondiff.core.reference import GIVEN

OPSET = 20  # of ONNX, the first with all operators used here
RUNTIME = "com.microsoft"  # operators that ONNX Runtime adds: two in one
EPSILON = 1e-5  # PyTorch's in layer norms
LAST = 2**31 - 1  # the end of any axis


class Graph:
    """Operators in the order in which they run; what one of them answers is known by a name."""

    def __init__(self, folder):
        self.nodes, self.initializers, self.inputs, self._named = [], [], [], {}
        self._header, self._start = files.read_header(folder / files.MODEL)

    def add(self, kind, *inputs, outputs=1, domain="", **attributes):
        """Adds an operator; the name of its output, or a list of them."""
        names = [f"{kind}_{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values):
        """The name of float constants."""
        return self._keep(np.asarray(values, np.float32))

    def whole(self, *values):
        """The name of a list of whole numbers: a shape, axes, indices."""
        return self._keep(np.array(values, np.int64))

    def number(self, value):
        """The name of one whole number."""
        return self._keep(np.array(value, np.int64))

    def _keep(self, values):
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._named:
            self._named[key] = f"constant_{len(self._named)}"
            self.initializers.append(numpy_helper.from_array(values, self._named[key]))
        return self._named[key]

    def looked_up(self, name):
        """The name of the input `[1, heads, N, N]` that holds the attention's bias `name` by the tokens' distance."""
        self.inputs.append(name)
        return name

    def parameter(self, name):
        """The name of the network's parameter `name` as floats."""
        if name not in self._named:
            entry = self._header[name]
            begin, end = entry["data_offsets"]
            half = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=entry["shape"])
            half.data_location = TensorProto.EXTERNAL
            for key, value in (("location", files.MODEL), ("offset", self._start + begin), ("length", end - begin)):
                half.external_data.add(key=key, value=str(value))
            self.initializers.append(half)
            self._named[name] = self.add("Cast", name, to=TensorProto.FLOAT)
        return self._named[name]

    def unused(self):
        """Names of the network's parameters that no operator has asked for."""
        return {n for n in self._header if not n.startswith(files.TABLES)} - set(self._named) - set(self.inputs)


def linear(g, x, names):
    """Linear layers of x `[M, K]`, their answers side by side."""
    parts = [[g.parameter(f"{name}.{part}") for name in names] for part in ("weight", "bias")]
    weight, bias = (part[0] if len(part) == 1 else g.add("Concat", *part, axis=0) for part in parts)
    return g.add("Gemm", x, weight, bias, transB=1)


def modulations(g, layers, width):
    """`(1 + scale, shift, 1 + gate)` `[width]` each, of every sublayer and of the last norm."""
    octaves = g.constant((2.0 ** np.arange(16) * np.pi / 2)[None])
    phase = g.add("Mul", g.add("Reshape", "level", g.whole(1, 1)), octaves)
    time = g.add("Concat", g.add("Sin", phase), g.add("Cos", phase), axis=1)
    for layer in ("time.0", "time.2"):
        time = linear(g, time, [layer])
        time = g.add("Mul", time, g.add("Sigmoid", time))
    names = [f"blocks.{k}.modulate.{i}.project" for k in range(layers) for i in range(3)] + ["last.project"]
    ones = g.constant(np.tile(np.repeat([1.0, 0.0, 1.0], width), len(names)))
    every = g.add("Add", linear(g, time, names), ones)
    count = 3 * len(names)
    parts = g.add("Split", g.add("Reshape", every, g.whole(-1)), outputs=count, axis=0, num_outputs=count)
    return [parts[i : i + 3] for i in range(0, count, 3)]


def entered(g, tokens, width):
    """The first states `[N B P, width]` of the tokens."""
    near = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SLOW) ** 2)
    near[[0, -1]] = 0.0
    weights = g.add("Gather", g.constant(near), "distance")
    weights = g.add("Div", weights, g.add("ReduceL2", weights, g.whole(1)))
    patches = g.add("Reshape", "noisy", g.add("Concat", g.whole(0, 0), tokens, g.whole(PATCH, SIZE), axis=0))
    slow = g.add("MatMul", weights, g.add("ReduceMean", patches, g.whole(3), keepdims=0))
    turned = g.add("Transpose", g.parameter("enter_slow.weight"), perm=[1, 0])
    slow = g.add("MatMul", slow, g.add("Mul", turned, g.constant(PATCH**0.5)))
    x = linear(g, g.add("Reshape", "given", g.whole(-1, PATCH * GIVEN)), ["enter_given"])
    turned = g.add("Transpose", g.parameter("enter_noisy.weight"), perm=[1, 0])
    noisy = g.add("MatMul", g.add("Reshape", "noisy", g.whole(-1, PATCH * SIZE)), turned)
    noisy = g.add("Add", g.add("Mul", noisy, "level"), g.parameter("enter_noisy.bias"))
    x = g.add("Add", g.add("Add", x, noisy), g.add("Reshape", slow, g.whole(-1, width)))
    x = g.add("Reshape", x, g.add("Concat", g.whole(-1), tokens, g.whole(width), axis=0))
    return g.add("Reshape", g.add("Transpose", x, perm=[1, 0, 2]), g.whole(-1, width))


def attended(g, y, name, network, tokens, partner=None):
    """What the states `y` gather from themselves, or from those of the `partner` (indices of persons)."""
    width, heads = network["width"], network["heads"]
    size = width // heads
    apart = g.add("Concat", tokens, g.whole(-1, 1, heads, size), axis=0)  # [N, B P, 1, heads, size]

    def states(weight, bias):
        return g.add("Reshape", g.add("Gemm", y, weight, bias, transB=1), apart)

    parts = [[g.parameter(f"{name}.{layer}.{part}") for part in ("weight", "bias")] for layer in ("query", "key_value")]
    query = states(*(g.add("Mul", part, g.constant([size**-0.5])) for part in parts[0]))
    halves = [g.add("Split", part, outputs=2, axis=0, num_outputs=2) for part in parts[1]]
    key, value = (states(*of_both) for of_both in zip(*halves, strict=True))
    if partner is not None:
        key, value = (g.add("Gather", v, partner, axis=1) for v in (key, value))
    # Of tokens that come first these products find what belongs together without a copy: "batch" is all between.
    score = g.add("FusedMatMul", query, key, domain=RUNTIME, transBatchA=1, transBatchB=1, transB=1)
    share = g.add("Softmax", g.add("Add", score, g.looked_up(name + ".bias")), axis=-1)
    out = g.add("FusedMatMul", share, value, domain=RUNTIME, transBatchB=1)
    out = g.add("Reshape", g.add("Transpose", out, perm=[3, 0, 1, 2, 4]), g.whole(-1, width))
    return linear(g, out, [name + ".out"])


def present_rows(g, tokens):
    """Whether there is a partner, `[N B P, 1]`."""
    there = g.add("Reshape", "present", g.whole(1, -1))
    return g.add("Reshape", g.add("Expand", there, g.add("Concat", tokens, g.whole(1), axis=0)), g.whole(-1, 1))


def partners(g):
    """Indices `[B P]` of everybody's partner among all persons of all takes, of one alone their own."""
    count = g.add("Range", g.number(0), g.add("Size", "present"), g.number(1))
    there = g.add("Reshape", count, g.add("Shape", "present"))
    turned = g.add("Slice", there, g.whole(-1), g.whole(-4), g.whole(1), g.whole(-1))
    return g.add("Reshape", turned, g.whole(-1))


def left(g, y, tokens, width):
    """The residual from the last states: linear, smoothed over the frames, 0 where something is observed."""
    y = g.add("Reshape", y, g.add("Concat", tokens, g.whole(-1, width), axis=0))
    y = linear(g, g.add("Reshape", g.add("Transpose", y, perm=[1, 0, 2]), g.whole(-1, width)), ["leave"])
    frames = g.add("Concat", g.whole(-1), g.add("Mul", tokens, g.whole(PATCH)), g.whole(SIZE), axis=0)
    y = g.add("Reshape", y, frames)
    ends = [g.add("Slice", y, g.whole(at), g.whole(end), g.whole(1)) for at, end in ((0, 1), (-1, LAST))]
    y = g.add("Transpose", g.add("Concat", *2 * ends[:1], y, *2 * ends[1:], axis=1), perm=[0, 2, 1])
    y = g.add("Transpose", g.add("Conv", y, g.parameter("smooth.weight"), group=SIZE), perm=[0, 2, 1])
    return g.add("Mul", g.add("Reshape", y, g.add("Shape", "free")), "free")


def nodes_of(g, network):
    """Adds the whole network; the name of its answer."""
    layers, width = network["layers"], network["width"]
    tokens = g.add("Shape", "distance", end=1)
    modulated = iter(modulations(g, layers, width))
    there, partner = present_rows(g, tokens), partners(g)
    x = entered(g, tokens, width)

    def normed():
        scale, shift, gate = next(modulated)
        return g.add("LayerNormalization", x, scale, shift, epsilon=EPSILON), gate

    for block in (f"blocks.{k}." for k in range(layers)):
        y, gate = normed()
        y = attended(g, y, block + "alone", network, tokens)
        x = g.add("Add", x, g.add("Mul", y, gate))
        y, gate = normed()
        y = attended(g, y, block + "mutual", network, tokens, partner)
        x = g.add("Add", x, g.add("Mul", g.add("Mul", y, gate), there))
        y, gate = normed()
        turned = g.add("Transpose", g.parameter(block + "grow.weight"), perm=[1, 0])
        y = g.add("FastGelu", g.add("MatMul", y, turned), g.parameter(block + "grow.bias"), domain=RUNTIME)
        x = g.add("Add", x, g.add("Mul", linear(g, y, [block + "shrink"]), gate))
    return left(g, normed()[0], tokens, width)


def write(folder, network):
    """graph.onnx beside a folder's model.safetensors, for any takes, one or two persons, any multiple of PATCH frames.

    `network`: the Denoiser's config. Raises SystemExit when a parameter is left over: the graph is another network's.
    """
    g = Graph(folder)
    g.nodes.append(helper.make_node("Identity", [nodes_of(g, network)], ["residual"]))
    if rest := g.unused():
        raise SystemExit(f"The graph does not use these numbers by name: {', '.join(sorted(rest))}.")
    persons = ["takes", "persons"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [*persons, "frames", size])
              for name, size in (("noisy", SIZE), ("given", GIVEN), ("free", SIZE))]  # fmt: skip
    inputs += [
        helper.make_tensor_value_info("level", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("present", TensorProto.FLOAT, persons),
        helper.make_tensor_value_info("distance", TensorProto.INT64, ["tokens", "tokens"]),
    ]
    square = [1, network["heads"], "tokens", "tokens"]
    inputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, square) for name in g.inputs]
    answer = helper.make_tensor_value_info("residual", TensorProto.FLOAT, [*persons, "frames", SIZE])
    graph = helper.make_graph(g.nodes, "denoiser", inputs, [answer], g.initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    write_bytes(folder / files.GRAPH, model.SerializeToString())


def main():
    """Writes the graph of a weights folder anew, and its checksum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="with model.safetensors and config.json")
    folder = parser.parse_args().folder
    config = json.loads((folder / files.CONFIG).read_text())
    write(folder, config["network"])
    config["sha256"][files.GRAPH] = files.checksum(folder / files.GRAPH)
    write_text(folder / files.CONFIG, json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
