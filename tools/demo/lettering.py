"""Text on pictures that are arrays, without an imaging library: Blender renders its letters once, NumPy copies them."""

import os

import bpy
import numpy as np

FIRST, LAST, COLUMNS = 32, 126, 16
CELL = (10, 20)  # pixels of a letter: width, height


class Letters:
    """Coverage of each printable letter, `[letters, height, width]` in 0..1, rows from the top."""

    def __init__(self, scratch_png):
        self.glyphs = _slice(_render(scratch_png))

    def draw(self, picture, text, x, y, rgb=(1.0, 1.0, 1.0), back=None):
        """Writes on `picture [H, W, 3]` (0..1, rows from the top) with the upper left corner at pixel x, y."""
        width, height = CELL
        for k, letter in enumerate(text):
            left = x + k * width
            if left + width > picture.shape[1] or y + height > picture.shape[0]:
                return
            code = ord(letter) if FIRST <= ord(letter) <= LAST else ord("?")
            cover = self.glyphs[code - FIRST][..., None]
            patch = picture[y : y + height, left : left + width]
            below = patch if back is None else patch * 0.35 + 0.65 * np.asarray(back)
            picture[y : y + height, left : left + width] = below * (1 - cover) + cover * np.asarray(rgb)


def _render(path):
    """Renders all letters, one text object each, in a grid of cells, and gives the picture's first channel."""
    rows = -(-(LAST - FIRST + 1) // COLUMNS)
    scene = bpy.data.scenes.new("Letters")
    width, height = CELL
    fonts = bpy.utils.system_resource("DATAFILES", path="fonts")
    font = bpy.data.fonts.load(os.path.join(fonts, "DejaVuSansMono.woff2"))
    for code in range(FIRST, LAST + 1):
        row, column = divmod(code - FIRST, COLUMNS)
        curve = bpy.data.curves.new("letter", "FONT")
        curve.body, curve.size, curve.font = chr(code), height * 0.80, font
        letter = bpy.data.objects.new("letter", curve)
        letter.location = (column * width, (rows - 1 - row) * height + height * 0.27, 0)
        scene.collection.objects.link(letter)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", max(COLUMNS * width, rows * height)
    camera.location = (COLUMNS * width / 2, rows * height / 2, 100)
    scene.collection.objects.link(camera)
    scene.camera = camera
    _flat(scene, COLUMNS * width, rows * height)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    return load_picture(path)[..., 0]


def _flat(scene, width, height):
    """White shapes on black, nothing else."""
    scene.render.engine, scene.display.render_aa = "BLENDER_WORKBENCH", "16"
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Raw"
    shading = scene.display.shading
    shading.light, shading.color_type, shading.single_color = "FLAT", "SINGLE", (1, 1, 1)
    scene.world = bpy.data.worlds.new("Black")
    scene.world.color = (0, 0, 0)
    scene.render.image_settings.file_format = "PNG"


def _slice(sheet):
    width, height = CELL
    rows = sheet.shape[0] // height
    cells = sheet.reshape(rows, height, COLUMNS, width).swapaxes(1, 2).reshape(-1, height, width)
    return cells[: LAST - FIRST + 1]


def load_picture(path):
    """A picture file as `[H, W, 3]` in 0..1, rows from the top, as the file has it (no colour management)."""
    image = bpy.data.images.load(str(path), check_existing=False)
    image.colorspace_settings.name = "Non-Color"
    width, height = image.size
    flat = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(flat)
    bpy.data.images.remove(image)
    return flat.reshape(height, width, 4)[::-1, :, :3].copy()


def save_picture(picture, path):
    """Writes `[H, W, 3]` in 0..1, rows from the top, as a PNG."""
    height, width, _ = picture.shape
    image = bpy.data.images.new("picture", width, height, alpha=False, float_buffer=False)
    image.colorspace_settings.name = "Non-Color"
    whole = np.ones((height, width, 4), np.float32)
    whole[..., :3] = np.clip(picture, 0, 1)[::-1]
    image.pixels.foreach_set(whole.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
