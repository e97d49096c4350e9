"""contact_sheet.png: moments of every clip and of every control, with their figures, on one picture."""

import numpy as np

from tools.demo.lettering import CELL, Letters, load_picture, save_picture
from tools.demo.pictures import STILLS, moments
from tools.demo.summary import control_line, one_line

WIDE, COLUMNS = 1920, 6  # pixels of the sheet; moments in a row
TILE = (320, 240)  # width, height of a moment
SMALL = (240, 180)  # of a control's moment
PAPER, INK, DIM = (0.13, 0.14, 0.15), (0.96, 0.96, 0.96), (0.72, 0.75, 0.78)
GAP = 2  # pixels between moments


def write(build, cases, results, controls):
    """Puts the sheet together from what was rendered. `results`: of the clips; `controls`: of the controls or None."""
    letters = Letters(build / "work" / "letters.png")
    rows = []
    for case, result in zip(cases, results, strict=True):
        rows.append(headline(letters, case.title, one_line(result["figures"]), WIDE))
        if case.name == "path":
            picture = load_picture(build / "work" / "strobe.png")
            rows.append(fitted(picture, (WIDE, round(WIDE * picture.shape[0] / picture.shape[1]))))
        rows += clip_rows(letters, build, case)
    for case, result in zip(cases, results, strict=True):
        rows += beside(letters, [as_control(build, case, result), *controls_of(case, controls)])
    save_picture(np.concatenate(rows), build / "contact_sheet.png")


def controls_of(case, controls):
    """The controls of a clip, in order; none where they were not made."""
    return [trial for row in (controls or {}).values() for trial in row if trial["case"] == case.name]


def as_control(build, case, result):
    """The model's own clip as a control's row has it, to be seen beside those that must fail."""
    pictures = [build / "work" / case.name / f"{frame:04d}.jpg" for frame in moments(case, STILLS)]
    return {"title": f"{case.title}, the model", "figures": result["figures"], "pictures": pictures}


def beside(letters, trials):
    """Rows of a clip and its controls, two to a row."""
    blocks = [block(letters, trial) for trial in trials]
    blocks += [np.ones_like(blocks[0]) * np.float32(PAPER)] * (len(blocks) % 2)
    return [np.concatenate(blocks[i : i + 2], 1) for i in range(0, len(blocks), 2)]


def block(letters, trial):
    """A clip or a control on half the sheet's width: title, figures, moments."""
    tiles = in_row([fitted(load_picture(path), SMALL) for path in trial["pictures"]], WIDE // 2)
    head = headline(letters, trial["title"], "", WIDE // 2)
    return np.concatenate([head, headline(letters, "", control_line(trial["figures"]), WIDE // 2), tiles])


def clip_rows(letters, build, case):
    """The moments of one clip, each with its frame, second, and the name of what is keyed there."""
    tiles, keyed = [], {key.frame for key in case.keys}
    for frame in moments(case):
        tile = fitted(load_picture(build / "work" / case.name / f"{frame:04d}.jpg"), TILE)
        second = (frame - case.frames[0]) / 24
        label = f"{frame}  {second:.2f} s" + ("  keyed pose" if frame in keyed else "")
        letters.draw(tile, label, 4, 3, INK, back=(0, 0, 0))
        tiles.append(tile)
    return [in_row(tiles[i : i + COLUMNS], WIDE) for i in range(0, len(tiles), COLUMNS)]


def headline(letters, title, text, width):
    """A strip with a title and a line of figures."""
    strip = np.ones((CELL[1] + 8, width, 3), np.float32) * np.float32(PAPER)
    letters.draw(strip, title, 8, 4, INK)
    letters.draw(strip, text, 8 + CELL[0] * (len(title) + 3 if title else 0), 4, DIM)
    return strip


def in_row(tiles, width):
    """Pictures of one size side by side on paper of a width."""
    height = tiles[0].shape[0]
    row = np.ones((height + GAP, width, 3), np.float32) * np.float32(PAPER)
    for k, tile in enumerate(tiles):
        row[:height, k * tile.shape[1] : (k + 1) * tile.shape[1] - GAP] = tile[:, :-GAP]
    return row


def fitted(picture, size):
    """The middle of a picture, cut to the format of `size` (width, height) and averaged down (or up) to it."""
    height, width, _ = picture.shape
    wanted = size[0] / size[1]
    cut_w, cut_h = min(width, round(height * wanted)), min(height, round(width / wanted))
    x, y = (width - cut_w) // 2, (height - cut_h) // 2
    return shrunk(shrunk(picture[y : y + cut_h, x : x + cut_w], size[1], 0), size[0], 1).astype(np.float32)


def shrunk(picture, wanted, axis):
    """A picture with `wanted` pixels along an axis, each the mean of what it covers."""
    own = picture.shape[axis]
    edges = np.linspace(0, own, wanted + 1)
    total = np.concatenate([np.zeros_like(picture.take([0], axis)), np.cumsum(picture, axis, dtype=np.float64)], axis)
    low = np.minimum(edges.astype(int), own - 1)
    share = (edges - low).reshape([-1 if k == axis else 1 for k in range(picture.ndim)])
    at = total.take(low, axis) * (1 - share) + total.take(low + 1, axis) * share
    return np.diff(at, axis=axis) * (wanted / own)
