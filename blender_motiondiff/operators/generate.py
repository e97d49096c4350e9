"""Character A alone, along its path and through its keys."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import read
from .generation import Generating


class MOTIONDIFF_OT_generate(Generating, bpy.types.Operator):
    """Generate takes of character A, along the path and through the keyed poses of its own action"""

    bl_idname = ids.GENERATE
    bl_label = "Generate"

    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        if active_clip(context.scene).character_a is None:
            cls.poll_message_set("No armature is chosen as character A. Choose one in the clip")
            return False
        return True

    def read(self, scene, clip):
        return read.read_generate(scene, clip)

    def characters(self, clip):
        return [clip.character_a]
