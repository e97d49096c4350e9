"""Keeps the shown take."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import nla
from .common import may_change_clip, perform


class MOTIONDIFF_OT_accept(bpy.types.Operator):
    """Keep the shown take and remove the clip's other takes"""

    bl_idname = ids.ACCEPT
    bl_label = "Accept"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        clip = active_clip(context.scene)
        if not 0 <= clip.shown < len(clip.results):
            cls.poll_message_set("No take is shown. Generate, or show one")
            return False
        if clip.accepted:
            cls.poll_message_set("This take is accepted already. Bake it, or generate again")
            return False
        return True

    def execute(self, context):
        return perform(self, context, lambda _, clip: (_accept(clip), ()))


def _accept(clip):
    kept = clip.results[clip.shown].name
    others = [item.action for i, item in enumerate(clip.results) if i != clip.shown and item.action is not None]
    for index in reversed(range(len(clip.results))):
        if index != clip.shown:
            clip.results.remove(index)
    clip.shown, clip.accepted = 0, True
    for action in others:
        nla.remove_unused(action)
    return f"{kept} of {clip.name} is kept"
