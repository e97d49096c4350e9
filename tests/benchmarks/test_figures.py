"""The benchmarks' own arithmetic."""

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as bench
from benchmarks import figures, stages
from benchmarks.figures import Figure, in_turn


def test_a_figure_is_a_median_with_its_spread_and_its_limit():
    figure = Figure("x", (1.0, 2.0, 3.0, 4.0, 100.0), "ms", limit=5)
    assert figure.median == 3.0 and figure.spread == (2.0, 4.0) and figure.met
    assert Figure("x", (3.0,), "", 5, least=True).met is False and Figure("x", (3.0,), "").met is None
    assert "MISSED" in bench.line(Figure("x", (3.0,), "", 5, least=True)) and "met" in bench.line(figure)


def test_tasks_take_turns():
    order = []
    times = in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, runs=3, warm_up=1)
    assert order == ["a", "b"] * 4 and {k: v.shape for k, v in times.items()} == {"a": (3,), "b": (3,)}


def test_a_clock_counts_nested_calls_once_and_what_is_handed_back(monkeypatch):
    at = iter(np.arange(100.0))
    monkeypatch.setattr(stages, "now", lambda: next(at))
    clock = stages.Clock()
    inner = clock.around(lambda: None)
    clock.around(inner)()
    outer_alone = clock.spent
    assert outer_alone == 2.0  # two readings inside, one interval outside
    clock.around(lambda: lambda: None)()()
    assert clock.spent == outer_alone + 2.0


def test_the_report_holds_what_was_measured_and_what_failed(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="torch is not installed (make torch)")

    class Good:
        @staticmethod
        def measure(threads):
            return [Figure("one_120_draft_ms", (20.0, 21.0, 22.0), "ms", 30)]

    class Bad:
        @staticmethod
        def measure(threads):
            raise ValueError("no such thing")

    monkeypatch.setattr(bench.importlib, "import_module", {"benchmarks.stages": Bad, "benchmarks.network": Good}.get)
    monkeypatch.setattr(sys, "argv", ["bench", "stages", "network", "--out", str(tmp_path / "a" / "report.json")])
    assert bench.main() == 1
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert report["one_120_draft_ms"] == 21.0 and report["errors"] == {"stages": "ValueError: no such thing"}
    assert report["figures"]["one_120_draft_ms"]["quartiles"] == [20.5, 21.5]
    assert {"processor", "cores", "threads", "numpy", "onnxruntime", "torch", "blas"} <= set(report["machine"])
    assert "one_120_draft_ms" in capsys.readouterr().out


@pytest.mark.parametrize("shape", [(1, 1, 120), (1, 2, 40)])
def test_the_products_counted_are_those_that_the_network_does(shape):
    torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks import network as bench_network
    from blender_motiondiff.core.denoiser import network
    from blender_motiondiff.core.denoiser.layout import token_distance

    net = network.Denoiser(width=48, layers=2, heads=3, time_width=16).eval()
    noisy, given, free, level, present = bench_network.inputs(*shape)
    x = [torch.from_numpy(np.asarray(v, np.float32)) for v in (noisy, given, free, [level], present)]
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        net(*x, torch.from_numpy(token_distance(shape[2])))
    counted = counter.get_flop_counts()["Global"]
    done = sum(n for kind, n in counted.items() if "conv" not in str(kind))
    assert done == bench_network.operations(bench_network.products(net.config, *shape))


def test_the_rival_has_the_size_of_intergen():
    torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from benchmarks import intergen

    with torch.device("meta"):
        size = intergen.parameters(intergen.InterGen())
    assert size == pytest.approx(168e6, rel=0.01)


def test_the_rival_denoises_both_persons_with_the_same_weights(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")
    from benchmarks import intergen

    for name, value in {"WIDTH": 32, "HEADS": 2, "FEED": 64, "BLOCKS": 2}.items():
        monkeypatch.setattr(intergen, name, value)
    network = intergen.InterGen().eval()
    pair, condition = torch.randn(2, 6, 2 * intergen.FEATURES), torch.randn(2, 32)
    swapped = torch.cat(pair.chunk(2, -1)[::-1], -1)
    with torch.no_grad():
        a, b = network(pair, condition).chunk(2, -1)
        assert torch.allclose(torch.cat([b, a], -1), network(swapped, condition), atol=1e-5)


def test_processor_time_is_a_clock_of_its_own(monkeypatch):
    monkeypatch.setattr(figures, "_clock", figures._clock)
    figures.use_processor_time()
    assert figures.seconds(lambda: __import__("time").sleep(0.2)) < 0.1
