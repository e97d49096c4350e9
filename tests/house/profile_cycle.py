"""Installs the zip, switches the extension off and on twice, and prints as JSON what is there at each step.

profile_cycle.py ZIP PROFILE      run by a Python that has Blender's module; PROFILE is empty
"""

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.install_zip import MODULE, install, use_profile


def rna_subclasses():
    """Names of the classes that Blender knows."""
    import bpy

    bases = (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu, bpy.types.Header, bpy.types.UIList)
    bases += (bpy.types.PropertyGroup, bpy.types.AddonPreferences, bpy.types.Gizmo, bpy.types.GizmoGroup)
    return sorted(
        cls.__name__ for base in bases for cls in base.__subclasses__() if getattr(cls, "is_registered", False)
    )


def handlers():
    """Names of the functions in bpy.app.handlers."""
    import bpy

    kinds = [kind for kind in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, kind), list)]
    return sorted(
        f"{kind}: {function.__module__}.{function.__name__}"
        for kind in kinds
        for function in getattr(bpy.app.handlers, kind)
    )


def keymap_items():
    """Key bindings of add-ons."""
    import bpy

    configuration = bpy.context.window_manager.keyconfigs.addon
    maps = configuration.keymaps if configuration else []
    return sorted(f"{keymap.name}: {item.idname} {item.type}" for keymap in maps for item in keymap.keymap_items)


def properties():
    """Properties that add-ons have put on Blender's own types."""
    import bpy

    types = (bpy.types.Scene, bpy.types.Object, bpy.types.WindowManager, bpy.types.Armature, bpy.types.Action)
    types += (bpy.types.PoseBone, bpy.types.Curve)
    return sorted(f"{cls.__name__}.{name}" for cls in types for name in vars(cls) if "motiondiff" in name.lower())


def timers():
    """Which functions of ours are still registered as timers."""
    import gc

    import bpy

    ours = [
        thing
        for thing in gc.get_objects()
        if callable(thing) and str(getattr(thing, "__module__", "")).startswith(MODULE)
    ]
    return sorted(getattr(f, "__qualname__", str(f)) for f in ours if is_timer(bpy.app.timers, f))


def is_timer(registry, function):
    """Whether Blender calls this function as a timer."""
    try:
        return registry.is_registered(function)
    except (TypeError, ValueError):
        return False


def child_processes():
    """Command lines of this process's children."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.append((status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return sorted(found)


def snapshot():
    """What an extension could leave behind."""
    return {
        "classes": rna_subclasses(),
        "handlers": handlers(),
        "keymap": keymap_items(),
        "properties": properties(),
        "timers": timers(),
        "children": child_processes(),
    }


def part(name):
    """A module of the installed extension."""
    return importlib.import_module(f"{MODULE}.{name}")


def a_request():
    """One character along a straight path, for long enough that the worker is busy."""
    import numpy as np

    request, skeleton = part("core.request"), part("core.skeleton")
    path = request.Path(np.array([0.0, 8.0]), np.array([[0.0, 0.0], [0.0, -8.0]]))
    character = request.Character("A", skeleton.average_body(), path=path)
    return request.Request((character,), 8.0, takes=4, steps=500)


def start_worker(limit=60.0):
    """Has the installed extension's worker generate; what runs then, or why it does not."""
    client = part("worker.client")
    try:
        worker = client.warm(part("preferences").worker_settings())
        job, end = worker.submit(a_request()), time.monotonic() + limit
        while not worker.poll(job) and time.monotonic() < end:
            time.sleep(0.05)
    except client.WorkerError as error:
        return {"refusal": str(error), "children": child_processes()}
    return {"refusal": "", "children": child_processes()}


def main(zip_path, profile):
    """The cycle: clean, installed, off, on, off while the worker generates."""
    use_profile(profile)
    import bpy

    steps = {"clean": snapshot()}
    install(zip_path)
    steps["on"] = snapshot()
    bpy.ops.preferences.addon_disable(module=MODULE)
    steps["off"] = snapshot()
    bpy.ops.preferences.addon_enable(module=MODULE)
    steps["on again"] = snapshot()
    steps["onnxruntime"] = importlib.util.find_spec("onnxruntime").origin
    steps["profile"] = str(Path(profile).resolve())
    steps["worker"] = start_worker()
    steps["imported"] = sorted({"onnxruntime", "torch"} & set(sys.modules))
    bpy.ops.preferences.addon_disable(module=MODULE)
    steps["off again"] = snapshot()
    print("STEPS " + json.dumps(steps), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
