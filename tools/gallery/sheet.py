"""A contact sheet: what was asked and how it was met in letters, then the pictures."""

import bpy
import numpy as np

from tools.demo.lettering import CELL
from tools.demo.sheet import DIM, GAP, INK, PAPER, in_row

COLUMNS, WIDTH = 4, 1280
QUALITY, LEAST_QUALITY = 82, 40
STORED = 960  # pixels of a sheet's width as it is kept ...
LARGEST = 45_000  # ... and its bytes


def compose(letters, title, lines, strobe, tiles, labels):
    """A picture `[H, 1280, 3]`. `lines`: of figures; `strobe`: a wide picture or None; `labels`: one a tile."""
    rows = [head(letters, title, lines)]
    if strobe is not None:
        rows.append(strobe)
        rows.append(np.ones((GAP, WIDTH, 3), np.float32) * np.float32(PAPER))
    for tile, label in zip(tiles, labels, strict=True):
        letters.draw(tile, label, 4, 3, INK, back=(0, 0, 0))
    rows += [in_row(tiles[i : i + COLUMNS], WIDTH) for i in range(0, len(tiles), COLUMNS)]
    return np.concatenate(rows)


def head(letters, title, lines):
    """The strip above the pictures."""
    strip = np.ones((CELL[1] * (1 + len(lines)) + 10, WIDTH, 3), np.float32) * np.float32(PAPER)
    letters.draw(strip, title, 8, 4, INK)
    for k, line in enumerate(lines):
        letters.draw(strip, line, 8, 4 + CELL[1] * (k + 1), DIM)
    return strip


def wrapped(parts, width=WIDTH // CELL[0] - 2, between="   "):
    """Parts of a line in lines of at most `width` letters."""
    lines = [""]
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines[-1] else part
        if len(longer) > width and lines[-1]:
            lines.append(part)
        else:
            lines[-1] = longer
    return [line[:width] for line in lines]


def save_jpeg(picture, path, largest=LARGEST):
    """Writes a picture as a JPEG of STORED width and at most `largest` bytes, as finely as that allows."""
    height, width, _ = picture.shape
    image = bpy.data.images.new("sheet", width, height, alpha=False, float_buffer=False)
    image.colorspace_settings.name = "Non-Color"
    whole = np.ones((height, width, 4), np.float32)
    whole[..., :3] = np.clip(picture, 0, 1)[::-1]
    image.pixels.foreach_set(whole.ravel())
    image.scale(STORED, round(height * STORED / width))
    image.file_format = "JPEG"
    for quality in range(QUALITY, LEAST_QUALITY - 1, -6):
        image.save(filepath=str(path), quality=quality)
        if path.stat().st_size <= largest:
            break
    bpy.data.images.remove(image)
