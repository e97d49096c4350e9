"""Draw Path without a window: a path that can be followed at once. The drawing itself needs one."""

import bpy
import numpy as np
import pytest

from blender_motiondiff.operators import draw_path
from blender_motiondiff.scene.path_curve import timed_path

from .conftest import refused, straight_path


def test_a_straight_path_leads_ahead_of_the_character(solo):
    solo.path, solo.ground = None, 0.5
    solo.character_a.location = (3.0, 2.0, 0.0)
    solo.character_a.rotation_euler.z = np.pi / 2
    bpy.context.view_layer.update()
    assert bpy.ops.motiondiff.draw_path() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert solo.path.name == "Clip Path" and solo.path.name in bpy.context.scene.objects
    path = timed_path(solo.path, 2.0, bpy.context.scene)
    np.testing.assert_allclose(path.points[[0, -1]], [[3.0, 2.0], [5.0, 2.0]], atol=1e-5)
    ends = [solo.path.matrix_world @ p.co for p in solo.path.data.splines[0].bezier_points]
    assert [round(p.z, 6) for p in ends] == [0.5, 0.5]


def test_the_path_is_generated_along(solo, worker):
    solo.path = None
    bpy.ops.motiondiff.draw_path()
    assert bpy.ops.motiondiff.generate() == {"FINISHED"}


def test_without_a_character_it_starts_at_the_origin(solo):
    solo.path = solo.character_a = None
    bpy.ops.motiondiff.draw_path()
    assert tuple(solo.path.matrix_world.translation) == (0.0, 0.0, 0.0)


def test_a_path_that_is_there_is_not_replaced(solo):
    assert "has a path already (Path)" in refused(bpy.ops.motiondiff.draw_path)


def test_drawing_is_finished_on_the_ground(solo):
    """What is drawn lies at the height of the 3D cursor; finishing lays it on the ground, whatever the object is."""
    path = solo.path
    path.rotation_euler, path.location, path.scale = (0.3, 0.2, 0.1), (1.0, 2.0, 3.0), (2.0, 2.0, 2.0)
    spline = path.data.splines.new("BEZIER")
    spline.bezier_points.add(2)
    for number, point in enumerate(spline.bezier_points):
        point.co = (number, number**2, 1.7)
        point.handle_left_type = point.handle_right_type = "FREE"
        point.handle_left, point.handle_right = (number, 0.0, 1.0), (number, 1.0, 2.0)
    solo.ground = 0.4
    bpy.context.view_layer.update()
    before = [path.matrix_world @ p.co for p in spline.bezier_points]
    bpy.context.view_layer.objects.active = path
    bpy.ops.object.mode_set(mode="EDIT")
    draw_path._finish(bpy.context.scene, solo)
    assert path.mode == "OBJECT"
    spline = path.data.splines[1]
    for was, point in zip(before, spline.bezier_points):
        for at in (point.handle_left, point.co, point.handle_right):
            assert (path.matrix_world @ at).z == pytest.approx(0.4, abs=1e-5)
        now = path.matrix_world @ point.co
        assert (now.x, now.y) == pytest.approx((was.x, was.y), abs=1e-5)


def test_finishing_an_empty_drawing_says_so(solo):
    solo.path.data.splines.clear()
    bpy.context.view_layer.objects.active = solo.path
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(Exception, match="Nothing was drawn on Path"):
        draw_path._finish(bpy.context.scene, solo)
    assert solo.path.mode == "OBJECT"


def test_finishing_says_how_fast_it_will_be_walked(solo):
    solo.path.location = (4.0, 1.0, 0.0)
    bpy.context.view_layer.objects.active = solo.path
    bpy.ops.object.mode_set(mode="EDIT")
    done = draw_path._finish(bpy.context.scene, solo)
    assert done == "Clip follows Path: 2.0 m in 1.0 s, 2.0 m/s"


def test_a_linked_path_is_not_edited(solo, tmp_path):
    foreign = straight_path("Foreign")
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {foreign})
    bpy.data.objects.remove(foreign)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, into):
        into.objects = ["Foreign"]
    bpy.context.collection.objects.link(into.objects[0])
    solo.path = into.objects[0]
    assert "linked from another file" in refused(bpy.ops.motiondiff.draw_path)
