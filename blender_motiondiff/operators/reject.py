"""Throws the takes away."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import nla
from .common import may_change_clip, perform


class MOTIONDIFF_OT_reject(bpy.types.Operator):
    """Remove the clip's takes and give the characters back the animation from before they were generated"""

    bl_idname = ids.REJECT
    bl_label = "Reject"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        if not len(active_clip(context.scene).results):
            cls.poll_message_set("The clip has no takes")
            return False
        return True

    def execute(self, context):
        return perform(self, context, _reject)


def _reject(_scene, clip):
    shown = clip.shown >= 0
    warnings = nla.reject(clip)
    if clip.leader is None:
        return f"The takes of {clip.name} are removed", warnings
    item = clip.results.add()
    item.name, item.action, item.report = "Take 1", clip.leader, clip.leader_report
    clip.leader, clip.leader_report = None, ""
    if shown:
        warnings = warnings + nla.show(clip, item.action)
        clip.shown, clip.accepted = 0, True
    return f"The partner's takes of {clip.name} are removed; the take that they reacted to is kept", warnings
