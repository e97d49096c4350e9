"""F-curves copied from one channelbag to another, with everything that belongs to them."""

import numpy as np

# Plain properties of a curve and of its keys; the handles' types come before the handles that they would move.
CURVE = ("extrapolation", "color_mode", "color", "auto_smoothing", "hide", "lock", "mute")
KEY_CHOICES = ("handle_left_type", "handle_right_type", "interpolation", "easing", "type")
KEY_VALUES = (("co", 2), ("handle_left", 2), ("handle_right", 2), ("back", 1), ("amplitude", 1), ("period", 1))


def copy_curve(source, bag):
    """The same curve in another channelbag."""
    curve = bag.fcurves.new(source.data_path, index=source.array_index)
    points, count = source.keyframe_points, len(source.keyframe_points)
    curve.keyframe_points.add(count)
    for name in KEY_CHOICES:
        _copy(points, curve.keyframe_points, name, np.empty(count, np.int32))
    for name, width in KEY_VALUES:
        _copy(points, curve.keyframe_points, name, np.empty(count * width, np.float32))
    for name in CURVE:
        setattr(curve, name, getattr(source, name))
    if source.group is not None:
        curve.group = bag.groups.get(source.group.name) or bag.groups.new(source.group.name)
    for modifier in source.modifiers:
        _copy_modifier(modifier, curve)
    return curve


def _copy(source, target, name, buffer):
    source.foreach_get(name, buffer)
    target.foreach_set(name, buffer)


def _plain(value):
    """A property's value by itself: arrays of Blender's live in what they belong to, which a set may make anew."""
    return value if isinstance(value, str | int | float | set) else tuple(value)


def _copy_modifier(source, curve):
    modifier = curve.modifiers.new(source.type)
    for found in source.bl_rna.properties:
        name = found.identifier
        if found.is_readonly or name == "active":  # which one is chosen in the list
            continue
        value = _plain(getattr(source, name))
        if value != _plain(getattr(modifier, name)):  # every set tells all of Blender, so only what differs is set
            setattr(modifier, name, value)
    if source.type == "ENVELOPE":
        for point in source.control_points:
            new = modifier.control_points.add(point.frame)
            new.min, new.max = point.min, point.max
