"""Signed distances of obstacles' shapes, their gradients, and the grid that stands for any closed mesh."""

import numpy as np

from .. import rotations as rot
from ..request import Box, Capsule, Grid, Sphere

TINY = 1e-12
UP = np.array([0.0, 0.0, 1.0])
BLOCK = 4  # grid points a side of the smallest blocks that triangles are sorted out for
CHUNK = 512  # rays that are tested against all triangles at a time


def distance(shape, points):
    """Signed distances `[...]` in metres from a shape to points `[..., 3]`, negative inside, and their gradients.

    Gradients `[..., 3]` point away from the shape; where there is none (the centre of a sphere) they point up.
    """
    points = np.asarray(points, float)
    if isinstance(shape, Sphere):
        return _round(points - np.asarray(shape.centre, float), shape.radius)
    if isinstance(shape, Capsule):
        start, line = np.asarray(shape.start, float), np.asarray(shape.stop, float) - np.asarray(shape.start, float)
        share = np.clip((points - start) @ line / max(float(line @ line), TINY), 0.0, 1.0)
        return _round(points - start - share[..., None] * line, shape.radius)
    if isinstance(shape, Box):
        return _box(shape, points)
    return _grid(shape, points)


def _round(offsets, radius):
    """Distance from a ball whose centre lies `offsets [..., 3]` behind."""
    apart = np.sqrt((offsets * offsets).sum(-1))
    away = np.where(apart[..., None] > TINY, offsets / np.maximum(apart, TINY)[..., None], UP)
    return apart - radius, away


def _box(box, points):
    axes = rot.to_matrix(np.asarray(box.rotation, float))
    local = (points - np.asarray(box.centre, float)) @ axes
    beyond = np.abs(local) - np.asarray(box.half, float)
    side = np.where(local < 0, -1.0, 1.0)
    outer = np.maximum(beyond, 0.0)
    apart = np.sqrt((outer * outer).sum(-1))
    nearest = beyond.argmax(-1)
    inner = np.take_along_axis(beyond, nearest[..., None], -1)[..., 0]
    away = np.where((apart > 0)[..., None], outer / np.maximum(apart, TINY)[..., None], np.eye(3)[nearest])
    return np.where(apart > 0, apart, inner), (away * side) @ axes.T


def _grid(grid, points):
    """Between the grid's values linear along each axis; beyond its edges the way to the edge is added."""
    axes = rot.to_matrix(rot.about_z(grid.angle))
    values = np.asarray(grid.values, float)
    last = np.array(values.shape) - 1
    at = (points - np.asarray(grid.origin, float)) @ axes / grid.cell
    held = np.clip(at, 0, last)
    low = np.minimum(held.astype(np.int64), np.maximum(last - 1, 0))
    high = np.minimum(low + 1, last)
    share = held - low
    value, slope = _trilinear(values, low, high, share)
    off = (at - held) * grid.cell
    apart = np.sqrt((off * off).sum(-1))
    slope = np.where(off == 0, slope / grid.cell, 0.0) + off / np.maximum(apart, TINY)[..., None]
    return value + apart, slope @ axes.T


def _trilinear(values, low, high, share):
    """Values `[...]` and their slopes `[..., 3]` an index step, at indices low + share."""
    flat, strides = values.reshape(-1), np.array([values.shape[1] * values.shape[2], values.shape[2], 1])
    (x0, y0, z0), (x1, y1, z1) = (np.moveaxis(index * strides, -1, 0) for index in (low, high))
    u, v, w = np.moveaxis(share, -1, 0)
    corners = [[[flat[x + y + z] for z in (z0, z1)] for y in (y0, y1)] for x in (x0, x1)]
    along = [[c[0] + w * (c[1] - c[0]) for c in row] for row in corners]
    rise = [[c[1] - c[0] for c in row] for row in corners]
    flat_y = [row[0] + v * (row[1] - row[0]) for row in along]
    dy = [row[1] - row[0] for row in along]
    dz = [row[0] + v * (row[1] - row[0]) for row in rise]
    slope = (flat_y[1] - flat_y[0], dy[0] + u * (dy[1] - dy[0]), dz[0] + u * (dz[1] - dz[0]))
    return flat_y[0] + u * (flat_y[1] - flat_y[0]), np.stack(slope, -1)


# --- any mesh ---------------------------------------------------------------------------------------------------------


def bake_grid(vertices, triangles, cell, margin):
    """The Grid of signed distances about a closed mesh: `vertices [V, 3]` metres, `triangles [M, 3]` indices.

    Grid points lie `cell` metres apart and reach `margin` metres beyond the mesh. Distances are exact at them; a point
    is inside where rays along at least two of the three axes find themselves wound about by the mesh, so a small hole
    does no harm. Either winding of the triangles is taken. Raises ValueError for a mesh without triangles or a cell
    that is not positive.
    """
    corners = np.asarray(vertices, float)[np.asarray(triangles, np.int64)]
    if len(corners) == 0:
        raise ValueError("The mesh has no triangles. Choose an object with faces.")
    if not cell > 0:
        raise ValueError(f"Grid cells of {cell} m were asked for. Choose a size above 0.")
    low = corners.min((0, 1)) - margin
    counts = np.ceil((corners.max((0, 1)) + margin - low) / cell - 1e-9).astype(int) + 1
    axes = [low[k] + cell * np.arange(counts[k]) for k in range(3)]
    inside = sum(_inside(corners, axes, k).astype(int) for k in range(3)) >= 2
    far = _mesh_distance(corners, axes)
    return Grid(low, float(cell), np.where(inside, -far, far))


