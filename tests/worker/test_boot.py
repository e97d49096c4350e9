"""The worker as it is started in Blender: by boot.py, isolated, from a folder of any name."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec

import pytest

from blender_motiondiff.core.denoiser import weights as files
from blender_motiondiff.core.diffusion.generate import TOGETHER
from blender_motiondiff.core.features import SIZE
from blender_motiondiff.core.reference import GIVEN
from blender_motiondiff.worker import boot, client
from blender_motiondiff.worker.job import Job, State

from .conftest import a_request, settings_for

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(boot.__file__)))


def booted(tmp_path, weights, **changes):
    """Settings of a worker started by the product's own boot.py."""
    settings = replace(settings_for({}, tmp_path / "worker.log"), boot=boot.__file__, weights=str(weights))
    return replace(settings, **changes)


def answer(settings):
    """The job that a worker with these settings made of a small request."""
    worker = client.Worker(settings)
    try:
        job = Job(worker, a_request())
        job.wait()
        return job
    finally:
        worker.stop()


def a_weights_folder(folder):
    """Files that pass every check up to the graph, with made-up numbers."""
    folder.mkdir()
    (folder / files.MODEL).write_bytes(bytes(range(256)) * 8)
    (folder / files.GRAPH).write_bytes(b"no graph")
    write_config(folder)
    return folder


def write_config(folder, **changes):

    sums = {name: files.checksum(folder / name) for name in (files.MODEL, files.GRAPH)}
    config = {"layout": files.LAYOUT, "features": SIZE, "given": GIVEN, "sha256": sums, **changes}
    (folder / files.CONFIG).write_text(json.dumps(config))


def test_missing_weights_are_named(tmp_path):
    job = answer(booted(tmp_path, tmp_path / "nowhere"))
    assert job.state is State.FAILED
    assert str(tmp_path / "nowhere" / files.CONFIG) in job.message and "missing" in job.message


@pytest.mark.parametrize("name", [files.MODEL, files.GRAPH])
@pytest.mark.parametrize("how", ["truncated", "altered", "missing"])
def test_damaged_weights_are_named(tmp_path, name, how):
    folder = a_weights_folder(tmp_path / "weights")
    content = (folder / name).read_bytes()
    if how == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content[:-1] if how == "truncated" else b"X" + content[1:])
    job = answer(booted(tmp_path, folder))
    assert job.state is State.FAILED
    assert str(folder / name) in job.message
    assert ("missing" if how == "missing" else "damaged") in job.message
    assert "preferences" in job.message


def test_weights_of_another_layout_are_refused(tmp_path):
    folder = a_weights_folder(tmp_path / "weights")
    write_config(folder, layout=files.LAYOUT + 1)
    assert "another version" in answer(booted(tmp_path, folder)).message


def test_the_extension_is_found_in_a_folder_of_any_name(tmp_path):
    """And neither the worker nor what it imports asks for Blender."""
    folder = tmp_path / "user default" / "motion-diff 2"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "wheels"))
    job = answer(booted(tmp_path, tmp_path / "nowhere", boot=str(folder / "worker" / "boot.py")))
    assert "missing" in job.message, job.message


def test_the_worker_imports_no_blender(tmp_path):
    script = tmp_path / "look.py"
    script.write_text(
        f"import sys; sys.argv[1:] = ['w', '1']\nsys.path.insert(0, {os.path.dirname(boot.__file__)!r})\nimport boot\n"
        "boot.import_extension()\nimport motiondiff.worker.server, motiondiff.core.denoiser.onnx_backend\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'bpy', 'mathutils', 'onnxruntime', 'torch'}))\n"
    )
    found = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "[]", found.stderr


def test_without_onnx_runtime_the_wheel_the_python_and_the_remedy_are_named(tmp_path):
    """The interpreter's own packages are hidden; NumPy is handed over as a folder, as in Blender."""
    import numpy

    only_numpy = tmp_path / "site"
    only_numpy.mkdir()
    source = os.path.dirname(os.path.dirname(numpy.__file__))
    for name in os.listdir(source):
        if name == "numpy" or name.startswith("numpy.libs"):
            (only_numpy / name).symlink_to(os.path.join(source, name))
    (tmp_path / "weights").mkdir()
    settings = booted(tmp_path, whole_weights(tmp_path / "good"), arguments=("-I", "-S"), sites=(str(only_numpy),))
    job = answer(settings)
    assert job.state is State.FAILED
    version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    assert f"onnxruntime-*-{version}" in job.message
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]}" in job.message
    assert "install the MotionDiff zip" in job.message


def whole_weights(folder):
    """A folder that passes the checks of the numbers as well: tables of zeros, and no graph."""
    import numpy as np

    a_weights_folder(folder)
    tables = {f"tables.{name}": np.zeros(1, np.float32) for name in ("mean", "deviation", "spread")}
    files.write_tensors(folder / files.MODEL, tables)
    write_config(folder)
    return folder


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
def test_a_graph_that_cant_be_loaded_is_named(tmp_path):
    folder = whole_weights(tmp_path / "weights")
    job = answer(booted(tmp_path, folder))
    assert job.state is State.FAILED
    assert str(folder / files.GRAPH) in job.message


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs ONNX Runtime")
def test_many_takes_have_helpers_that_end_with_the_worker(tmp_path):
    settings = booted(tmp_path, files.BUNDLED, threads=2)
    site = os.path.dirname(os.path.dirname(find_spec("onnxruntime").origin))
    worker = client.Worker(replace(settings, sites=(site,)))
    try:
        job = Job(worker, a_request(takes=2 * TOGETHER))
        assert job.wait() is State.DONE, job.message
        assert len(job.takes) == 2 * TOGETHER
        helpers = children(worker.pid)
        assert helpers
    finally:
        worker.stop()
    until = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in helpers):
        assert time.monotonic() < until, "helpers go on without the worker"
        time.sleep(0.05)
    assert "Error" not in (tmp_path / "worker.log").read_text()


def children(pid):
    """Processes that a process has started; none where there is no /proc."""
    if not os.path.isdir("/proc"):
        pytest.skip("needs /proc")
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(number) for number in file.read().split()]


def test_a_python_without_numpy_is_reported_with_its_last_words(tmp_path):
    job = answer(booted(tmp_path, tmp_path / "weights", arguments=("-I", "-S")))
    assert job.state is State.FAILED
    assert "No module named 'numpy'" in job.message and "worker.log" in job.message


def test_sites_come_behind_the_standard_library_and_before_own_packages(monkeypatch):
    monkeypatch.setattr(sys, "path", ["/lib/python3.11", "/lib/python3.11/site-packages"])
    boot.add_sites(["/wheels", "/lib/python3.11"])
    assert sys.path == ["/lib/python3.11", "/wheels", "/lib/python3.11/site-packages"]
