"""The installed extension, as the demo sees it: its operators, its clips, and its own rig mapping for measuring."""

from importlib import import_module

import bpy

from tools.install_zip import MODULE

PACKAGE = MODULE  # where the extension is imported from


def part(name):
    """A module of the installed extension, not of this repository."""
    return import_module(f"{PACKAGE}.{name}")


def map_rig(armature):
    """The extension's mapping of an armature: `.bones` is joint name -> bone name."""
    return part("scene.rig_maps").map_rig(armature)


def choose_weights(folder):
    """Has the extension use the weights of a folder; None for those that it brought along."""
    bpy.context.preferences.addons[MODULE].preferences.weights = str(folder or "")


def bundled_weights():
    """The folder of the weights that the installed extension brought along."""
    return part("core.denoiser.weights").BUNDLED


def clip_of(scene, case):
    """The clip of a case, made the active one."""
    data = getattr(scene, part("ids").SCENE_PROPERTY)
    data.active_clip = case.clip
    return data.clips[case.clip]


def operate(scene, case, verb):
    """Calls an operator of the extension, by its name in `ids`, on a case's clip."""
    if case is not None:
        clip_of(scene, case)
    space, name = getattr(part("ids"), verb).split(".")
    result = getattr(getattr(bpy.ops, space), name)()
    if result != {"FINISHED"}:
        raise RuntimeError(f"{space}.{name} ended with {result}")


def add_clip(scene, case, seed=0):
    """A clip for a case, as a user adds one and fills it in."""
    operate(scene, None, "CLIP_ADD")
    data = getattr(scene, part("ids").SCENE_PROPERTY)
    case.clip = len(data.clips) - 1
    clip = clip_of(scene, case)
    clip.name, clip.seed, clip.takes = case.title, seed, 1
    clip.frame_start, clip.frame_end = case.frames
    clip.character_a = bpy.data.objects[case.walker]
    clip.character_b = bpy.data.objects.get(case.partner)
    clip.path = bpy.data.objects.get(case.curve)
    return clip
