"""The modal side of generating, driven by events made here: a real job, a real scene, no window.

Operators can't be made by hand, so what they are made of is driven: the class that both verbs mix in.
"""

import time
from types import SimpleNamespace

import bpy
import pytest

from blender_motiondiff.operators.generation import Generating
from blender_motiondiff.scene import read
from blender_motiondiff.worker import job

from .conftest import everything, new_clip


class Pressed(Generating):
    """Generate without Blender's operator around it."""

    read = staticmethod(read.read_generate)

    def __init__(self):
        self.reports = []

    def characters(self, clip):
        return [clip.character_a]

    def report(self, kinds, text):
        self.reports.append((*kinds, text))


def event(kind, value="NOTHING", **held):
    return SimpleNamespace(type=kind, value=value, ctrl=held.get("ctrl", False), oskey=held.get("oskey", False))


TICK = event("TIMER")


@pytest.fixture
def start(solo, worker):
    """A function that starts generating as invoke() does in a window."""
    pressed = []

    def begin(**manner):
        worker(**manner)
        it = Pressed()
        assert it._begin(bpy.context) == {"FINISHED"}
        it._timer = bpy.context.window_manager.event_timer_add(0.1, window=bpy.context.window_manager.windows[0])
        pressed.append(it)
        return it

    yield begin
    for it in pressed:
        it._job.cancel()


def run(it, seconds=15.0):
    """Ticks until the operator ends."""
    end = time.monotonic() + seconds
    while (result := it.modal(bpy.context, TICK)) == {"PASS_THROUGH"}:
        assert time.monotonic() < end
        time.sleep(0.01)
    return result


def test_ticks_lead_to_takes(start, solo):
    it = start(steps=4, step_seconds=0.05)
    assert job.running() is it._job
    assert it.modal(bpy.context, event("MOUSEMOVE")) == {"PASS_THROUGH"}
    assert run(it) == {"FINISHED"}
    assert len(solo.results) == 1 and job.running() is None
    assert it.reports[-1][0] == "INFO" and "1 take is generated for Clip" in it.reports[-1][1]


def test_a_tick_never_waits(start):
    it = start(steps=3, step_seconds=0.6)
    longest = 0.0
    while it._job.active and it._job.share < 0.5:
        began = time.monotonic()
        it.modal(bpy.context, TICK)
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.01)
    assert longest < 0.3


def test_a_second_press_is_refused_and_says_how_to_end_the_first(start):
    start(steps=100, step_seconds=0.05)
    before = everything()
    for operator in (bpy.ops.motiondiff.generate, bpy.ops.motiondiff.generate_partner, bpy.ops.motiondiff.bake):
        with pytest.raises(RuntimeError, match=r"already generating\. Press Esc to cancel it"):
            operator()
    assert everything() == before


def test_esc_cancels_and_changes_nothing(start):
    before = everything()
    it = start(steps=100, step_seconds=0.05)
    while it._job.state is not job.State.RUNNING:
        it.modal(bpy.context, TICK)
    assert it.modal(bpy.context, event("ESC", "PRESS")) == {"CANCELLED"}
    assert it.reports == [("INFO", "Generation cancelled. Nothing was changed")]
    assert job.running() is None and everything() == before


def test_cancel_button_cancels(start):
    before = everything()
    it = start(steps=100, step_seconds=0.05)
    assert bpy.ops.motiondiff.cancel() == {"FINISHED"}
    assert it.modal(bpy.context, TICK) == {"CANCELLED"}
    assert everything() == before
    with pytest.raises(RuntimeError, match="Nothing is being generated"):
        bpy.ops.motiondiff.cancel()


def test_after_cancelling_the_next_press_gets_its_own_answer(start, solo):
    solo.seed = 1
    first = start(steps=1, step_seconds=0.5)
    while first._job.state is not job.State.RUNNING:
        first.modal(bpy.context, TICK)
    first.modal(bpy.context, event("ESC", "PRESS"))
    solo.seed = 2
    second = Pressed()
    second._begin(bpy.context)
    second._timer = bpy.context.window_manager.event_timer_add(0.1, window=bpy.context.window_manager.windows[0])
    assert run(second) == {"FINISHED"}
    assert second._job.takes[0].motions[0].root[0, 0] == 2.0
    assert len(solo.results) == 1


@pytest.mark.parametrize("held", [{"ctrl": True}, {"oskey": True}])
def test_undo_is_swallowed_while_it_runs(start, held):
    it = start(steps=100, step_seconds=0.05)
    assert it.modal(bpy.context, event("Z", "PRESS", **held)) == {"RUNNING_MODAL"}
    assert it.modal(bpy.context, event("Z", "PRESS")) == {"PASS_THROUGH"}
    assert it._job.active


def test_another_file_ends_it(start):
    """Blender calls cancel() of a modal operator when a file is loaded or its window closes."""
    it = start(steps=100, step_seconds=0.05)
    it.cancel(bpy.context)
    assert job.running() is None and it._job.state is job.State.CANCELLED


def test_the_clip_removed_while_it_runs_drops_the_takes(start):
    it = start(steps=2, step_seconds=0.1)
    bpy.context.scene.motiondiff.clips.clear()
    assert run(it) == {"CANCELLED"}
    assert it.reports[-1][0] == "ERROR" and "Clip is gone" in it.reports[-1][1]
    assert len(bpy.data.actions) == 0


def test_undo_while_it_runs_lands_on_the_clip_looked_up_anew(start, solo):
    bpy.ops.ed.undo_push(message="before")
    solo.name = "Clip"
    bpy.context.scene.frame_set(9)
    bpy.ops.ed.undo_push(message="frame")
    it = start(steps=2, step_seconds=0.1)
    bpy.ops.ed.undo()
    assert run(it) == {"FINISHED"}, it.reports
    assert len(bpy.context.scene.motiondiff.clips[0].results) == 1


def test_another_scene_or_clip_in_front_does_not_get_the_takes(start, solo):
    it = start(steps=2, step_seconds=0.1)
    other = new_clip(character_a=solo.character_a)
    other.name = "Other"
    assert run(it) == {"FINISHED"}
    clips = bpy.context.scene.motiondiff.clips
    assert [len(c.results) for c in clips] == [1, 0]


def test_a_dying_worker_ends_it_with_its_message(start, tmp_path):
    before = everything()
    it = start(dies_at=1, step_seconds=0.05)
    assert run(it) == {"CANCELLED"}
    assert it.reports[-1][0] == "ERROR" and "exit status 7" in it.reports[-1][1]
    assert job.running() is None and everything() == before
