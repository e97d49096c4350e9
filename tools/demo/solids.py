"""Simple closed surfaces as arrays, for bodies that are looked at: `(points [N, 3], faces)`, in any unit.

Everything is a loft: rings of SIDES points about a line, closed at both ends by a fan.
"""

import numpy as np

SIDES = 16
CAP_RINGS = 4


def loft(centres, across, along, widths, depths):
    """A skin over elliptical rings.

    `centres [R, 3]`, axes of the ellipses `across [3]` and `along [3]` (unit), half axes `widths [R]`, `depths [R]`.
    Returns points `[R * SIDES + 2, 3]` (the last two close the ends) and faces.
    """
    centres = np.asarray(centres, float)
    angle = np.arange(SIDES) * (2 * np.pi / SIDES)
    rings = (
        centres[:, None]
        + np.asarray(widths, float)[:, None, None] * np.cos(angle)[None, :, None] * across
        + np.asarray(depths, float)[:, None, None] * np.sin(angle)[None, :, None] * along
    )
    points = np.concatenate([rings.reshape(-1, 3), centres[:1], centres[-1:]])
    return points, _loft_faces(len(centres))


def _loft_faces(rings):
    faces, first, last = [], rings * SIDES, rings * SIDES + 1
    for r in range(rings - 1):
        for k in range(SIDES):
            after = (k + 1) % SIDES
            faces.append((r * SIDES + k, r * SIDES + after, (r + 1) * SIDES + after, (r + 1) * SIDES + k))
    for k in range(SIDES):
        after = (k + 1) % SIDES
        faces.append((first, after, k))
        faces.append((last, (rings - 1) * SIDES + k, (rings - 1) * SIDES + after))
    return faces


def square_axes(direction):
    """Two unit vectors square to `direction [3]` and to each other, such that loft faces look outwards."""
    direction = direction / max(np.linalg.norm(direction), 1e-12)
    spare = np.eye(3)[np.abs(direction).argmin()]
    across = np.cross(spare, direction)
    across /= np.linalg.norm(across)
    return across, np.cross(direction, across)


def capsule(start, end, start_radius, end_radius, flat=1.0):
    """A limb: a cone from `start [3]` to `end [3]` with round ends; `flat` scales its second axis."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    way = end - start
    unit = way / max(np.linalg.norm(way), 1e-12)
    across, along = square_axes(way)
    turn = np.linspace(np.pi / 2, 0, CAP_RINGS + 1)[:-1] * 0.94 + 0.02
    cap_out, cap_in = np.sin(turn), np.cos(turn)
    centres = np.concatenate(
        [start - unit * (start_radius * cap_out)[:, None], [start], [end],
         end + unit * (end_radius * cap_out[::-1])[:, None]]
    )  # fmt: skip
    radii = np.concatenate([start_radius * cap_in, [start_radius], [end_radius], end_radius * cap_in[::-1]])
    return loft(centres, across, along, radii, radii * flat)


def ellipsoid(centre, axes, radii):
    """An ellipsoid about `centre [3]`; rows of `axes [3, 3]` are its unit axes, `radii [3]` along them."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 2 * CAP_RINGS + 3)[1:-1]
    centres = np.asarray(centre, float) + np.outer(np.sin(turn) * radii[2], axes[2])
    return loft(centres, axes[0], axes[1], np.cos(turn) * radii[0], np.cos(turn) * radii[1])


def tube(points, radius, sides_up=(0.0, 0.0, 1.0)):
    """A round tube through `points [N, 3]` on the ground."""
    points = np.asarray(points, float)
    way = np.gradient(points, axis=0)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-12)
    up = np.asarray(sides_up, float)
    angle = np.arange(SIDES) * (2 * np.pi / SIDES)
    across = np.cross(up, way)
    rings = points[:, None] + radius * (
        np.cos(angle)[None, :, None] * across[:, None] + np.sin(angle)[None, :, None] * np.cross(way, across)[:, None]
    )
    return np.concatenate([rings.reshape(-1, 3), points[:1], points[-1:]]), _loft_faces(len(points))


def box(centre, axes, half):
    """A box with its edges cut off, about `centre [3]`: rows of `axes` its unit axes, `half [3]` its half sizes."""
    cut = 0.7
    heights = np.array([-1.0, -cut, cut, 1.0]) * half[2]
    shrink = np.array([cut, 1.0, 1.0, cut])
    corner = [(1, cut), (cut, 1), (-cut, 1), (-1, cut), (-1, -cut), (-cut, -1), (cut, -1), (1, -cut)]
    plan = np.array(corner) * np.asarray(half[:2])
    centre, axes = np.asarray(centre, float), np.asarray(axes, float)
    rings = [centre + (plan * s) @ axes[:2] + h * axes[2] for h, s in zip(heights, shrink, strict=True)]
    points = np.concatenate(rings)
    faces = [tuple(range(8))[::-1], tuple(range(24, 32))]
    for r in range(3):
        faces += [(r * 8 + k, r * 8 + (k + 1) % 8, r * 8 + 8 + (k + 1) % 8, r * 8 + 8 + k) for k in range(8)]
    return points, faces
