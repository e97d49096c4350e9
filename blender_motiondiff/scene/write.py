"""A Take -> one Action with a slot per character."""

import bpy
import numpy as np

from ..core.motion import resample
from . import slots
from .curve_copy import copy_curve
from .nla import our_strip, own_action
from .retarget import pose_curves
from .rig_maps import map_rig
from .sampling import pose_matrices, time_kept

LINEAR = 1  # Blender's number for the interpolation
TRANSFORMS = ("location", "rotation", "scale", "delta_")  # how the data paths of an object's own transform start


def write_take(scene, clip, characters, take, name):
    """A new Action: `characters` (armatures, in the order of the take's motions) each get a slot.

    In a reaction (two characters) the clip's character A is animated already: its slot is a copy of every F-curve that
    moves it, and it gets none if it is moved by something else (NLA, drivers, a parent). Nothing else is changed; if
    anything fails, no action is left behind.
    """
    leader = clip.character_a if len(characters) > 1 else None
    action = _copied_action(clip, leader) if leader is not None else None
    try:
        if action is None:
            action = bpy.data.actions.new(name)
        action.name = name
        for armature, motion in zip(characters, take.motions):
            if armature != leader:
                role = "a" if armature == clip.character_a else "b"
                _write_motion(scene, clip, action, role, armature, motion, take.times)
    except BaseException:
        if action is not None:
            bpy.data.actions.remove(action)
        raise
    return action


def _copied_action(clip, armature):
    """A copy of the action that moves the armature, with its slot alone; None if no action does."""
    source, slot = moving_action(clip, armature)
    if source is None or slot is None:
        return None
    action = source.copy()
    action.use_fake_user = False
    action.use_frame_range = action.use_cyclic = False
    if action.asset_data is not None:
        action.asset_clear()
    slots.unmark(action)
    for other in [s for s in action.slots if s.handle != slot.handle]:
        action.slots.remove(other)
    own = action.slots[0]
    own.name_display = armature.name
    slots.mark(action, "a", own, copied=True)
    return action


def moving_action(clip, armature):
    """`(action, slot)` that moves an armature now: its active one, else that of the strip it was baked to."""
    data = armature.animation_data
    if data is None:
        return None, None
    if data.action is not None:
        return data.action, data.action_slot
    _, strip = our_strip(clip, armature)
    return (None, None) if strip is None else (strip.action, strip.action_slot)


def _write_motion(scene, clip, action, role, armature, motion, times):
    frames = np.arange(clip.frame_start, clip.frame_end + 1)
    seconds = (frames - clip.frame_start) * scene.render.fps_base / scene.render.fps
    sampled = resample(motion, seconds, own_times=times)
    rig_map = map_rig(armature)
    curves = pose_curves(armature, rig_map, sampled, clip.ground, _worlds(scene, armature, frames))
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    slots.mark(action, role, slot)
    layer = action.layers[0] if len(action.layers) else action.layers.new("MotionDiff")
    strip = layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    for (path, index), values in curves.items():
        _write_curve(bag, path, index, frames, values)
    _keep_others(clip, armature, rig_map, bag)


def _worlds(scene, armature, frames):
    """The object's matrices `[T, 4, 4]` at the frames if something may carry it about, else None."""
    if armature.parent is None and not len(armature.constraints):
        return None
    with time_kept(scene, [armature]):
        return pose_matrices(scene, armature, frames)[1]


def _keep_others(clip, armature, rig_map, bag):
    """Copies what the user's own action says about all that a take does not move: fingers, face, props, properties.

    The object's own transform and the bones that carry mapped ones stay where they are.
    """
    action, slot = own_action(clip, armature)
    source = None if action is None or slot is None else slots.channelbag(action, slot)
    if source is None:
        return
    carrying = set()
    for name in rig_map.bones.values():
        bone = armature.data.bones[name]
        carrying.update((bone.name, *(parent.name for parent in bone.parent_recursive)))
    for curve in source.fcurves:
        bone = curve.data_path.split('"')[1] if curve.data_path.startswith("pose.bones[") else None
        if bone not in carrying and not curve.data_path.startswith(TRANSFORMS):
            copy_curve(curve, bag)


def _write_curve(bag, path, index, frames, values):
    curve = bag.fcurves.new(path, index=index)
    bone = path.split('"')[1]
    curve.group = bag.groups.get(bone) or bag.groups.new(bone)
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", np.stack([frames, values], 1).astype(np.float32).ravel())
    points.foreach_set("interpolation", np.full(len(frames), LINEAR, np.int32))
    curve.update()
