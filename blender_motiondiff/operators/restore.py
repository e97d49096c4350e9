"""Gives the characters back what they had."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import nla
from .common import may_change_clip, perform


class MOTIONDIFF_OT_restore(bpy.types.Operator):
    """Give the characters back the action and settings from before the first take was shown. The takes are kept"""

    bl_idname = ids.RESTORE
    bl_label = "Restore"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        if not len(active_clip(context.scene).previous):
            cls.poll_message_set("The characters have the animation from before already")
            return False
        return True

    def execute(self, context):
        return perform(self, context, _restore)


def _restore(_scene, clip):
    warnings = nla.restore(clip)
    clip.accepted = False
    return f"The characters of {clip.name} have the animation from before", warnings
