"""What is seen beside the characters: bodies' collections, ground, paths, keyed poses, cameras, render settings."""

from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Vector

from blender_motiondiff.core.reference import smooth
from tools.demo import bodies, paths, solids
from tools.demo.installed import map_rig

SIZE = (640, 360)
GROUND = ((0.44, 0.46, 0.48), (0.52, 0.54, 0.56))
PATH_COLOUR = (0.95, 0.78, 0.10)
SKY = (0.66, 0.72, 0.78)
CALM = 0.7  # seconds over which a camera's way is averaged
AZIMUTH = 20.0  # degrees from -Y: the side that a path is looked at from
TURNS = 0.8  # seconds over which the way that a camera goes around a couple is averaged
SEES = 1.22  # metres about the middle of the action that a camera shows


def collection_of(scene, name):
    """A collection of the scene by its name, made when it is not there."""
    found = bpy.data.collections.get(name)
    if found is None:
        found = bpy.data.collections.new(name)
        scene.collection.children.link(found)
    return found


def move_to(collection, thing):
    """Links an object to this collection alone."""
    for other in list(thing.users_collection):
        other.objects.unlink(thing)
    collection.objects.link(thing)


def dress_case(scene, case):
    """Bodies for a case's characters and a tube for its path, in a collection of its own; returns A's body."""
    collection = collection_of(scene, case.place)
    for name in (case.walker, case.partner, case.curve, case.truth):
        if name:
            move_to(collection, bpy.data.objects[name])
    if case.truth:
        bpy.data.objects[case.truth].hide_viewport = False
        bpy.data.objects[case.truth].hide_set(True)
    walker = bpy.data.objects[case.walker]
    body = bodies.dress(walker, map_rig(walker).bones, "blue", collection)
    if case.is_reaction:
        bodies.dress(case.moved, map_rig(case.moved).bones, "orange", collection)
    if case.curve:
        add_path_tube(collection, bpy.data.objects[case.curve])
    return body


def add_ground(scene, centre, half=14, height=0.0):
    """A chequered floor of 1 m squares about `centre [2]`."""
    x0, y0 = round(centre[0]) - half, round(centre[1]) - half
    row = 2 * half + 1
    grid = np.array([[x0 + i, y0 + j, height] for i in range(row) for j in range(row)], float)
    squares = [(i, j) for i in range(2 * half) for j in range(2 * half)]
    faces = [(i * row + j, (i + 1) * row + j, (i + 1) * row + j + 1, i * row + j + 1) for i, j in squares]
    materials = {key: bodies.material(f"ground {key}", rgb) for key, rgb in zip("ab", GROUND, strict=True)}
    mesh = bodies.mesh_of("Ground", grid, faces, materials, ["ab"[(i + j) % 2] for i, j in squares])
    ground = bpy.data.objects.new("Ground", mesh)
    collection_of(scene, "Stage").objects.link(ground)
    return ground


def add_path_tube(collection, curve_object, radius=0.02):
    """A coloured tube along a curve object, with its own mesh, so that the curve itself stays as it was drawn."""
    points = paths.polyline(curve_object)
    points[:, 2] += radius
    colour = {"path": bodies.material("path", PATH_COLOUR)}
    tube = bodies.mesh_of(f"{curve_object.name} tube", *solids.tube(points, radius), colour)
    shown = bpy.data.objects.new(tube.name, tube)
    collection.objects.link(shown)
    return shown


@contextmanager
def alone(scene, case):
    """While inside, Blender evaluates no other clip's characters, and no bodies: measuring is several times faster."""
    others = [c for c in scene.collection.children if c.name != case.place]
    skins = [m for thing in scene.objects for m in thing.modifiers if m.type == "ARMATURE"]
    for collection in others:
        collection.hide_viewport = True
    for skin in skins:
        skin.show_viewport = False
    try:
        yield
    finally:
        for collection in others:
            collection.hide_viewport = False
        for skin in skins:
            skin.show_viewport = True


# --- cameras ----------------------------------------------------------------------------------------------------------


def camera_of(case):
    """The camera of a case, made when it is not there."""
    name = f"{case.place} camera"
    found = bpy.data.objects.get(name)
    if found is None:
        found = bpy.data.objects.new(name, bpy.data.cameras.new(name))
        found.data.lens = 50.0
        found.rotation_mode = "QUATERNION"
        bpy.data.collections[case.place].objects.link(found)
    return found


def follow(case, tracks, elevation=14.0):
    """Keys a case's camera at every frame so that it keeps the characters of the `tracks` in the middle.

    With two of them it goes around slowly, so that it looks at them from the side and neither hides the other.
    """
    camera, fps = camera_of(case), tracks[0].fps
    pelvis = np.stack([track.places[:, 0] for track in tracks])
    middle = smooth(pelvis.mean(0), CALM, fps)
    middle[:, 2] = 0.98
    apart = np.linalg.norm(pelvis - middle, axis=-1).max(0)
    radius = SEES + smooth(np.maximum(apart - 0.35, 0.0)[:, None], CALM, fps)[:, 0]
    sides = np.full(len(middle), AZIMUTH) if len(tracks) == 1 else beside(pelvis[1] - pelvis[0], fps)
    for frame, target, seen, side in zip(case.range, middle, radius, sides, strict=True):
        aim(camera, target, distance_for(camera, seen), side, elevation)
        camera.keyframe_insert("location", frame=int(frame))
        camera.keyframe_insert("rotation_quaternion", frame=int(frame))
    return camera


def beside(apart, fps):
    """Azimuths `[T]`, degrees, from which two characters stand side by side. `apart [T, 3]`: from one to the other."""
    line = np.unwrap(np.arctan2(apart[:, 1], apart[:, 0]), period=np.pi)
    return np.degrees(smooth(line[:, None], TURNS, fps)[:, 0])


def aim(camera, target, distance, azimuth, elevation):
    """Places a camera `distance` metres from `target [3]`, looking at it; angles in degrees, azimuth 0 from -Y."""
    turn, rise = np.radians(azimuth), np.radians(elevation)
    way = np.array([np.sin(turn) * np.cos(rise), -np.cos(turn) * np.cos(rise), np.sin(rise)])
    camera.location = np.asarray(target) + way * distance
    camera.rotation_quaternion = Vector(-way).to_track_quat("-Z", "Y")


def distance_for(camera, radius):
    """How far away a camera must stand to see a ball of `radius` metres in the shorter side of its picture."""
    half = 0.5 * camera.data.sensor_width / camera.data.lens * SIZE[1] / SIZE[0]
    return radius / np.sin(np.arctan(half))


def set_up(scene):
    """The floor, the render and the windows of a file whose clips stand about the origin."""
    add_ground(scene, (4.0, 0.0))
    set_up_render(scene)
    set_up_windows()


def set_up_render(scene):
    """Workbench, colours of the materials, soft shadows, the same on every machine."""
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.display.render_aa = "FXAA"
    scene.view_settings.view_transform = "Standard"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows, shading.shadow_intensity = True, 0.35
    shading.show_cavity = False
    scene.display.light_direction = (0.35, 0.45, 0.82)
    if scene.world is None:
        scene.world = bpy.data.worlds.new("World")
    scene.world.color = SKY


def set_up_windows():
    """What is seen when the file is opened: solid shading in the materials' colours."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            if area.type == "VIEW_3D":
                shading = area.spaces.active.shading
                shading.type, shading.color_type = "SOLID", "MATERIAL"