def _mesh_distance(corners, axes):
    """Unsigned distances `[X, Y, Z]` from grid points to triangles `[M, 3, 3]`."""
    out = np.empty([len(a) for a in axes])
    # Halves of halves: (the block's slices, triangles that may be the nearest to some of its points).
    waiting = [(tuple(slice(0, len(a)) for a in axes), np.arange(len(corners)))]
    while waiting:
        block, some = waiting.pop()
        sides = [a[s] for a, s in zip(axes, block, strict=True)]
        low, high = np.array([s[0] for s in sides]), np.array([s[-1] for s in sides])
        apart = _to_triangles(0.5 * (low + high)[None], corners[some])[0]
        # No point of the block is farther from its centre than half its diagonal, nor are their nearest triangles.
        some = some[apart <= apart.min() + np.linalg.norm(high - low) + TINY]
        longest = max(range(3), key=lambda k: len(sides[k]))
        if len(sides[longest]) > BLOCK:
            start, stop = block[longest].start, block[longest].stop
            middle = (start + stop) // 2
            for half in (slice(start, middle), slice(middle, stop)):
                waiting.append(((*block[:longest], half, *block[longest + 1 :]), some))
            continue
        points = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 3)
        out[block] = _to_triangles(points, corners[some]).min(1).reshape([len(s) for s in sides])
    return out


def _to_triangles(points, corners):
    """Distances `[N, M]` from points `[N, 3]` to triangles `[M, 3, 3]`: to their planes, or to their edges."""
    corners = corners - points[0]  # small numbers, as the products below lose what is common
    points = points - points[0]
    edge = np.roll(corners, -1, axis=1) - corners
    normal = np.cross(edge[:, 0], edge[:, 1])
    area = (normal * normal).sum(-1)
    norm = (points * points).sum(-1)[:, None]
    best, within = np.inf, area > TINY**2
    for k in range(3):
        start, way = corners[:, k], edge[:, k]
        length = np.maximum((way * way).sum(-1), TINY**2)
        along = points @ way.T - (start * way).sum(-1)
        share = np.clip(along / length, 0.0, 1.0)
        square = norm - 2 * points @ start.T + (start * start).sum(-1)
        best = np.minimum(best, square + share * (share * length - 2 * along))
        side = np.cross(normal, way)
        within = within & (points @ side.T >= (start * side).sum(-1))
    height = (points @ normal.T - (corners[:, 0] * normal).sum(-1)) ** 2 / np.maximum(area, TINY**2)
    return np.sqrt(np.maximum(np.where(within, np.minimum(best, height), best), 0.0))


def _inside(corners, axes, along):
    """Whether grid points `[X, Y, Z]` are inside, by rays along one axis: surfaces before them don't cancel out."""
    u, v = (along + 1) % 3, (along + 2) % 3
    cell = axes[u][1] - axes[u][0] if len(axes[u]) > 1 else 1.0
    # Rays a little beside the grid's lines, so that none runs along an edge of a mesh built on round numbers.
    rays = np.stack(np.meshgrid(axes[u] + 1.37e-5 * cell, axes[v] + 2.11e-5 * cell, indexing="ij"), -1).reshape(-1, 2)
    flat = corners[:, :, [u, v]]
    wound = np.zeros((len(rays), len(axes[along])), np.int64)
    for first in range(0, len(rays), CHUNK):
        some = rays[first : first + CHUNK]
        met = (flat[:, :, 0].min(1) <= some[:, 0].max()) & (flat[:, :, 0].max(1) >= some[:, 0].min())
        ray, height, sign = _crossings(some, flat[met], corners[met][:, :, along])
        above = np.searchsorted(axes[along], height)
        counts = np.zeros((len(some), len(axes[along]) + 1), np.int64)
        np.add.at(counts, (ray, above), sign)
        wound[first : first + CHUNK] = np.cumsum(counts, 1)[:, :-1]
    shaped = (wound != 0).reshape(len(axes[u]), len(axes[v]), len(axes[along]))
    return np.moveaxis(shaped, (0, 1, 2), (u, v, along))


def _crossings(rays, flat, heights):
    """Where rays `[N, 2]` pass through triangles `[M, 3, 2]` with corner `heights [M, 3]`.

    Returns the ray's number, the height, and +1 or -1 by the side it comes from.
    """
    areas = []
    for k in range(3):
        a, b = flat[:, (k + 1) % 3], flat[:, (k + 2) % 3]
        areas.append((b[:, 0] - a[:, 0]) * (rays[:, 1:] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (rays[:, :1] - a[:, 0]))
    inside = ((areas[0] > 0) & (areas[1] > 0) & (areas[2] > 0)) | ((areas[0] < 0) & (areas[1] < 0) & (areas[2] < 0))
    ray, triangle = np.nonzero(inside)
    shares = np.stack([area[ray, triangle] for area in areas], -1)
    height = (shares * heights[triangle]).sum(-1) / shares.sum(-1)
    return ray, height, np.where(shares[:, 0] > 0, 1, -1)
