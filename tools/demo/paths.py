"""The drawn path: an S on the ground as a Bezier curve object, and where a walker at even speed is on it."""

import bpy
import numpy as np

LENGTH = 6.0  # metres
BEND = 0.24  # how far the S swings out to each side, as a share of its extent


def s_points(count=9, bend=BEND):
    """Points `[count, 2]` on an S along +X from the origin, of extent 1."""
    x = np.linspace(0.0, 1.0, count)
    return np.stack([x, bend * np.sin(2 * np.pi * x)], 1)


def arc_lengths(points):
    """Length along `points [N, 2 or 3]` up to each, in their unit."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def at_shares(points, shares):
    """Places `[K, D]` at shares (0 to 1) of the length of a polyline `[N, D]`."""
    lengths = arc_lengths(points)
    wanted = np.asarray(shares, float) * lengths[-1]
    return np.stack([np.interp(wanted, lengths, column) for column in points.T], -1)


def heading_at(points, share, reach=0.01):
    """Which way a walker faces at a share of the path: radians about the vertical, 0 faces -Y."""
    ends = at_shares(points, np.clip([share - reach, share + reach], 0, 1))
    way = ends[1] - ends[0]
    return float(np.arctan2(way[0], -way[1]))


def add_curve(collection, name, location, turn):
    """The S as a curve object that stands at `location [3]`, turned by `turn` radians, LENGTH metres long."""
    curve = bpy.data.curves.new(name, "CURVE")
    curve.dimensions, curve.resolution_u = "3D", 24
    spline = curve.splines.new("BEZIER")
    points = s_points()
    points *= LENGTH / arc_lengths(s_points(400))[-1]
    spline.bezier_points.add(len(points) - 1)
    for knot, (x, y) in zip(spline.bezier_points, points, strict=True):
        knot.co = (x, y, 0.0)
        knot.handle_left_type = knot.handle_right_type = "AUTO"
    path = bpy.data.objects.new(name, curve)
    path.location, path.rotation_euler = location, (0.0, 0.0, turn)
    collection.objects.link(path)
    bpy.context.view_layer.update()
    return path


def polyline(curve_object):
    """The curve as Blender draws it: points `[N, 3]` in the world."""
    mesh = curve_object.to_mesh(depsgraph=bpy.context.evaluated_depsgraph_get())
    points = np.array([curve_object.matrix_world @ vertex.co for vertex in mesh.vertices])
    curve_object.to_mesh_clear()
    return points
