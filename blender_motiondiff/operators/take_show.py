"""Shows another take on the characters."""

import bpy
from bpy.props import IntProperty

from .. import ids
from ..properties import active_clip
from ..scene import nla
from ..scene.errors import SceneError
from .common import may_change_clip, perform


class MOTIONDIFF_OT_take_show(bpy.types.Operator):
    """Show the next or the previous take of the active clip on its characters"""

    bl_idname = ids.TAKE_SHOW
    bl_label = "Show Take"
    bl_options = {"UNDO"}

    step: IntProperty(name="Step", description="1 for the next take, -1 for the one before", default=1)

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        if not len(active_clip(context.scene).results):
            cls.poll_message_set("The clip has no takes. Generate some first")
            return False
        return True

    def execute(self, context):
        return perform(self, context, lambda _, clip: ("", _show(clip, self.step)))


def _show(clip, step):
    count = len(clip.results)
    index = (clip.shown + step) % count if clip.shown >= 0 else 0 if step > 0 else count - 1
    item = clip.results[index]
    if item.action is None:
        clip.shown = index  # so that the ones behind it can be reached
        raise SceneError(f"The action of {item.name} was deleted. Choose another take, or generate again.")
    warnings = nla.show(clip, item.action)
    clip.shown = index
    return warnings
