"""The extension comes whole or not at all, and goes without a trace."""

import os
import subprocess
import sys
from importlib import import_module

import bpy
import pytest

import blender_motiondiff
from blender_motiondiff import ids

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASES = ("Operator", "Panel", "UIList", "PropertyGroup", "AddonPreferences", "Menu", "Header")


def classes():
    """Names of our classes that Blender knows."""
    found = (cls for base in BASES for cls in getattr(bpy.types, base).__subclasses__() if cls.is_registered)
    return sorted(cls.__name__ for cls in found if "motiondiff" in cls.__module__)


@pytest.fixture
def off(extension):
    """The extension switched off for the test, and on again."""
    extension.unregister()
    yield extension
    extension.unregister()
    extension.register()


def test_off_on_off(off):
    assert classes() == [] and not hasattr(bpy.types.Scene, ids.SCENE_PROPERTY)
    for _ in range(2):
        off.register()
        assert len(classes()) == 4 + 11 + 3 + 1
        assert hasattr(bpy.types.Scene, ids.SCENE_PROPERTY)
        off.unregister()
        assert classes() == [] and not hasattr(bpy.types.Scene, ids.SCENE_PROPERTY)


CASES = [(name, "module") for name in blender_motiondiff.MODULES]
CASES += [(name, "last class") for name in ("properties", "operators", "panels")]


@pytest.mark.parametrize("name, how", CASES)
def test_a_failure_undoes_what_was_registered_before_it(off, monkeypatch, name, how):
    module = import_module(f"blender_motiondiff.{name}")

    def fails(*_):
        raise RuntimeError(f"{name} can't be registered")

    if how == "module":
        monkeypatch.setattr(module, "register", fails)
    else:
        monkeypatch.setattr(module, "CLASSES", (*module.CLASSES, type("NoClassOfBlender", (), {})))
    with pytest.raises((RuntimeError, ValueError)):
        off.register()
    assert classes() == [] and not hasattr(bpy.types.Scene, ids.SCENE_PROPERTY)
    monkeypatch.undo()
    off.register()
    assert len(classes()) == 19


def test_one_module_that_cant_leave_keeps_no_other(off, monkeypatch):
    from blender_motiondiff import operators, panels

    off.register()
    own = panels.unregister

    def fails():
        own()
        raise RuntimeError("the panels stay")

    monkeypatch.setattr(panels, "unregister", fails)
    with pytest.raises(RuntimeError, match="the panels stay"):
        off.unregister()
    assert classes() == []
    assert operators.CLASSES


def test_switching_off_ends_the_worker(solo, worker, extension):
    from blender_motiondiff.worker import client

    bpy.ops.motiondiff.generate()
    process = client._warm._process
    assert process.poll() is None
    extension.unregister()
    try:
        assert process.poll() is not None
        assert client._warm is None
    finally:
        extension.register()


def test_every_id_stands_once():
    names = [value for name, value in vars(ids).items() if name.isupper()]
    assert len(set(names)) == len(names)
    package = os.path.join(ROOT, "blender_motiondiff")
    for folder, _, files in os.walk(package):
        for name in files:
            if name.endswith(".py") and name != "ids.py":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                again = [value for value in names if "." in value and value in text]
                assert not again, (name, again)


def test_tooltips_and_labels_follow_blenders_habits(extension):
    from blender_motiondiff import operators

    for cls in operators.CLASSES:
        assert cls.__doc__ and not cls.__doc__.strip().endswith("."), cls
        assert cls.bl_label == cls.bl_label.title().replace(" To ", " to ").replace("Nla", "NLA"), cls


def test_the_package_is_imported_without_blender():
    code = (
        "import sys; sys.modules['bpy'] = sys.modules['mathutils'] = None; import blender_motiondiff;"
        "import blender_motiondiff.worker.server, blender_motiondiff.worker.client, blender_motiondiff.worker.job"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_onnx_runtime_is_not_imported_in_blender(solo, worker):
    bpy.ops.motiondiff.generate()
    assert "onnxruntime" not in sys.modules and "torch" not in sys.modules
