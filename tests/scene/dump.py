"""Everything of a file that our functions must not change, as plain data that can be compared."""

import bpy

POINT = (
    "co", "handle_left", "handle_right", "handle_left_type", "handle_right_type", "interpolation", "easing", "back",
    "amplitude", "period", "type",
)  # fmt: skip
CURVE = ("data_path", "array_index", "extrapolation", "mute", "lock", "hide", "auto_smoothing", "color_mode")
TRANSFORM = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale", "rotation_mode")
COUNTED = ("objects", "actions", "armatures", "curves", "meshes", "collections", "scenes", "worlds", "texts")


def plain(value):
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "to_list"):
        return value.to_list()
    if isinstance(value, bpy.types.bpy_struct):
        return getattr(value, "name", None) or getattr(value, "identifier", type(value).__name__)
    try:
        return tuple(plain(v) for v in value)
    except TypeError:
        return repr(value)


def properties(struct, leave=("rna_type",)):
    """All of a struct's own values; collections are left out."""
    found = struct.bl_rna.properties
    return {
        p.identifier: plain(getattr(struct, p.identifier))
        for p in found
        if p.type != "COLLECTION" and p.identifier not in leave
    }


def curve_dump(curve):
    out = {name: plain(getattr(curve, name)) for name in CURVE}
    out["group"] = curve.group.name if curve.group else None
    out["points"] = [tuple(plain(getattr(p, name)) for name in POINT) for p in curve.keyframe_points]
    out["modifiers"] = [properties(m, ("rna_type", "active")) for m in curve.modifiers]
    return out


def bag_dump(action, slot):
    bags = [s.channelbag(slot) for layer in action.layers for s in layer.strips]
    return [sorted((curve_dump(c) for c in bag.fcurves), key=_order) for bag in bags if bag is not None]


def _order(curve):
    return curve["data_path"], curve["array_index"]


def action_dump(action):
    return {
        "users": action.users - action.use_fake_user,
        "fake": action.use_fake_user,
        "range": (action.use_frame_range, action.frame_start, action.frame_end, action.use_cyclic),
        "slots": [(s.identifier, s.handle, s.target_id_type) for s in action.slots],
        "curves": [bag_dump(action, slot) for slot in action.slots],
        "custom": {k: plain(action[k]) for k in action.keys()},  # noqa: SIM118
    }


def animation_dump(data):
    if data is None:
        return None
    tracks = [(properties(t, ("rna_type", "active", "select")), [_strip(s) for s in t.strips]) for t in data.nla_tracks]
    names = ("action", "action_slot", "action_blend_type", "action_extrapolation", "action_influence", "use_nla")
    out = {name: plain(getattr(data, name)) for name in names}
    out["slot"] = data.action_slot.handle if data.action_slot else None
    return out | {"tracks": tracks, "drivers": [curve_dump(d) for d in data.drivers]}


def _strip(strip):
    return properties(strip, ("rna_type", "active", "select")) | {"curves": [curve_dump(c) for c in strip.fcurves]}


def object_dump(ob):
    out = {name: plain(getattr(ob, name)) for name in TRANSFORM}
    out["parent"] = (plain(ob.parent), ob.parent_type, ob.parent_bone)
    out["custom"] = {k: plain(ob[k]) for k in ob.keys()}  # noqa: SIM118
    out["animation"] = animation_dump(ob.animation_data)
    out["data animation"] = animation_dump(getattr(ob.data, "animation_data", None))
    if ob.pose:
        out["pose"] = {b.name: {name: plain(getattr(b, name)) for name in TRANSFORM} for b in ob.pose.bones}
    return out


def scene_dump(scene):
    names = ("frame_current", "frame_subframe", "frame_start", "frame_end")
    out = {name: getattr(scene, name) for name in names}
    out["rate"] = (scene.render.fps, scene.render.fps_base)
    layer = bpy.context.view_layer
    out["active"] = plain(layer.objects.active)
    out["selected"] = sorted(ob.name for ob in layer.objects if ob.select_get())
    out["modes"] = {ob.name: ob.mode for ob in layer.objects}
    return out


def dump(without_users=False):
    """The whole file. `without_users`: leaves out how many users actions have."""
    actions = {a.name: action_dump(a) for a in bpy.data.actions}
    if without_users:
        for action in actions.values():
            del action["users"]
    return {
        "counts": {name: len(getattr(bpy.data, name)) for name in COUNTED},
        "objects": {ob.name: object_dump(ob) for ob in bpy.data.objects},
        "actions": actions,
        "scenes": {s.name: scene_dump(s) for s in bpy.data.scenes},
    }
