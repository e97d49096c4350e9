"""Blender's own curve drawing, on the ground."""

from itertools import pairwise

import bpy
from mathutils import Vector

from .. import ids
from ..properties import active_clip
from ..scene.errors import SceneError
from ..scene.path_curve import world_points
from .common import may_change_clip, perform

_LENGTH = 2.0  # metres of the path that is made where nothing can be drawn
_AHEAD = Vector((0.0, -1.0, 0.0))  # a character faces this way at rest


class MOTIONDIFF_OT_draw_path(bpy.types.Operator):
    """Draw the path of character A on the ground, seen from above. Press again to finish"""

    bl_idname = ids.DRAW_PATH
    bl_label = "Draw Path"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not may_change_clip(cls, context):
            return False
        path = active_clip(context.scene).path
        if path is not None and path.library is not None:
            cls.poll_message_set(
                "The path is linked from another file. Choose a curve of this file, or clear the field"
            )
            return False
        return True

    def invoke(self, context, _event):
        if bpy.app.background or context.area is None or context.area.type != "VIEW_3D":
            return self.execute(context)
        if is_drawing(context):
            return perform(self, context, lambda scene, clip: (_finish(scene, clip), ()))
        return perform(self, context, lambda _, clip: (_start(context, clip), ()))

    def execute(self, context):
        """Without a window: a straight path ahead of character A, to be bent by its points."""
        return perform(self, context, lambda _, clip: (_straight(context, clip), ()))


def is_drawing(context):
    """Whether the active clip's path is being drawn or edited."""
    clip = active_clip(context.scene)
    return clip is not None and clip.path is not None and clip.path.mode == "EDIT"


def _start(context, clip):
    path = clip.path or _new_curve(context, clip)
    if context.space_data.local_view:
        path.local_view_set(context.space_data, True)
    if not path.visible_in_viewport_get(context.space_data):
        where = f"{path.name} is"
        if clip.path is None:
            where = f"What is added to the collection {context.collection.name} is"
            bpy.data.curves.remove(path.data)
        raise SceneError(f"{where} not shown in this 3D View. Show it in the Outliner.")
    clip.path = path
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for other in list(context.selected_objects):
        other.select_set(False)
    path.select_set(True)
    context.view_layer.objects.active = path
    bpy.ops.object.mode_set(mode="EDIT")
    paint = context.scene.tool_settings.curve_paint_settings
    paint.curve_type, paint.depth_mode = "BEZIER", "CURSOR"
    # What is drawn lies in the view's plane: only from above is that the ground.
    bpy.ops.view3d.view_axis(type="TOP")
    bpy.ops.wm.tool_set_by_id(name="builtin.draw")
    return "Drag on the ground to draw the path, then press Finish Path"


def _finish(scene, clip):
    path = clip.path
    bpy.ops.object.mode_set(mode="OBJECT")
    if not any(len(s.bezier_points) > 1 or len(s.points) > 1 for s in path.data.splines):
        raise SceneError(f"Nothing was drawn on {path.name} yet. Press Edit Path and drag on the ground.")
    _flatten(path, clip.ground)
    return f"{clip.name} follows {path.name}{_pace(scene, clip)}"


def _pace(scene, clip):
    """How long the path is, and how fast it will be walked, for the report."""
    line = world_points(clip.path)
    length = sum((b - a).length for a, b in pairwise(map(Vector, line[:, :2])))
    seconds = (clip.frame_end - clip.frame_start) * scene.render.fps_base / scene.render.fps
    return f": {length:.1f} m" + (f" in {seconds:.1f} s, {length / seconds:.1f} m/s" if seconds > 0 else "")


def _straight(context, clip):
    if clip.path is not None:
        raise SceneError(f"{clip.name} has a path already ({clip.path.name}). Edit it, or clear the field first.")
    path = _new_curve(context, clip)
    start, ahead = _stand(clip)
    spline = path.data.splines.new("BEZIER")
    spline.bezier_points.add(1)
    for point, way in zip(spline.bezier_points, (0.0, _LENGTH)):
        point.co = start + ahead * way - path.location
        point.handle_left_type = point.handle_right_type = "AUTO"
    clip.path = path
    return f"{path.name} is a straight path of {_LENGTH:g} m. Edit it, or press Draw Path in a 3D View"


def _stand(clip):
    """Where character A stands on the ground, and which way it faces at rest."""
    if clip.character_a is None:
        return Vector((0.0, 0.0, clip.ground)), _AHEAD
    world = clip.character_a.matrix_world
    ahead = world.to_quaternion() @ _AHEAD
    ahead.z = 0.0
    start = Vector((world.translation.x, world.translation.y, clip.ground))
    return start, ahead.normalized() if ahead.length > 0.1 else _AHEAD


def _new_curve(context, clip):
    """An empty curve object on the ground, in the scene."""
    data = bpy.data.curves.new(f"{clip.name} Path", "CURVE")
    data.dimensions = "3D"
    path = bpy.data.objects.new(data.name, data)
    path.location.z = clip.ground
    context.collection.objects.link(path)
    context.view_layer.update()  # else the view layer does not know it yet
    return path


def _flatten(path, ground):
    """Puts the curve's points at the ground's height; the plane that was drawn on stood at the 3D cursor's."""
    into = path.matrix_world.inverted()
    for spline in path.data.splines:
        for point in spline.bezier_points:
            for name in ("handle_left", "co", "handle_right"):
                at = path.matrix_world @ getattr(point, name)
                at.z = ground
                setattr(point, name, into @ at)
        for point in spline.points:
            at = path.matrix_world @ point.co.to_3d()
            at.z = ground
            point.co = (into @ at).to_4d()
