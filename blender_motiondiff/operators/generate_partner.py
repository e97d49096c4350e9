"""Character B, reacting to A."""

import bpy

from .. import ids
from ..properties import active_clip
from ..scene import read
from .generation import Generating


class MOTIONDIFF_OT_generate_partner(Generating, bpy.types.Operator):
    """Generate takes of character B that react to the animation of character A"""

    bl_idname = ids.GENERATE_PARTNER
    bl_label = "Generate Partner"

    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        clip = active_clip(context.scene)
        for role, armature in (("A", clip.character_a), ("B", clip.character_b)):
            if armature is None:
                cls.poll_message_set(f"No armature is chosen as character {role}. Choose one in the clip")
                return False
        return True

    def read(self, scene, clip):
        return read.read_partner(scene, clip)

    def characters(self, clip):
        return [clip.character_a, clip.character_b]
