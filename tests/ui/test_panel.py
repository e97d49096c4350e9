"""The panel draws from properties and from the running job, and does nothing else.

Blender lays panels out only in a window, so a layout that writes down what it is told stands in for Blender's.
"""

import builtins
import importlib.util
import os
import subprocess
import time
from contextlib import contextmanager
from types import SimpleNamespace

import bpy
import pytest

from blender_motiondiff import operators
from blender_motiondiff.panels.clips import MOTIONDIFF_PT_main, MOTIONDIFF_UL_clips
from blender_motiondiff.panels.settings import MOTIONDIFF_PT_settings
from blender_motiondiff.worker import job

from .conftest import everything


class Layout:
    """What a panel may ask of UILayout; checks that operators and properties exist, and keeps the words."""

    def __init__(self, words=None):
        self.words = [] if words is None else words

    def row(self, **_):
        return Layout(self.words)

    column = row

    def label(self, text="", icon="NONE"):
        assert icon in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items
        self.words.append(text)

    def prop(self, data, name, text=None, icon="NONE", emboss=True):
        assert name in data.bl_rna.properties, name
        assert icon in bpy.types.UILayout.bl_rna.functions["prop"].parameters["icon"].enum_items
        self.words.append(data.bl_rna.properties[name].name if text is None else text)

    def operator(self, idname, text=None, icon="NONE", depress=False):
        module, name = idname.split(".")
        rna = getattr(getattr(bpy.ops, module), name).get_rna_type()
        assert icon in bpy.types.UILayout.bl_rna.functions["operator"].parameters["icon"].enum_items
        self.words.append(rna.name if text is None else text)
        return type("Properties", (), {})()

    def template_list(self, listtype, list_id, data, collection, active_data, active, rows=5):
        assert issubclass(getattr(bpy.types, listtype), bpy.types.UIList)
        for item in getattr(data, collection):
            MOTIONDIFF_UL_clips.draw_item(None, bpy.context, self, data, item, 0, active_data, active)

    def progress(self, factor=0.0, text=""):
        self.words += [f"{factor:.2f}", text]


class Context:
    """Blender's context with a sidebar's region, and the interface's scale that background lacks."""

    region = SimpleNamespace(width=280)
    preferences = SimpleNamespace(system=SimpleNamespace(ui_scale=1.0))

    def __getattr__(self, name):
        return getattr(bpy.context, name)


def drawn():
    """The words on the panels."""
    layout = Layout()
    for panel in (MOTIONDIFF_PT_main, MOTIONDIFF_PT_settings):
        if not hasattr(panel, "poll") or panel.poll(bpy.context):
            panel.draw(type("Drawn", (), {"layout": layout})(), Context())
    return layout.words


def test_before_there_is_a_clip_there_is_one_button(scene):
    assert drawn() == ["Add Clip"]


def test_a_clip_in_the_order_of_work(solo):
    words = drawn()
    wanted = ["A", "Path", "Edit Path", "Start", "End", "Seed", "Takes", "Generate", "Generate Partner", "Steps"]
    assert [w for w in words if w in wanted] == wanted
    assert "Accept" not in words
    assert any("Rigify" in w for w in words)


def test_takes_and_their_buttons(solo, worker):
    solo.takes = 2
    bpy.ops.motiondiff.generate()
    words = drawn()
    assert "Take 1 of 2" in words
    assert [w for w in words if w in ("Accept", "Reject", "Bake to NLA", "Restore")] == [
        "Accept",
        "Reject",
        "Bake to NLA",
        "Restore",
    ]


def test_progress_and_cancel_while_it_runs(solo, worker, monkeypatch):
    class Running:
        share, stage = 0.4, "Generating"

    monkeypatch.setattr(job, "running", Running)
    words = drawn()
    assert "0.40" in words and "Generating" in words and "Cancel" not in words
    assert "Generate" not in words


def test_the_button_of_the_path_says_what_it_will_do(solo):
    assert "Edit Path" in drawn()
    solo.path = None
    assert "Draw Path" in drawn()


def test_a_newer_file_says_so(solo):
    bpy.context.scene.motiondiff.schema = 99
    assert "newer MotionDiff" in " ".join(drawn())


def test_an_unknown_rig_says_what_is_missing(solo):
    solo.character_a.data.bones["shin.L"].name = "piece"
    solo.character_a = solo.character_a
    assert "shin.L" in " ".join(drawn())


@contextmanager
def no_work():
    """Inside, whatever would be work fails: files, processes, look-ups of packages, mapping of rigs."""
    from blender_motiondiff import properties
    from blender_motiondiff.scene import retarget, rig_maps

    def works(*_, **__):
        raise AssertionError("this is work")

    with pytest.MonkeyPatch.context() as patch:  # undone before pytest itself looks at files again
        for owner, name in (
            (rig_maps, "map_rig"), (properties, "map_rig"), (retarget, "body_of"), (retarget, "read_motion"),
            (importlib.util, "find_spec"), (os, "stat"), (os, "scandir"), (os, "listdir"), (subprocess, "Popen"),
            (builtins, "open"), (job.Job, "step"),
        ):  # fmt: skip
            patch.setattr(owner, name, works)
        yield


def test_drawing_and_polling_is_no_work(solo, worker):
    solo.takes = 16
    bpy.ops.motiondiff.generate()
    before = everything()
    with no_work():
        began = time.process_time()
        for _ in range(100):
            words = drawn()
        passed = time.process_time() - began
        for cls in operators.CLASSES:
            cls.poll(bpy.context)
    assert words and everything() == before
    assert passed / 100 < 0.01


def test_what_counts_as_work_is_noticed(solo):
    with no_work(), pytest.raises(AssertionError, match="this is work"):
        solo.character_a = solo.character_a
        importlib.util.find_spec("onnxruntime")
