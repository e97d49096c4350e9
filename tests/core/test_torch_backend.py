"""The PyTorch back end: devices, precision, its gradient."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (make torch)")

from blender_motiondiff.core.denoiser import back_ends, network, torch_backend, weights  # noqa: E402
from blender_motiondiff.core.denoiser.layout import token_distance  # noqa: E402

from .network_inputs import network_input  # noqa: E402


@pytest.fixture(scope="module")
def denoiser():
    return torch_backend.load(threads=1, device="cpu")


def tensors(x):
    noisy, given, free, level, present = x
    return [torch.from_numpy(v) for v in (noisy, given, free, np.full(len(noisy), level, np.float32), present)]


@pytest.mark.parametrize("kind", ["path", "two paths"])
def test_fused_attention_answers_as_the_written_one(denoiser, kind):
    torch.manual_seed(0)
    net = network.Denoiser(width=48, layers=2, heads=3, time_width=16).eval()
    for parameter in net.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    x = tensors(network_input(kind, 120, denoiser.weights.tables))
    distance = torch.from_numpy(token_distance(120))
    answers = []
    for kernel in ("written", "fused"):
        net.compute_attention(kernel)
        inputs = [v.clone().requires_grad_() for v in x[:2]]
        out = net(*inputs, *x[2:], distance)
        answers.append([out.detach(), *torch.autograd.grad(out.square().sum(), inputs)])
    for written, fused in zip(*answers, strict=True):
        assert (written - fused).abs().max() < 1e-4 * written.abs().max()


def test_attention_sees_two_seconds_and_no_farther():
    torch.manual_seed(0)
    net = network.Denoiser(width=12, layers=1, heads=3, time_width=8)
    ((bias,),) = net.biases(torch.from_numpy(token_distance(240)), couple=False)
    for kernel in ("written", "fused"):
        net.compute_attention(kernel)
        x = torch.randn(1, 1, 60, 12, requires_grad=True)
        out = net.blocks[0].alone(x, x, bias)
        (slope,) = torch.autograd.grad(out[0, 0, 30].sum(), x)
        seen = torch.nonzero(slope[0, 0].abs().sum(-1)).flatten()
        assert (seen.min(), seen.max()) == (30 - network.REACH + 1, 30 + network.REACH - 1)


@pytest.mark.parametrize(("kind", "frames"), [("none", 16), ("pins", 120), ("whole partner", 60), ("path", 400)])
def test_the_gradient_is_that_of_finite_differences(denoiser, kind, frames):
    x = list(network_input(kind, frames, denoiser.weights.tables, batch=2, level=0.7))
    rng = np.random.default_rng(0)
    goal = rng.standard_normal(x[0].shape).astype(np.float32)

    def loss(clean):
        return 0.5 * float(((clean - goal) ** 2).sum()), clean - goal

    residual, slope = denoiser.gradient(*x, loss)
    assert slope.shape == x[0].shape and slope.dtype == np.float32
    assert np.abs(residual - denoiser(*x)).max() < 1e-5
    way = rng.standard_normal(x[0].shape).astype(np.float32)
    step = 3e-3

    def value(moved):
        out = denoiser(moved, *x[1:]).astype(np.float64)
        return 0.5 * ((out - goal) ** 2).sum()

    found = (value(x[0] + step * way) - value(x[0] - step * way)) / (2 * step)
    assert found == pytest.approx(float((slope.astype(np.float64) * way).sum()), rel=0.02, abs=1e-2)


def test_a_goal_on_one_frame_reaches_others(denoiser):
    """What GMD calls a dense signal: through the network a sparse goal moves frames that it does not name."""
    x = network_input("path", 120, denoiser.weights.tables, level=0.7)

    def loss(clean):
        slope = np.zeros_like(clean)
        slope[:, :, 60, :3] = clean[:, :, 60, :3] - 1.0
        return 0.5 * float((slope**2).sum()), slope

    _, slope = denoiser.gradient(*x, loss)
    moved = np.abs(slope).sum(-1)[0, 0]
    assert moved[40:56].min() > 0 and moved[64:80].min() > 0


def test_half_precision_stays_near_the_full_one(denoiser):
    half = torch_backend.load(threads=1, device="cpu", half=True)
    x = network_input("two paths", 60, denoiser.weights.tables)
    off = np.abs(half(*x) - denoiser(*x)).max()
    assert 1e-5 < off < 0.1 and half(*x).dtype == np.float32


def test_compiled_graphs_are_made_only_when_asked_for(monkeypatch, denoiser):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda net, **options: compiled.append(options) or net)
    x = network_input("path", 40, denoiser.weights.tables)
    assert np.array_equal(torch_backend.load(threads=1, device="cpu")(*x), denoiser(*x)) and compiled == []
    assert np.array_equal(torch_backend.load(threads=1, device="cpu", compiled=True)(*x), denoiser(*x))
    assert compiled == [{"dynamic": False}]


def test_loading_needs_no_pickle(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    monkeypatch.setattr("pickle.load", refuse)
    monkeypatch.setattr("pickle.Unpickler", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    torch_backend.load(threads=1, device="cpu")


def test_an_absent_device_is_named_with_those_there_are():
    if torch.cuda.is_available():
        pytest.skip("this machine has the device that the test needs to be absent")
    with pytest.raises(back_ends.BackendError, match=r"can't use 'cuda'.*It can use: .*cpu"):
        torch_backend.load(device="cuda")
    with pytest.raises(back_ends.BackendError, match="can't use 'abacus'"):
        torch_backend.load(device="abacus")


@pytest.mark.parametrize("found", ["cuda", "xpu", "mps"])
def test_a_graphics_processor_comes_first(monkeypatch, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found == "cuda")
    monkeypatch.setattr(torch.xpu, "is_available", lambda: found == "xpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: found == "mps")
    assert torch_backend.devices(torch) == [found, "cpu"]


def test_too_little_memory_says_what_to_do():
    said = pytest.raises(back_ends.BackendError, match=r"too small for 64 takes of 8 frames.*Ask for fewer takes")
    with said, torch_backend._memory(torch, np.zeros((64, 1, 8, 268))):
        raise torch.OutOfMemoryError("tried to allocate 80 GiB")


def test_numbers_of_another_network_are_refused(tmp_path):
    folder = tmp_path / "base"
    shutil.copytree(weights.BUNDLED, folder)
    config = json.loads((folder / weights.CONFIG).read_text())
    config["network"]["layers"] += 1
    (folder / weights.CONFIG).write_text(json.dumps(config))
    with pytest.raises(weights.WeightsError, match=r"are not those of the network that config.json"):
        torch_backend.load(folder, device="cpu")


@pytest.mark.skipif(torch_backend.devices(torch)[0] == "cpu", reason="no graphics processor that torch can use")
def test_a_graphics_processor_agrees_with_the_processor(denoiser):
    fast = torch_backend.load()
    for kind in ("path", "whole partner"):
        x = network_input(kind, 120, denoiser.weights.tables, batch=64)
        assert np.abs(fast(*x) - denoiser(*x)).max() < 1e-4
