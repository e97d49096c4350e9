"""The installed extension, as the demo sees it: its operators, its clips, and its own rig mapping for measuring."""

from importlib import import_module

import bpy

from tools.install_zip import MODULE


def part(name):
    """A module of the installed extension, not of this repository."""
    return import_module(f"{MODULE}.{name}")


def map_rig(armature):
    """The extension's mapping of an armature: `.bones` is joint name -> bone name."""
    return part("scene.rig_maps").map_rig(armature)


def preferences():
    """The extension's preferences."""
    return bpy.context.preferences.addons[MODULE].preferences
