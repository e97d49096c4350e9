"""Gives up the generation under way."""

import bpy

from .. import ids
from ..worker import job


class MOTIONDIFF_OT_cancel(bpy.types.Operator):
    """Stop generating. Nothing in the scene is changed"""

    bl_idname = ids.CANCEL
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, _context):
        if job.running() is None:
            cls.poll_message_set("Nothing is being generated")
            return False
        return True

    def execute(self, _context):
        job.running().cancel()
        return {"FINISHED"}
