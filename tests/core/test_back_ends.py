"""Both back ends answer the same, and what can't be used says why."""

import builtins
import sys
import time
import types

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import back_ends, weights
from blender_motiondiff.core.denoiser.back_ends import BackendError

from .network_inputs import COUPLE, SINGLE, network_input

AGREEMENT = 1e-4


@pytest.fixture(scope="module")
def onnx():
    return back_ends.load(threads=1)


@pytest.fixture(scope="module")
def torch():
    pytest.importorskip("torch", reason="torch is not installed (make torch)")
    return back_ends.load("torch", threads=1, device="cpu")


def test_the_default_is_onnx_runtime_on_the_processor(onnx):
    assert (onnx.name, onnx.device, onnx.gradient) == ("onnx", "cpu", None)
    assert onnx.weights.tables.mean.shape == (3, 268)


@pytest.mark.parametrize("kind", SINGLE + COUPLE)
@pytest.mark.parametrize("frames", [16, 120, 400])
def test_they_agree_on_every_kind_of_observation(onnx, torch, kind, frames):
    for level in (0.0, 0.6, 0.99):
        x = network_input(kind, frames, onnx.weights.tables, level=level, seed=frames)
        ours, theirs = onnx(*x), torch(*x)
        assert ours.dtype == theirs.dtype == np.float32 and ours.shape == theirs.shape == x[0].shape
        assert np.abs(ours - theirs).max() < AGREEMENT
        assert np.abs(ours).max() > 0 or x[2].max() == 0


@pytest.mark.parametrize("kind", ["path", "whole partner"])
def test_they_agree_on_a_batch_of_takes_of_which_none_knows_of_the_others(onnx, torch, kind):
    noisy, given, free, level, present = network_input(kind, 60, onnx.weights.tables, batch=16)
    ours, theirs = (denoise(noisy, given, free, level, present) for denoise in (onnx, torch))
    assert np.abs(ours - theirs).max() < AGREEMENT
    alone = onnx(noisy[3:4], given[3:4], free[3:4], level, present[3:4])
    assert np.abs(alone - ours[3:4]).max() < AGREEMENT and np.abs(ours[3] - ours[12]).max() > AGREEMENT


def test_what_is_observed_is_answered_with_zero_by_both(onnx, torch):
    x = network_input("kept legs", 40, onnx.weights.tables)
    for denoise in (onnx, torch):
        assert (denoise(*x)[x[2] == 0] == 0).all()


def test_inputs_of_other_types_and_layouts_are_taken(onnx, torch):
    x = network_input("two paths", 24, onnx.weights.tables)
    other = [np.asarray(v, np.float64) for v in x]
    other[0] = np.asfortranarray(other[0])
    other[3] = np.float64(x[3])
    for denoise in (onnx, torch):
        assert np.abs(denoise(*other) - denoise(*x)).max() < 1e-6


def test_onnx_runtime_rests_between_two_calls():
    """Blender sits beside it: by default its threads would spin for 20 ms after every call."""
    denoise = back_ends.load(threads=2)
    x = network_input("two paths", 120, denoise.weights.tables)
    denoise(*x)
    spent = []
    for _ in range(5):
        denoise(*x)
        begun = time.process_time()
        time.sleep(0.05)
        spent.append(time.process_time() - begun)
    assert sorted(spent)[2] < 0.005


def test_an_unknown_back_end_is_named():
    with pytest.raises(BackendError, match=r"no back end named 'jax'. Choose one of: onnx, torch"):
        back_ends.load("jax")


def test_onnx_runtime_takes_no_other_device():
    with pytest.raises(BackendError, match=r"not on 'cuda'.*Choose the back end torch"):
        back_ends.load("onnx", device="cuda")


@pytest.mark.parametrize(("name", "package"), [("onnx", "onnxruntime"), ("torch", "torch")])
def test_a_missing_package_is_named_with_the_python_and_the_remedy(monkeypatch, name, package):
    real = builtins.__import__

    def without(wanted, *args, **kwargs):
        if wanted.split(".")[0] == package:
            raise ImportError(f"No module named '{package}'")
        return real(wanted, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with pytest.raises(BackendError, match=rf"by Python {version}.* on {sys.platform}.*{package}.*[Ii]nstall"):
        back_ends.load(name)


def test_a_torch_too_old_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="1.13.1+cpu"))
    with pytest.raises(BackendError, match=r"PyTorch 1.13.1.* too old: MotionDiff needs the package torch from 2.0"):
        back_ends.load("torch")


def test_damaged_weights_are_refused_before_anything_is_loaded(tmp_path):
    with pytest.raises(weights.WeightsError, match="is missing"):
        back_ends.load("torch", folder=tmp_path)
