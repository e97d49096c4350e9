"""Motions, rigs and takes made for the tests."""

import bpy
import numpy as np

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import FPS, Motion, positions
from blender_motiondiff.core.request import Take
from blender_motiondiff.core.skeleton import COUNT
from blender_motiondiff.scene import retarget
from blender_motiondiff.scene.rig_maps import map_rig
from tools import rigs


def smooth(frames, shape, rng, amount):
    """Random curves `[frames, *shape]` that swing by about `amount`."""
    t = np.linspace(0.0, 1.0, frames).reshape(-1, *[1] * len(shape))
    waves = sum(rng.normal(size=shape) * np.sin(2 * np.pi * (k * t + rng.random(shape))) / k for k in (0.5, 1, 2))
    return amount * waves


def dance(body, frames=41, seed=0, turn=0.0, place=(0.0, 0.0)):
    """A motion in which every joint turns and the body walks about: no grace, but nothing at rest."""
    rng = np.random.default_rng(seed)
    rotations = rot.from_rotvec(smooth(frames, (COUNT, 3), rng, 0.5))
    rotations[:, 0] = rot.multiply(rot.about_z(turn + smooth(frames, (), rng, 1.0)), rotations[:, 0])
    root = smooth(frames, (3,), rng, 0.4 * body.size) + np.array([*place, body.standing_height])
    return Motion(root, rotations, body)


def take(*motions):
    """A take that holds these motions on the core's own times."""
    frames = motions[0].frames
    return Take(motions, np.arange(frames) / FPS, np.zeros((len(motions), frames, 4)))


def perform(scene, armature, motion, frames, ground=0.0):
    """Gives an armature an action of its own that performs the motion, a key a frame."""
    curves = retarget.pose_curves(armature, map_rig(armature), motion, ground)
    action = bpy.data.actions.new(f"{armature.name} own")
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    slot = action.slots.new(id_type="OBJECT", name=armature.name)
    bag = strip.channelbag(slot, ensure=True)
    for (path, index), values in curves.items():
        curve = bag.fcurves.new(path, index=index)
        curve.keyframe_points.add(len(frames))
        points = np.stack([frames, values], 1).astype(np.float32).ravel()
        curve.keyframe_points.foreach_set("co", points)
        curve.keyframe_points.foreach_set("interpolation", np.ones(len(frames), np.int32))
        curve.update()
    data = armature.animation_data_create()
    data.action, data.action_slot = action, slot
    return action


def dancer(scene, name="Leader", frames=range(11, 52), seed=3, **where):
    """A Mixamo rig that is animated already."""
    armature = rigs.mixamo(name, **where)
    body = retarget.body_of(armature, map_rig(armature))
    perform(scene, armature, dance(body, len(frames), seed), np.array(frames))
    return armature


def errors(a, b):
    """Largest distance of any joint (metres) and largest angle (degrees) between two motions."""
    from blender_motiondiff.core.motion import global_rotations

    far = np.linalg.norm(positions(a) - positions(b), axis=-1).max()
    angle = rot.angle_between(global_rotations(a.rotations), global_rotations(b.rotations)).max()
    return far, np.degrees(angle)
