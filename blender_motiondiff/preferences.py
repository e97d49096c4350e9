"""What holds for all files: where the weights lie, and what the worker runs on."""

import importlib.util
import os
import sys

import bpy
from bpy.props import IntProperty, StringProperty

from .core.denoiser.weights import BUNDLED
from .registration import register_classes, unregister_classes
from .worker import client

_THREADS = 2


class MotionDiffPreferences(bpy.types.AddonPreferences):
    """Preferences of the extension."""

    bl_idname = __package__

    weights: StringProperty(
        name="Weights",
        description="Folder with the network's weights. Empty: those that came with the extension",
        subtype="DIR_PATH",
    )
    python: StringProperty(
        name="Worker's Python",
        description="Python that generates, with NumPy and ONNX Runtime of its own. Empty: Blender's",
        subtype="FILE_PATH",
    )
    threads: IntProperty(
        name="Threads", description="Processor threads that the worker uses", default=_THREADS, min=1, max=64
    )

    def draw(self, _context):
        """The fields, one below the other."""
        column = self.layout.column()
        column.use_property_split = True
        column.prop(self, "weights")
        column.prop(self, "python")
        column.prop(self, "threads")


def _chosen():
    """The preferences, or None where the extension is registered without being enabled (in scripts)."""
    entry = bpy.context.preferences.addons.get(__package__)
    return entry.preferences if entry else None


def worker_settings():
    """How the worker is to be started, as client.Settings."""
    chosen = _chosen()
    python = bpy.path.abspath(chosen.python) if chosen else ""
    weights = (bpy.path.abspath(chosen.weights) if chosen else "") or str(BUNDLED)
    return client.Settings(
        python=python or _own_python(),
        arguments=tuple(bpy.app.python_args),
        sites=() if python else _sites(),
        weights=weights,
        threads=chosen.threads if chosen else _THREADS,
        log=_log_path(),
        stamp=client.stamp_of(weights),
    )


def _own_python():
    """Blender's own Python. Where the program itself stands in its place, starting it would open a second Blender."""
    found = sys.executable
    if not found or (bpy.app.binary_path and os.path.realpath(found) == os.path.realpath(bpy.app.binary_path)):
        raise client.WorkerError(
            "This Blender does not say where its Python is. Choose a Python "
            f"{sys.version_info.major}.{sys.version_info.minor} with NumPy and ONNX Runtime under "
            "Preferences > Add-ons > MotionDiff."
        )
    return found


def _sites():
    """Folders that hold the packages the worker needs. They are found, not imported: not in Blender's own process."""
    specs = [importlib.util.find_spec(name) for name in ("onnxruntime", "numpy")]
    folders = [os.path.dirname(os.path.dirname(s.origin)) for s in specs if s is not None and s.origin]
    return tuple(dict.fromkeys(folders))


def _log_path():
    """Where the worker's log is written, '' where that can't be had (not installed as an extension, full disk)."""
    try:
        return os.path.join(bpy.utils.extension_path_user(__package__, create=True), "worker.log")
    except (ValueError, OSError):
        return ""


_engine = ""


def engine():
    """One line for the panel where something other than Blender's own Python generates, or nothing can; else ''."""
    chosen = _chosen()
    return f"Generates on {os.path.basename(chosen.python)}" if chosen and chosen.python else _engine


def _found_engine():
    if importlib.util.find_spec("onnxruntime") is not None:
        return ""
    return (
        f"ONNX Runtime was not found for Python {sys.version_info.major}.{sys.version_info.minor}: choose another "
        "Python in the preferences to generate. Everything else works."
    )


def register():
    global _engine
    _engine = _found_engine()
    register_classes((MotionDiffPreferences,))


def unregister():
    client.stop_warm()
    unregister_classes((MotionDiffPreferences,))
