"""The extension as its user has it: installed from the zip, in a Blender with a window, clicked with the mouse.

    blender --enable-event-simulate --python tools/window_check.py -- [--shots FOLDER]

The zip must be installed and enabled in the profile. Makes a scene of its own, clicks through the tab (Add Clip, Draw
Path, Generate, Accept, Bake to NLA, Generate Partner, Restore, Ctrl Z), checks the scene after each step, saves
pictures in FOLDER, and ends Blender: status 0, or 1 with what failed. One line is printed for each step.

By script instead of by mouse are only: the scene, what is selected before Add Clip, character B's and the numbers'
fields (search popups and number fields have no buttons that can be pointed at), and the view for the pictures.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bpy
import numpy as np
from mathutils import Euler, Vector

from tools import rigs
from tools import window_mouse as mouse
from tools.demo import bodies, paths, poses
from tools.demo.installed import MODULE, map_rig, part

START, END, FPS = 1, 97, 24
CORNER = np.array([3.0, -2.0, 0.0])  # where the scene stands
KEYED = 56  # frame of A's keyed pose
SHOWN = 40  # frame of the pictures of both
# Where buttons are looked for first: pixels below the sidebar's top, share of the panel's width.
ADD, DRAW, GENERATE, PARTNER = (46, 0.5), (208, 0.3), (288, 0.3), (312, 0.3)
BEFORE, AFTER, ACCEPT, BAKE, RESTORE = (347, 0.07), (347, 0.93), (374, 0.3), (400, 0.3), (400, 0.75)
PATIENCE = 240  # seconds that a generation may take
NEAR = 0.12  # metres: raw hips from the drawn path at the same share of it, on average


def say(*words):
    """One line for a step."""
    print("window:", *words, flush=True)


def clip():
    """The active clip."""
    data = bpy.context.scene.motiondiff
    return data.clips[data.active_clip]


# --- the scene --------------------------------------------------------------------------------------------------------


def make_scene():
    """Two dressed characters of different kinds and sizes off the origin; the first has one keyed pose of its own."""
    scene = bpy.context.scene
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    scene.render.fps, scene.frame_start, scene.frame_end = FPS, START, END
    ann = rigs.mixamo("Ann", location=CORNER, turn=np.radians(20))
    ben = rigs.metarig("Ben", location=CORNER + (1.6, -0.6, 0.0), turn=np.radians(-40), size=0.9)
    for armature, colour in ((ann, "blue"), (ben, "orange")):
        bodies.dress(armature, map_rig(armature).bones, colour, scene.collection)
        armature.show_in_front = False
    key_pose(scene, ann)
    select(ann)
    space = mouse.viewport().spaces[0]
    space.shading.type, space.shading.color_type = "SOLID", "MATERIAL"
    space.overlay.show_bones = False
    look_at(CORNER + (1.2, -0.4, 0.8), 9.0)
    return ann, ben


def key_pose(scene, armature):
    """Keys a pose with raised hands on the armature's own action, without the hips' place."""
    scene.frame_set(KEYED)
    bones = map_rig(armature).bones
    share = (KEYED - START) / (END - START)
    poses.set_pose(armature, bones, poses.HANDS_UP, paths.heading_at(stroke(), share))
    poses.key_pose(armature, bones, KEYED, False)
    scene.frame_set(START)


def select(*armatures):
    """Selects objects, the first of them the active one."""
    for thing in bpy.context.scene.objects:
        thing.select_set(thing in armatures)
    bpy.context.view_layer.objects.active = armatures[0]


def look_at(target, distance, elevation=62.0, turn=25.0):
    """Turns the 3D view; angles in degrees."""
    view = mouse.viewport().spaces[0].region_3d
    view.view_perspective = "PERSP"
    view.view_location, view.view_distance = Vector(target), distance
    view.view_rotation = Euler((np.radians(elevation), 0.0, np.radians(turn))).to_quaternion()


def stroke():
    """Places in the world `[N, 3]` of an S over the ground."""
    u = np.linspace(0.0, 1.0, 40)
    return CORNER + np.stack([0.2 + 3.4 * u, -0.9 + 0.7 * np.sin(2 * np.pi * u), 0.0 * u], 1)


# --- what is checked --------------------------------------------------------------------------------------------------


def curves_of(action):
    """Every F-curve of an action: (slot, path, index) -> its points and handles."""
    out = {}
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                for curve in bag.fcurves:
                    points = [(*p.co, *p.handle_left, *p.handle_right, p.interpolation) for p in curve.keyframe_points]
                    out[bag.slot.identifier, curve.data_path, curve.array_index] = points
    return out


def strips_of(armature):
    """(track, strip, slot, influence) of all strips of an armature's NLA."""
    data = armature.animation_data
    tracks = [] if data is None else data.nla_tracks
    return [
        (t.name, s.name, s.action_slot and s.action_slot.name_display, s.influence) for t in tracks for s in t.strips
    ]


