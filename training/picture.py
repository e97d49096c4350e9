"""A sheet of validation samples as a picture: stick figures, what was answered over what was recorded."""

import struct
import zlib
from pathlib import Path

import numpy as np

from blender_motiondiff.core.skeleton import PARENTS

WINDOWS, MOMENTS = 4, 8  # rows of each kind, figures in a row
TILE, SCALE = 150, 62  # pixels; pixels a metre
PAPER, RECORDED, GIVEN, ANSWERED = 255, (205, 205, 205), (70, 110, 190), (205, 90, 20)
DOTS = 24  # along a bone


def bones(places):
    """Points `[N, 3]` along the bones of a pose `[22, 3]`."""
    child = np.arange(1, len(PARENTS))
    along = np.linspace(0, 1, DOTS)[:, None, None]
    return (places[PARENTS[child]] * (1 - along) + places[child] * along).reshape(-1, 3)


def seen(points, centre, turn):
    """Pixels `[N, 2]` (right, down) in a tile around `centre [2]`, seen from the side and a little from above."""
    flat = points[:, :2] - centre
    right = np.cos(turn) * flat[:, 0] + np.sin(turn) * flat[:, 1]
    depth = -np.sin(turn) * flat[:, 0] + np.cos(turn) * flat[:, 1]
    down = -points[:, 2] - 0.25 * depth
    return np.stack([TILE / 2 + SCALE * right, TILE * 0.86 + SCALE * down], -1).astype(int)


def tile(groups, centre):
    """A picture `[TILE, TILE, 3]` uint8 of (poses `[P, 22, 3]`, colour) pairs, the later over the earlier."""
    out = np.full((TILE, TILE, 3), PAPER, np.uint8)
    for poses, colour in groups:
        for pose in poses:
            x, y = seen(bones(pose), centre, np.pi / 6).T
            for shift in (0, 1):
                inside = (x + shift >= 0) & (x + shift < TILE) & (y >= 0) & (y < TILE)
                out[y[inside], x[inside] + shift] = colour
    return out


def rows_of(answered, recorded, made):
    """Rows of tiles of a kind: places `[B, P, T, 22, 3]` twice, and whose motion was made `[B, P]` (bool)."""
    rows = []
    for a, r, own in list(zip(answered, recorded, made, strict=True))[:WINDOWS]:
        moments = np.linspace(0, a.shape[1] - 1, MOMENTS).astype(int)
        tiles = []
        for t in moments:
            groups = [(r[own, t], RECORDED), (r[~own, t], GIVEN), (a[own, t], ANSWERED)]
            tiles.append(tile(groups, r[:, t, 0, :2].mean(0)))
        rows.append(np.concatenate(tiles, 1))
    return rows


def write_png(path, pixels):
    """Writes `[H, W, 3]` uint8 as a PNG file (ISO/IEC 15948)."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], 1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)), chunk(b"IEND", b"")
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
