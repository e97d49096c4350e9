import bpy
import numpy as np
import pytest

from blender_motiondiff.scene.errors import SceneError
from blender_motiondiff.scene.path_curve import timed_path, world_points


def curve(kind, points, name="Path", cyclic=False, **settings):
    data = bpy.data.curves.new(name, "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new(kind)
    if kind == "BEZIER":
        spline.bezier_points.add(len(points) - 1)
        for point, place in zip(spline.bezier_points, points):
            point.co = place
            point.handle_left_type = point.handle_right_type = settings.get("handles", "AUTO")
    else:
        spline.points.add(len(points) - 1)
        for point, place in zip(spline.points, points):
            point.co = (*place, 1.0)
    spline.use_cyclic_u = cyclic
    if kind == "NURBS":
        spline.order_u = settings.get("order", 4)
        spline.use_endpoint_u = settings.get("endpoint", True)
    ob = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.update()
    return ob


CORNERS = [(0, 0, 0), (1, 0, 0.5), (1, 2, 0), (3, 2, 0), (4, 4, 1)]


def drawn(ob):
    """Points of the line that Blender draws for a curve object, in the world."""
    mesh = ob.to_mesh()
    points = np.array([ob.matrix_world @ v.co for v in mesh.vertices])
    ob.to_mesh_clear()
    return np.concatenate([points, points[:1]]) if ob.data.splines[0].use_cyclic_u else points


def away(points, line):
    """Largest distance `[K, 3]` points have from a polyline."""
    starts, steps = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - starts) * steps).sum(-1) / np.maximum((steps**2).sum(-1), 1e-12)
    nearest = starts + np.clip(share, 0, 1)[..., None] * steps
    return np.linalg.norm(points[:, None] - nearest, axis=-1).min(1).max()


def check_drawn(ob):
    ob.data.resolution_u = 32
    bpy.context.view_layer.update()
    ours, blenders = world_points(ob), drawn(ob)
    assert away(ours, blenders) < 0.02
    assert away(blenders, ours) < 0.02


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("kind", ["POLY", "BEZIER", "NURBS"])
def test_points_lie_on_the_curve_that_blender_draws(scene, kind, cyclic):
    ob = curve(kind, CORNERS, cyclic=cyclic)
    ob.location, ob.rotation_euler, ob.scale = (3, 1, 2), (0.1, 0.2, 1.0), (2, 2, 2)
    check_drawn(ob)


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("endpoint", [False, True])
@pytest.mark.parametrize("order", [3, 4])
def test_nurbs_of_every_kind(scene, order, endpoint, cyclic):
    check_drawn(curve("NURBS", [*CORNERS, (5, 4, 0), (6, 2, 0)], cyclic=cyclic, order=order, endpoint=endpoint))


def test_nurbs_of_bezier_kind_are_refused(scene):
    ob = curve("NURBS", [*CORNERS, (5, 4, 0), (6, 2, 0)], "Track", endpoint=False)
    ob.data.splines[0].use_bezier_u = True
    with pytest.raises(SceneError, match="Track is a NURBS curve of Bezier kind"):
        timed_path(ob, 1.0, scene)


def test_constant_speed_along_the_ground(scene):
    path = timed_path(curve("BEZIER", CORNERS), 4.0, scene)
    assert path.times[0] == 0 and path.times[-1] == 4.0 and len(path.times) == 121
    steps = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    assert np.ptp(steps) < 0.03 * steps.mean()
    assert np.allclose(path.points[[0, -1]], [[0, 0], [4, 4]], atol=1e-5)


def test_an_animated_evaluation_time_is_the_timing(scene):
    ob = curve("POLY", [(0, 0, 0), (10, 0, 0)])
    scene.render.fps, ob.data.use_path, ob.data.path_duration = 25, True, 100
    for frame, value in ((101, 0.0), (126, 80.0), (151, 100.0)):
        ob.data.eval_time = value
        ob.data.keyframe_insert("eval_time", frame=frame)
    path = timed_path(ob, 2.0, scene, frame_start=101)
    at = lambda t: np.interp(t, path.times, path.points[:, 0])  # noqa: E731
    assert at(0.0) == pytest.approx(0.0, abs=1e-4)
    assert at(1.0) == pytest.approx(8.0, abs=1e-3)
    assert at(2.0) == pytest.approx(10.0, abs=1e-4)


def test_the_longest_of_several_strokes(scene):
    ob = curve("POLY", [(0, 0, 0), (0.1, 0, 0)])
    longer = ob.data.splines.new("POLY")
    longer.points.add(1)
    longer.points[1].co = (0, 5, 0, 1)
    assert np.allclose(timed_path(ob, 1.0, scene).points[-1], (0, 5))


@pytest.mark.parametrize(
    "make",
    [
        lambda: curve("POLY", [(1, 1, 0), (1, 1, 0)]),
        lambda: curve("POLY", [(1, 1, 0), (1, 1, 5)]),  # straight up: none on the ground
        lambda: curve("BEZIER", [(1, 1, 0)]),
        lambda: bpy.data.objects.new("Path", bpy.data.curves.new("Path", "CURVE")),
    ],
)
def test_paths_of_no_length(scene, make):
    with pytest.raises(SceneError, match="The path Path has no length on the ground"):
        timed_path(make(), 1.0, scene)