def hips(armature):
    """The hips' places in the world at each frame, evaluated `[T, 3]`."""
    scene, bone, now = bpy.context.scene, map_rig(armature).bones["pelvis"], bpy.context.scene.frame_current
    places = []
    for frame in range(START, END + 1):
        scene.frame_set(frame)
        places.append(armature.matrix_world @ armature.pose.bones[bone].head)
    scene.frame_set(now)
    return np.array(places)


def check_walk(armature, curve, word):
    """The evaluated armature really goes along the drawn path."""
    places, line = hips(armature), paths.polyline(curve)
    wanted = np.array(paths.at_shares(line, np.linspace(0, 1, len(places))))
    off = np.linalg.norm((places - wanted)[:, :2], axis=1)
    assert off.mean() < NEAR, f"{word}: the hips are {off.mean():.2f} m from the path on average"
    assert np.ptp(places[:, 2]) < 0.4 and 0.6 < places[:, 2].mean() < 1.2, f"{word}: the hips' height is odd"
    say(f"{word}: along the path, hips {100 * off.mean():.1f} cm from it on average, {100 * off.max():.1f} at most")


def check_together(leader, partner):
    """The partner moves, and stays near its leader."""
    a, b = hips(leader)[:, :2], hips(partner)[:, :2]
    apart = np.linalg.norm(a - b, axis=1)
    assert np.ptp(b, axis=0).max() > 0.2, "the partner stands still"
    assert apart.min() > 0.15 and apart.max() < 3.0, f"they are {apart.min():.2f} to {apart.max():.2f} m apart"
    say(f"the partner moves {apart.min():.2f} to {apart.max():.2f} m from its leader")


def check_actions(wanted):
    """The file holds these actions, each with a user."""
    names = sorted(action.name for action in bpy.data.actions)
    assert names == sorted(wanted), f"actions {names}, expected {sorted(wanted)}"
    orphans = [action.name for action in bpy.data.actions if not action.users]
    assert not orphans, f"actions without a user: {orphans}"


# --- the clicks -------------------------------------------------------------------------------------------------------


def wait_for_takes(shots, name):
    """Until the job is over; takes a picture while it runs, if it runs long enough for one."""
    running, began, pictured = part("worker.job").running, time.monotonic(), False
    while running() is not None:
        assert time.monotonic() - began < PATIENCE, f"still generating after {PATIENCE} s"
        if not pictured and running().share > 0.05:
            pictured = True
            yield from mouse.picture(shots, name)
        yield 0.2
    yield mouse.SETTLE
    say(f"generated in {time.monotonic() - began:.1f} s")


def draw(shots):
    """Draw Path, a stroke, Finish Path."""
    yield from mouse.push("motiondiff.draw_path", *DRAW)
    assert bpy.context.mode == "EDIT_CURVE", bpy.context.mode
    yield from mouse.drag(stroke())
    yield from mouse.picture(shots, "03_drawing")
    yield from mouse.push("motiondiff.draw_path", *DRAW)
    path = clip().path
    assert bpy.context.mode == "OBJECT" and path is not None
    line = paths.polyline(path)
    ends = np.linalg.norm(line[[0, -1], :2] - stroke()[[0, -1], :2], axis=1)
    assert ends.max() < 0.15 and abs(line[:, 2]).max() < 1e-4, f"the path's ends are {ends} m off the stroke's"
    say(f"path drawn, {np.linalg.norm(np.diff(line, axis=0), axis=1).sum():.2f} m long")


def walk(ann, own, shots):
    """Generate, look at the takes, accept one, bake."""
    yield from mouse.push("motiondiff.generate()", *GENERATE)
    yield from wait_for_takes(shots, "05_generating")
    assert len(clip().results) == 2 and clip().shown == 0
    check_actions(["Clip take 1", "Clip take 2", own.name])
    assert ann.animation_data.action == clip().results[0].action and ann.animation_data.action_slot
    check_walk(ann, clip().path, "take 1")
    yield from mouse.picture(shots, "06_takes")
    yield from mouse.push("take_show(step=1)", *AFTER)
    assert clip().shown == 1 and ann.animation_data.action == clip().results[1].action
    yield from mouse.push("take_show(step=-1)", *BEFORE)
    assert clip().shown == 0
    yield from mouse.push("motiondiff.accept", *ACCEPT)
    yield from mouse.until(lambda: clip().accepted and len(clip().results) == 1, "Accept keeps nothing")
    check_actions(["Clip take 1", own.name])
    yield from mouse.push("motiondiff.bake", *BAKE)
    yield from mouse.until(lambda: clip().baked and ann.animation_data.action is None, "Bake has no effect")
    assert strips_of(ann) == [("MotionDiff: Clip", "Clip", "Ann", 1.0)], strips_of(ann)
    check_actions(["Clip take 1", own.name])
    check_walk(ann, clip().path, "baked")
    yield from mouse.picture(shots, "07_baked")


