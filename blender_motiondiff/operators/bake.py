"""Puts the shown take into the NLA."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import nla
from .common import may_change_clip, perform


class MOTIONDIFF_OT_bake(bpy.types.Operator):
    """Put the shown take on an NLA track of its own for each character. Restore takes it back"""

    bl_idname = ids.BAKE
    bl_label = "Bake to NLA"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        clip = active_clip(context.scene)
        if not len(clip.results):
            cls.poll_message_set("The clip has no takes. Generate some first")
            return False
        if clip.baked:
            cls.poll_message_set("The clip is baked already. Restore it, or show another take, to bake again")
            return False
        return True

    def execute(self, context):
        return perform(self, context, _bake)


def _bake(scene, clip):
    warnings = nla.bake(scene, clip)
    clip.shown = max(clip.shown, 0)
    return f"{clip.results[clip.shown].name} is on NLA tracks of its own", warnings
