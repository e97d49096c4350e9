"""The tab's main panel, read downwards in the order of work."""

import textwrap

import bpy

from .. import ids, preferences
from ..properties import SCENE_PROPERTY, active_clip, is_newer
from ..worker import job

_TALL = 1.2  # height of the buttons that generate, against others


class MOTIONDIFF_UL_clips(bpy.types.UIList):
    """The clips: name and frames."""

    def draw_item(self, _context, layout, _data, item, _icon, _active_data, _active_property):
        """One line."""
        row = layout.row()
        row.prop(item, "name", text="", emboss=False, icon="ACTION")
        frames = row.row()
        frames.alignment = "RIGHT"
        frames.label(text=f"{item.frame_start} \u2013 {item.frame_end}")


class MOTIONDIFF_PT_main(bpy.types.Panel):
    """Clips, what they ask for, and their takes."""

    bl_idname = ids.PANEL
    bl_label = "MotionDiff"
    bl_category = ids.TAB
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"

    def draw(self, context):
        """The whole panel."""
        layout = self.layout
        if is_newer(context.scene):
            _text(context, layout, "The clips were saved by a newer MotionDiff. Update it to change them.", "ERROR")
        if not len(getattr(context.scene, SCENE_PROPERTY).clips):
            layout.operator(ids.CLIP_ADD, icon="ADD")
            return
        _draw_list(context, layout)
        clip = active_clip(context.scene)
        if clip is None:
            return
        _draw_characters(context, layout, clip)
        _draw_path(layout, clip)
        _draw_numbers(layout, clip)
        _draw_generate(layout)
        _text(context, layout, preferences.engine(), "INFO")
        if len(clip.results):
            _draw_takes(layout, clip)
        elif len(clip.previous):
            layout.operator(ids.RESTORE)


def _draw_list(context, layout):
    data = getattr(context.scene, SCENE_PROPERTY)
    row = layout.row()
    row.template_list(ids.CLIP_LIST, "", data, "clips", data, "active_clip", rows=2)
    column = row.column(align=True)
    column.operator(ids.CLIP_ADD, text="", icon="ADD")
    column.operator(ids.CLIP_REMOVE, text="", icon="REMOVE")


def _draw_characters(context, layout, clip):
    column = layout.column()
    for name, text in (("a", "A"), ("b", "B")):
        column.prop(clip, f"character_{name}", text=text, icon="ARMATURE_DATA")
        status = getattr(clip, f"rig_{name}")
        if status:
            _text(context, column, status, "NONE")


def _draw_path(layout, clip):
    row = layout.row(align=True)
    row.prop(clip, "path", text="Path", icon="CURVE_DATA")
    drawing = clip.path is not None and clip.path.mode == "EDIT"
    text = "Finish Path" if drawing else "Draw Path" if clip.path is None else "Edit Path"
    layout.operator(ids.DRAW_PATH, text=text, icon="CHECKMARK" if drawing else "GREASEPENCIL", depress=drawing)


def _draw_numbers(layout, clip):
    row = layout.row(align=True)
    row.prop(clip, "frame_start")
    row.prop(clip, "frame_end")
    row = layout.row(align=True)
    row.prop(clip, "seed")
    row.prop(clip, "takes")


def _draw_generate(layout):
    running = job.running()
    if running is not None:
        row = layout.row(align=True)
        row.scale_y = 2 * _TALL  # as high as the two buttons, so that nothing below moves
        row.progress(factor=running.share, text=running.stage)
        row.operator(ids.CANCEL, text="", icon="CANCEL")
        return
    column = layout.column(align=True)
    column.scale_y = _TALL
    column.operator(ids.GENERATE, icon="PLAY")
    column.operator(ids.GENERATE_PARTNER, icon="COMMUNITY")


def _draw_takes(layout, clip):
    row = layout.row(align=True)
    row.operator(ids.TAKE_SHOW, text="", icon="TRIA_LEFT").step = -1
    shown = f"{clip.shown + 1}" if clip.shown >= 0 else "none"
    middle = row.row(align=True)
    middle.alignment = "CENTER"
    middle.label(text=f"Take {shown} of {len(clip.results)}")
    row.operator(ids.TAKE_SHOW, text="", icon="TRIA_RIGHT").step = 1
    row = layout.row(align=True)
    row.operator(ids.ACCEPT, icon="CHECKMARK", depress=clip.accepted)
    row.operator(ids.REJECT, icon="X")
    row = layout.row(align=True)
    row.operator(ids.BAKE, icon="NLA", depress=clip.baked)
    row.operator(ids.RESTORE, icon="LOOP_BACK")


def _text(context, layout, text, icon):
    """Quiet text, wrapped at the sidebar's width."""
    column = layout.column(align=True)
    column.active = False
    width = max(20, int(context.region.width / (7.5 * context.preferences.system.ui_scale)))
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")
