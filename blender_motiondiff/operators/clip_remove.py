"""Removes a clip from the list."""

import bpy

from .. import ids
from ..properties import SCENE_PROPERTY, active_clip
from .common import may_change_clip, perform


class MOTIONDIFF_OT_clip_remove(bpy.types.Operator):
    """Remove the active clip from the list. Characters, path and actions stay as they are"""

    bl_idname = ids.CLIP_REMOVE
    bl_label = "Remove Clip"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        if len(active_clip(context.scene).previous):
            cls.poll_message_set("The clip holds the animation from before. Press Reject or Restore first")
            return False
        return True

    def execute(self, context):
        return perform(self, context, _remove)


def _remove(scene, _clip):
    data = getattr(scene, SCENE_PROPERTY)
    data.clips.remove(data.active_clip)
    data.active_clip = max(0, min(data.active_clip, len(data.clips) - 1))
    return "", ()
