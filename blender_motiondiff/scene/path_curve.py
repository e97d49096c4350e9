"""A curve object as a timed path on the ground."""

import numpy as np

from ..core.motion import FPS
from ..core.request import Path
from .errors import SceneError

PER_SEGMENT = 24  # points that stand for one Bezier or NURBS segment


def timed_path(curve, duration, scene, frame_start=None):
    """The core's Path over `duration` seconds: constant speed along the ground, unless the curve carries timing.

    A curve carries timing if Path Animation is on and its Evaluation Time is animated; then its share of the path's
    frames at each frame from `frame_start` on (the scene's first, if not given) says how far along one is.
    """
    points = world_points(curve)
    steps = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] < 1e-6:
        raise SceneError(f"The path {curve.name} has no length on the ground. Draw a longer one.")
    times = np.linspace(0.0, duration, max(int(round(duration * FPS)) + 1, 2))
    start = scene.frame_start if frame_start is None else frame_start
    shares = _shares(curve, start + times * scene.render.fps / scene.render.fps_base)
    if shares is None:
        shares = times / duration
    where = shares * along[-1]
    return Path(times, np.stack([np.interp(where, along, points[:, i]) for i in (0, 1)], 1))


def world_points(curve):
    """Points `[K, 3]` along the longest spline of a curve object, in the world. Raises SceneError for none."""
    if curve.type != "CURVE":
        raise SceneError(f"{curve.name} is no curve. Choose a curve object as the path.")
    matrix = np.array(curve.matrix_world)
    lines = [_line(spline) @ matrix[:3, :3].T + matrix[:3, 3] for spline in curve.data.splines]
    lines = [line for line in lines if len(line) > 1 and np.isfinite(line).all()]
    if not lines:
        raise SceneError(f"The path {curve.name} has no length on the ground. Draw a longer one.")
    return max(lines, key=lambda line: np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def _shares(curve, frames):
    """Shares 0 to 1 of the path at scene frames, from its animated Evaluation Time; None where it has none."""
    from .slots import channelbag

    data = curve.data
    animation = data.animation_data
    if not data.use_path or animation is None or animation.action is None or animation.action_slot is None:
        return None
    bag = channelbag(animation.action, animation.action_slot)
    timing = bag and bag.fcurves.find("eval_time")
    if not timing:
        return None
    values = np.array([timing.evaluate(float(frame)) for frame in frames])
    return np.clip(values / data.path_duration, 0.0, 1.0)


def _line(spline):
    """Points `[K, 3]` along a spline, in the curve's own space."""
    if spline.type == "BEZIER":
        return _bezier(spline)
    points = np.array([p.co for p in spline.points], float).reshape(-1, 4)
    if spline.use_bezier_u and spline.type == "NURBS":
        raise SceneError(
            f"The path {spline.id_data.name} is a NURBS curve of Bezier kind. Convert it to a Bezier curve."
        )
    if spline.type == "NURBS" and len(points) > 2:
        return _nurbs(points, spline)
    places = points[:, :3]
    return np.concatenate([places, places[:1]]) if spline.use_cyclic_u and len(places) > 1 else places


def _bezier(spline):
    own = [np.array([getattr(p, name) for p in spline.bezier_points]) for name in ("handle_left", "co", "handle_right")]
    left, middle, right = own
    if spline.use_cyclic_u:
        left, middle, right = (np.concatenate([a, a[:1]]) for a in own)
    if len(middle) < 2:
        return middle.reshape(-1, 3)
    t = np.linspace(0.0, 1.0, PER_SEGMENT + 1)[:, None, None]
    p0, p1, p2, p3 = middle[:-1], right[:-1], left[1:], middle[1:]
    parts = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3  # [t, segment, 3]
    inner = parts[:-1].transpose(1, 0, 2).reshape(-1, 3)
    return np.concatenate([inner, middle[-1:]])


def _nurbs(points, spline):
    """A NURBS spline by the Cox-de Boor recursion. `points [N, 4]`: places and weights."""
    count, order = len(points), min(spline.order_u, len(points))
    knots = _knots(count, order, spline)
    if spline.use_cyclic_u:
        points = np.concatenate([points, points[: order - 1]])
        count += order - 1
    low, high = knots[order - 1], knots[count]
    u = np.linspace(low, high, PER_SEGMENT * count + 1)
    u[-1] = high - 1e-9 * (high - low)
    basis = ((u[:, None] >= knots[:-1]) & (u[:, None] < knots[1:])).astype(float)
    for degree in range(1, order):
        width = count + order - 1 - degree
        starts, ends = knots[:width], knots[degree : degree + width]
        rise = _ratio(u[:, None] - starts, ends - starts)
        starts, ends = knots[1 : 1 + width], knots[degree + 1 : degree + 1 + width]
        basis = rise * basis[:, :width] + _ratio(ends - u[:, None], ends - starts) * basis[:, 1 : width + 1]
    weights = basis * points[:, 3]
    return weights @ points[:, :3] / np.maximum(weights.sum(1, keepdims=True), 1e-12)


def _knots(count, order, spline):
    """The knots that Blender gives a spline of `count` points by its Endpoint and Cyclic settings."""
    if not spline.use_cyclic_u:
        knots = np.arange(count + order, dtype=float)
        return np.clip(knots, order - 1, count) if spline.use_endpoint_u else knots
    # Closed: the widths at the start come again at the end. With Endpoint the first of them are zero.
    still = order - 1 if spline.use_endpoint_u else 0
    knots = np.arange(count, dtype=float)
    if still:
        knots = np.concatenate([[0.0], 1.0 + np.maximum(np.arange(count - 1) - still + 1, 0)])
    after, knots = knots[-1] + 1, list(knots)
    for i in range(2 * order - 1):
        knots.append(after + knots[i] - knots[0])
    return np.array(knots)


def _ratio(a, b):
    return np.where(b > 0, a / np.where(b > 0, b, 1.0), 0.0)
