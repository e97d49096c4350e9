"""A mouse and a keyboard for scripts in a Blender with a window: simulated events, buttons found by pointing at them.

Blender must run with --enable-event-simulate. Everything that takes time is a generator that yields the seconds until
it wants to go on; `run` drives one from a timer, one event a tick, as buttons react to no more than that.
"""

import os
import shutil
import subprocess
import sys
import traceback

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

TICK = 0.05  # seconds between two events
SETTLE = 0.6  # seconds in which a click has its effect and the window is drawn again
HOVER = 0.7  # seconds in which the button under a moved mouse becomes the active one
ROW = 16  # pixels between two places that are tried for a button; buttons are some 20 high
EDGE = 30  # pixels of the sidebar's width that the tabs take


def run(steps, first=1.5):
    """Drives a generator to its end, then ends Blender: 0, or 1 with the traceback of what failed."""

    def tick():
        code = 0
        try:
            return next(steps) or TICK
        except StopIteration:
            pass
        except Exception:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    bpy.app.timers.register(tick, first_interval=first, persistent=True)


def window():
    """The window that is clicked in."""
    return bpy.context.window_manager.windows[0]


def viewport():
    """The area of the 3D view."""
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def region(kind):
    """A region of the 3D view: WINDOW, UI (the sidebar)."""
    return next(r for r in viewport().regions if r.type == kind)


def over(kind="WINDOW"):
    """Context override as if the mouse was over a region of the 3D view."""
    return bpy.context.temp_override(window=window(), screen=window().screen, area=viewport(), region=region(kind))


def event(kind, value, at, **modifiers):
    """One event at window coordinates `at [2]`, counted from the lower left corner."""
    window().event_simulate(type=kind, value=value, x=int(at[0]), y=int(at[1]), **modifiers)


def middle():
    """A place in the 3D view that is neither covered by the toolbar nor by the sidebar."""
    view = region("WINDOW")
    return view.x + 0.4 * view.width, view.y + 0.5 * view.height


def press(key, **modifiers):
    """A key pressed with the mouse over the 3D view."""
    for kind, value in (("MOUSEMOVE", "NOTHING"), (key, "PRESS"), (key, "RELEASE")):
        event(kind, value, middle(), **(modifiers if kind == key else {}))
        yield TICK
    yield SETTLE


def click(at):
    """A click with the left button at window coordinates."""
    for kind, value in (("MOUSEMOVE", "NOTHING"), ("LEFTMOUSE", "PRESS"), ("LEFTMOUSE", "RELEASE")):
        event(kind, value, at)
        yield TICK
    yield SETTLE


def until(reached, what, patience=15.0):
    """Waits until `reached()` is true; a busy machine draws and reacts late."""
    for _ in range(int(patience / 0.2)):
        if reached():
            return
        yield 0.2
    raise AssertionError(what)


def drag(places):
    """A stroke with the left button through places in the world `[N, 3]`."""
    view = region("WINDOW")
    spots = [location_3d_to_region_2d(view, viewport().spaces[0].region_3d, place) for place in places]
    assert all(spot and 0 < spot.x < view.width and 0 < spot.y < view.height for spot in spots), "outside of the view"
    spots = [(view.x + spot.x, view.y + spot.y) for spot in spots]
    event("MOUSEMOVE", "NOTHING", spots[0])
    yield TICK
    event("LEFTMOUSE", "PRESS", spots[0])
    yield TICK
    for spot in spots:
        event("MOUSEMOVE", "NOTHING", spot)
        yield TICK
    event("LEFTMOUSE", "RELEASE", spots[-1])
    yield SETTLE


def open_tab(name):
    """Opens the sidebar with N and the tab by clicking down the row of tabs at its edge."""
    if not viewport().spaces[0].show_region_ui:
        yield from press("N")
    side = region("UI")
    for y in range(side.y + side.height - 25, side.y, -18):
        if side.active_panel_category == name:
            return
        yield from click((side.x + side.width - 9, y))
    assert side.active_panel_category == name, f"the sidebar has no tab {name}"


def pointed_at():
    """What the button under the mouse does or sets: its Python command or data path, '' where there is none."""
    manager = bpy.context.window_manager
    for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
        manager.clipboard = ""
        with over("UI"):
            if copy.poll():
                copy()
        if manager.clipboard:
            return manager.clipboard
    return ""


def find(what, down, share):
    """Points at the button of the sidebar whose command or data path contains `what`; returns where it is.

    It is looked for from about `down` pixels below the sidebar's top, at `share` (0 to 1) of the panel's width.
    """
    side = region("UI")
    scale = bpy.context.preferences.system.ui_scale
    top, across = side.y + side.height, side.x + share * (side.width - EDGE)
    rows = sorted(range(20, side.height, ROW), key=lambda row: abs(row - down * scale))
    seen = set()
    for row in [down * scale, *rows]:
        event("MOUSEMOVE", "NOTHING", (across, top - row))
        yield HOVER
        words = pointed_at()
        seen.add(words)
        if what in words:
            yield HOVER  # what was under the mouse before may still be named: only what stays is meant
            if what in pointed_at():
                return across, top - row
    raise AssertionError(f"the sidebar shows no button for {what}, but {sorted(seen)}")


def push(what, down, share=0.3):
    """Clicks the button of the sidebar whose command contains `what`, which is about there (see `find`)."""
    place = yield from find(what, down, share)
    yield from click(place)


def picture(folder, name):
    """Waits until all is drawn and saves a picture of the window as `folder`/`name`.png (no folder: none)."""
    if not folder:
        return
    event("MOUSEMOVE", "NOTHING", middle())
    yield 1.0
    path = os.path.join(folder, f"{name}.png")
    os.makedirs(folder, exist_ok=True)
    if os.environ.get("DISPLAY") and shutil.which("ffmpeg"):
        # Blender's own picture of a window is black on some software renderers: the screen's is not.
        size = f"{window().width}x{window().height}"
        grab = ["-f", "x11grab", "-draw_mouse", "0", "-video_size", size, "-i", os.environ["DISPLAY"]]
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *grab, "-frames:v", "1", path], check=True)
    else:
        with over():
            bpy.ops.screen.screenshot(filepath=path)
