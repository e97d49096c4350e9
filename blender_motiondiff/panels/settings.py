"""Settings that are rarely changed."""

import bpy

from .. import ids
from ..properties import active_clip


class MOTIONDIFF_PT_settings(bpy.types.Panel):
    """Words, steps, ground and feet of the active clip."""

    bl_idname = ids.PANEL_SETTINGS
    bl_label = "Settings"
    bl_parent_id = ids.PANEL
    bl_category = ids.TAB
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        return active_clip(context.scene) is not None

    def draw(self, context):
        """The fields, one below the other."""
        clip = active_clip(context.scene)
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(clip, "words")
        row = column.row()
        row.active = bool(clip.words.strip())
        row.prop(clip, "text_guidance")
        column.prop(clip, "steps")
        column.prop(clip, "ground")
        column.prop(clip, "cleanup")
