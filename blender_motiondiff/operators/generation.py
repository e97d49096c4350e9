"""How *Generate* and *Generate Partner* run: one job, driven by a timer in the window or by a loop in scripts."""

import time

import bpy

from .. import preferences
from ..worker import client, job
from . import landing
from .common import may_change_clip, perform

_TICK = 0.1  # seconds between two looks at the job


class Generating:
    """Mixed into an operator that has `read(scene, clip)` -> Request and `characters(clip)` -> armatures.

    It reads, lets the worker generate, and lands the takes. Undo, removal or another file may come in between, so no
    reference to Blender's data is kept meanwhile.
    """

    bl_options = {"UNDO"}
    _job = _target = _timer = None
    _since = _read_seconds = 0.0

    @classmethod
    def poll(cls, context):
        return may_change_clip(cls, context)

    def invoke(self, context, _event):
        """In a window: starts, and returns at once."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        if self._begin(context) == {"CANCELLED"}:
            return {"CANCELLED"}
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK, window=context.window)
        manager.progress_begin(0, 100)
        context.workspace.status_text_set("Generating.  Esc: cancel")
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        """Looks at the job with each tick; everything but Esc and undo passes through."""
        if self._job.active and event.value == "PRESS":
            if event.type == "ESC":
                self._job.cancel()
            elif event.type == "Z" and (event.ctrl or event.oskey):
                self.report({"WARNING"}, "Undo waits until the generation is over. Press Esc to cancel it")
                return {"RUNNING_MODAL"}
        elif event.type == "TIMER" and self._job.active:
            self._look(context)
        if self._job.active:
            return {"PASS_THROUGH"}
        self._leave(context)
        return self._end(context)

    def cancel(self, context):
        """Called by Blender when the window closes or another file is loaded."""
        self._job.cancel()
        self._leave(context)

    def execute(self, context):
        """In scripts and in background: the same job, waited for."""
        if self._begin(context) == {"CANCELLED"}:
            return {"CANCELLED"}
        try:
            self._job.wait()
        finally:
            self._job.cancel()  # only where the wait was interrupted
        return self._end(context)

    def _begin(self, context):
        def begin(scene, clip):
            self._since = time.monotonic()
            self._target = landing.target_of(scene, clip)
            request = self.read(scene, clip)
            self._read_seconds = time.monotonic() - self._since
            self._job = job.begin(client.warm(preferences.worker_settings()), request)
            if self._job.state is job.State.FAILED:
                raise client.WorkerError(self._job.message)
            return "", ()

        return perform(self, context, begin)

    def _look(self, context):
        shown = (self._job.share, self._job.stage)
        self._job.step()
        if (self._job.share, self._job.stage) != shown:
            context.window_manager.progress_update(100 * self._job.share)
            redraw(context)

    def _leave(self, context):
        manager = context.window_manager
        manager.event_timer_remove(self._timer)
        manager.progress_end()
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        redraw(context)

    def _end(self, context):
        if self._job.state is job.State.CANCELLED:
            self.report({"INFO"}, "Generation cancelled. Nothing was changed")
            return {"CANCELLED"}
        return perform(self, context, lambda *_: self._land())

    def _land(self):
        if self._job.state is job.State.FAILED:
            raise client.WorkerError(self._job.message)
        scene, clip = landing.find(bpy.data.scenes, self._target)
        seconds = {"read": self._read_seconds, **self._job.seconds}
        extras = {"worker_peak_mb": self._job.worker_peak_mb, "seconds": seconds}
        warnings = landing.land(scene, clip, self.characters(clip), self._job.takes, extras)
        count, passed = len(self._job.takes), time.monotonic() - self._since
        takes = "1 take is" if count == 1 else f"{count} takes are"
        return f"{takes} generated for {clip.name} in {passed:.1f} s; the first is shown", warnings


def redraw(context):
    """Has the sidebars drawn again."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
