"""Rendered frames of the clips: for the film, for the contact sheet, one at a time."""

from pathlib import Path

import bpy
import numpy as np

from tools.demo import bodies, stage

MOMENTS = 12  # of each clip on the contact sheet
STILLS = 4  # of each control
STILL_SIZE = (480, 270)
STROBE = 9  # poses of the path clip in one picture


def only(scene, case):
    """Hides the other clips' collections from the render and looks through this clip's camera."""
    for collection in scene.collection.children:
        collection.hide_render = collection.name not in (case.place, "Stage")
    scene.camera = stage.camera_of(case)


def render(scene, path, size=None):
    """One picture of the scene as it is."""
    settings = scene.render
    settings.resolution_x, settings.resolution_y = size or stage.SIZE
    settings.image_settings.file_format = "PNG"
    settings.image_settings.compression = 5
    settings.filepath = str(path)
    bpy.ops.render.render(write_still=True, scene=scene.name)


def film(scene, case, folder):
    """Every frame of a clip as a picture: FRAME.jpg in `folder`."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    only(scene, case)
    settings = scene.render
    settings.resolution_x, settings.resolution_y = stage.SIZE
    settings.image_settings.file_format, settings.image_settings.quality = "JPEG", 95
    settings.filepath = str(Path(folder) / "####")
    whole = scene.frame_start, scene.frame_end
    scene.frame_start, scene.frame_end = case.frames
    bpy.ops.render.render(animation=True, scene=scene.name)
    scene.frame_start, scene.frame_end = whole


def moments(case, count=MOMENTS):
    """Frames of a clip that stand for it: evenly spread, both ends included, the keyed ones among them."""
    frames = np.linspace(case.frames[0], case.frames[1], count).round().astype(int)
    for key in case.keys:
        frames[np.abs(frames - key.frame).argmin()] = key.frame
    return frames


def stills(scene, case, folder, count=STILLS):
    """Some frames of a clip as smaller pictures; returns their paths."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    only(scene, case)
    paths = []
    for frame in moments(case, count):
        scene.frame_set(int(frame))
        paths.append(Path(folder) / f"{frame:04d}.png")
        render(scene, paths[-1], STILL_SIZE)
    return paths


def strobe(scene, case, path, size=(1280, 440)):
    """The clip in one picture: the body at several moments at once, along the whole path."""
    only(scene, case)
    collection = bpy.data.collections[case.place]
    body = next(o for o in collection.objects if o.parent and o.parent.name == case.walker)
    hidden = [body, *(o for o in collection.objects if o.name.startswith("Keyed pose"))]
    copies = []
    for frame in moments(case, STROBE):
        scene.frame_set(int(frame))
        copies.append(bodies.ghost(body, "blue", collection, f"strobe {frame}", alpha=1.0))
    for thing in hidden:
        thing.hide_render = True
    camera = strobe_camera(collection, copies)
    scene.camera, scene.display.render_aa = camera, "8"
    render(scene, path, size)
    for thing in (*copies, camera):
        bpy.data.objects.remove(thing)
    for thing in hidden:
        thing.hide_render = False


def strobe_camera(collection, things):
    """A camera that sees all of some things, from one side."""
    corners = np.array([corner for thing in things for corner in thing.bound_box])
    middle, reach = 0.5 * (corners.min(0) + corners.max(0)), np.ptp(corners[:, :2], axis=0).max() / 2
    camera = bpy.data.objects.new("strobe", bpy.data.cameras.new("strobe"))
    camera.data.lens, camera.rotation_mode = 50.0, "QUATERNION"
    collection.objects.link(camera)
    stage.aim(camera, (middle[0], middle[1], 0.88), reach * 4.9, stage.AZIMUTH, 14.0)
    return camera
