"""The zip in a clean profile: installed, off, on, off, and nothing left behind."""

import json

import pytest

from tools.build_zip import SOURCE

pytest.importorskip("bpy", reason="Blender's module is not installed here")


def has_weights():
    """Whether the source tree holds weights, and so the zip."""
    return any(SOURCE.glob("core/denoiser/weights/*/model.safetensors"))


@pytest.fixture(scope="module")
def steps(built_zip, run_python, tmp_path_factory):
    output = run_python("profile_cycle.py", built_zip, tmp_path_factory.mktemp("profile"))
    line = next(line for line in output.splitlines() if line.startswith("STEPS "))
    return json.loads(line.removeprefix("STEPS "))


def test_enabling_adds_classes_and_properties(steps):
    added = set(steps["on"]["classes"]) - set(steps["clean"]["classes"])
    assert any("MOTIONDIFF" in name.upper() for name in added), f"classes that came with the extension: {sorted(added)}"
    assert steps["on"]["properties"]


@pytest.mark.parametrize("kind", ["classes", "handlers", "keymap", "properties", "timers", "children"])
@pytest.mark.parametrize("step", ["off", "off again"])
def test_disabling_leaves_nothing(steps, step, kind):
    assert steps[step][kind] == steps["clean"][kind]


@pytest.mark.parametrize("kind", ["classes", "handlers", "keymap", "properties", "timers", "children"])
def test_enabling_again_is_the_same_as_the_first_time(steps, kind):
    assert steps["on again"][kind] == steps["on"][kind]


def test_no_handler_timer_or_process_while_idle(steps):
    for kind in ("handlers", "timers", "children"):
        assert steps["on"][kind] == steps["clean"][kind]


def test_onnx_runtime_is_the_one_of_the_zip(steps):
    assert steps["onnxruntime"].startswith(steps["profile"])


def test_a_worker_that_generates_ends_with_the_extension(steps):
    if not has_weights():
        pytest.skip("no weights in core/denoiser/weights yet: train and export them first")
    assert steps["worker"]["refusal"] == ""
    assert len(steps["worker"]["children"]) == len(steps["clean"]["children"]) + 1
    assert steps["off again"]["children"] == steps["clean"]["children"]


def test_the_network_s_libraries_stay_out_of_blender_s_process(steps):
    assert steps["imported"] == []
