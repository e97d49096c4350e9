"""Adds a clip, filled with what is selected."""

import bpy

from .. import ids
from ..properties import SCENE_PROPERTY
from .common import may_change, perform

_LONGEST = 10.0  # seconds of the scene's range that a new clip covers at most


class MOTIONDIFF_OT_clip_add(bpy.types.Operator):
    """Add a clip for the selected armatures: the active one becomes character A, another one character B"""

    bl_idname = ids.CLIP_ADD
    bl_label = "Add Clip"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return may_change(cls, context)

    def execute(self, context):
        return perform(self, context, lambda scene, _: (_add(scene, *_chosen(context)), ()))


def _chosen(context):
    """`(armatures, curve)` among what is selected, the active object first."""
    objects = sorted(context.selected_objects, key=lambda o: o != context.active_object)
    armatures = [o for o in objects if o.type == "ARMATURE"]
    return armatures, next((o for o in objects if o.type == "CURVE"), None)


def _add(scene, armatures, curve):
    data = getattr(scene, SCENE_PROPERTY)
    taken = {clip.name for clip in data.clips}
    clip = data.clips.add()
    clip.name = next(n for n in _names() if n not in taken)
    rate = scene.render.fps / scene.render.fps_base
    clip.frame_start = scene.frame_start
    clip.frame_end = min(scene.frame_end, scene.frame_start + round(_LONGEST * rate))
    clip.character_a = armatures[0] if armatures else None
    clip.character_b = armatures[1] if len(armatures) > 1 else None
    clip.path = curve
    data.active_clip = len(data.clips) - 1
    return ""


def _names():
    yield "Clip"
    number = 2
    while True:
        yield f"Clip {number}"
        number += 1