def partner(ann, ben, own, shots):
    """Generate Partner for the same clip, bake, play."""
    before = hips(ann)
    yield from mouse.push("motiondiff.generate_partner", *PARTNER)
    yield from wait_for_takes(shots, "08_partner_generating")
    assert len(clip().results) == 2
    action = clip().results[0].action
    assert len(action.slots) == 2 and ann.animation_data.action == ben.animation_data.action == action
    assert np.abs(hips(ann) - before).max() < 1e-5, "the leader moves otherwise than before"
    check_together(ann, ben)
    bpy.context.scene.frame_set(SHOWN)
    select(clip().path)
    look_at(CORNER + (1.9, -0.8, 0.8), 6.0)
    yield from mouse.picture(shots, "09_partner")
    yield from mouse.push("motiondiff.accept", *ACCEPT)
    yield from mouse.until(lambda: clip().accepted, "Accept keeps nothing")
    yield from mouse.push("motiondiff.bake", *BAKE)
    yield from mouse.until(lambda: clip().baked, "Bake has no effect")
    assert len(strips_of(ann)) == len(strips_of(ben)) == 1
    assert np.abs(hips(ann) - before).max() < 1e-5, "the leader moves otherwise than before"
    check_together(ann, ben)
    yield from mouse.press("SPACE")
    assert bpy.context.screen.is_animation_playing, "Space plays nothing"
    yield 2.0
    yield from mouse.press("SPACE")
    assert not bpy.context.screen.is_animation_playing
    assert bpy.context.scene.render.fps == FPS
    bpy.context.scene.frame_set(SHOWN)
    yield from mouse.picture(shots, "10_partner_baked")


def undo(own):
    """Ctrl Z back to before the path was generated; each state is whole."""
    states = []
    for _ in range(12):
        yield from mouse.press("Z", ctrl=True)
        assert part("worker.job").running() is None
        if not len(bpy.context.scene.motiondiff.clips):
            break
        states.append((len(clip().results), clip().shown, clip().baked))
        named = {item.action for item in clip().results} | {clip().leader, bpy.data.actions[own]}
        left = [action.name for action in set(bpy.data.actions) - named]
        assert not left, f"left behind: {left}"
        assert all(action.users for action in bpy.data.actions), "an action without a user"
        if states[-1] == (0, -1, False):
            break
    assert states[-1] == (0, -1, False), states
    say("undone:", *states)
    yield from mouse.press("Z", ctrl=True, shift=True)
    assert len(clip().results) == 2, "redo brought no takes"
    yield from mouse.press("Z", ctrl=True)


def whole(shots):
    """All of it."""
    if not bpy.app.use_event_simulate:
        raise SystemExit("window: start Blender with --enable-event-simulate")
    assert MODULE in bpy.context.preferences.addons, f"{MODULE} is not enabled: install the zip in this profile"
    yield from mouse.press("ESC")
    ann, ben = make_scene()
    own = ann.animation_data.action
    kept, objects = curves_of(own), len(bpy.data.objects)
    yield from mouse.open_tab("MotionDiff")
    yield from mouse.picture(shots, "01_empty")
    bpy.ops.ed.undo_push(message="Scene")
    yield from mouse.push("motiondiff.clip_add", *ADD)
    assert clip().character_a == ann and (clip().frame_start, clip().frame_end) == (START, END)
    clip().takes = 2
    bpy.ops.ed.undo_push(message="Numbers")
    yield from mouse.picture(shots, "02_clip")
    yield from draw(shots)
    select(ann)
    look_at(CORNER + (1.8, -0.9, 0.6), 8.0)
    yield from mouse.picture(shots, "04_path")
    yield from walk(ann, own, shots)
    clip().character_b = ben
    bpy.ops.ed.undo_push(message="Character B")
    yield from partner(ann, ben, own, shots)
    assert curves_of(own) == kept, "the leader's own action was changed"
    yield from mouse.push("motiondiff.restore", *RESTORE)
    assert ann.animation_data.action == own and not strips_of(ann) and not strips_of(ben)
    assert len(bpy.data.objects) == objects + 1, "objects came or went"
    yield from mouse.picture(shots, "11_restored")
    say("restored: the own action is back")
    yield from undo(own.name)
    ann, own = bpy.data.objects["Ann"], bpy.data.objects["Ann"].animation_data.action
    assert curves_of(own) == kept and not strips_of(ann)
    check_actions([own.name])
    yield from mouse.picture(shots, "12_undone")
    say("all is well")


def main():
    """Reads the arguments after -- and starts."""
    parser = argparse.ArgumentParser(prog="window_check.py")
    parser.add_argument("--shots", metavar="FOLDER", help="where pictures of the steps are saved")
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    shots = parser.parse_args(given).shots
    mouse.run(whole(shots and str(Path(shots).resolve())))


main()
