"""What is seen beside the characters: ground, paths, light, cameras, and the settings of the render."""

import bpy
import numpy as np
from mathutils import Vector

from tools.demo import bodies, paths, solids

SIZE = (640, 360)
GROUND = ((0.36, 0.38, 0.40), (0.43, 0.45, 0.47))
PATH_COLOUR = (0.95, 0.78, 0.10)


def collection_of(scene, name):
    """A collection of the scene by its name, made when it is not there."""
    found = bpy.data.collections.get(name)
    if found is None:
        found = bpy.data.collections.new(name)
        scene.collection.children.link(found)
    return found


def add_ground(collection, centre, half=14, height=0.0):
    """A chequered floor of 1 m squares about `centre [2]`."""
    x0, y0 = round(centre[0]) - half, round(centre[1]) - half
    grid = np.array([[x0 + i, y0 + j, height] for i in range(2 * half + 1) for j in range(2 * half + 1)], float)
    row = 2 * half + 1
    faces = [(i * row + j, (i + 1) * row + j, (i + 1) * row + j + 1, i * row + j + 1)
             for i in range(2 * half) for j in range(2 * half)]  # fmt: skip
    shades = ["ab"[(i + j) % 2] for i in range(2 * half) for j in range(2 * half)]
    materials = {key: bodies.material(f"ground {key}", rgb) for key, rgb in zip("ab", GROUND, strict=True)}
    ground = bpy.data.objects.new("Ground", bodies.mesh_of("Ground", grid, faces, materials, shades))
    collection.objects.link(ground)
    return ground


def add_path_tube(collection, curve_object, radius=0.025):
    """A coloured tube along a curve object, with its own mesh, so that the curve itself stays as it was drawn."""
    points = paths.polyline(curve_object)
    points[:, 2] += radius
    colour = {"path": bodies.material("path", PATH_COLOUR)}
    tube = bodies.mesh_of(f"{curve_object.name} tube", *solids.tube(points, radius), colour)
    shown = bpy.data.objects.new(tube.name, tube)
    collection.objects.link(shown)
    return shown


def add_camera(collection, name, lens=50.0):
    """A camera for the picture's format."""
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.data.lens = lens
    collection.objects.link(camera)
    return camera


def aim(camera, target, distance, azimuth, elevation):
    """Places a camera `distance` metres from `target [3]`, looking at it; angles in degrees, azimuth 0 from -Y."""
    turn, rise = np.radians(azimuth), np.radians(elevation)
    way = np.array([np.sin(turn) * np.cos(rise), -np.cos(turn) * np.cos(rise), np.sin(rise)])
    camera.location = np.asarray(target) + way * distance
    camera.rotation_mode = "QUATERNION"
    camera.rotation_quaternion = Vector(-way).to_track_quat("-Z", "Y")


def key_camera(camera, frames, targets, distances, azimuth, elevation):
    """Keys a camera that follows `targets [K, 3]` at `frames [K]`, always from the same side."""
    for frame, target, distance in zip(frames, targets, distances, strict=True):
        aim(camera, target, distance, azimuth, elevation)
        camera.keyframe_insert("location", frame=frame)


def distance_for(camera, radius):
    """How far away a camera must stand to see a ball of `radius` metres in the shorter side of its picture."""
    half = 0.5 * camera.data.sensor_width / camera.data.lens * SIZE[1] / SIZE[0]
    return radius / np.sin(np.arctan(half))


def set_up_render(scene, samples="8"):
    """Workbench, colours of the materials, soft shadows, the same on every machine."""
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.resolution_percentage = 100
    scene.render.use_stamp = False
    scene.display.render_aa = samples
    scene.view_settings.view_transform = "Standard"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows, shading.shadow_intensity = True, 0.35
    shading.show_cavity, shading.cavity_type = True, "WORLD"
    scene.display.light_direction = (0.35, 0.45, 0.82)
    if scene.world is None:
        scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.62, 0.68, 0.74)
