"""Sheets: clips are drawn by lot, feet are marked as they are, pictures show who is there."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a module is not installed (make env)")

from blender_motiondiff.core.motion import Motion
from blender_motiondiff.core.rotations import IDENTITY
from blender_motiondiff.core.skeleton import COUNT, average_body
from evaluation import sheets, tasks
from evaluation.clips import Window
from tests.core.made_motion import swinging
from tools.demo.lettering import Letters


def window(name, speed=1.0, couple=False):
    leader = swinging(121, 5) if couple else None
    return Window(name, name, 0.0, swinging(121, 3, speed), leader, "walk", "made")


def still(frames, step=0.0, lift=0.0):
    body = average_body()
    root = np.tile([0.0, 0.0, body.standing_height + lift], (frames, 1)) + np.arange(frames)[:, None] * [step, 0, 0]
    return Motion(root, np.tile(IDENTITY, (frames, COUNT, 1)), body)


def test_clips_are_drawn_by_lot_and_the_same_ones_again():
    all_of_them = [window(f"walk {k:02d}") for k in range(20)] + [window("stays", speed=0.0)]
    all_of_them += [window(f"couple {k}", couple=True) for k in range(3)]
    names = [w.clip for w in sheets.drawn_by_lot(all_of_them, "path", 6, 0)]
    assert len(set(names)) == 6 and names == sorted(names) and all(n.startswith("walk") for n in names)
    assert names == [w.clip for w in sheets.drawn_by_lot(all_of_them, "path", 6, 0)]
    assert names != [w.clip for w in sheets.drawn_by_lot(all_of_them, "path", 6, 1)]
    assert "stays" not in [w.clip for w in sheets.drawn_by_lot(all_of_them, "path", 99, 0)]
    couples = sheets.drawn_by_lot(all_of_them, "reaction", 12, 0)
    assert [w.clip for w in couples] == ["couple 0", "couple 1", "couple 2"]


@pytest.mark.parametrize(("step", "lift", "down", "slides"), [(0, 0, 1, 0), (0.03, 0, 1, 1), (0.03, 0.2, 0, 0)])
def test_toes_stand_slide_or_are_in_the_air(step, lift, down, slides):
    found = sheets.toe_states(still(10, step, lift))
    assert (found[0] == bool(down)).all() and (found[1] == bool(slides)).all()


def test_figures_are_those_of_the_motion():
    asked = window("walk")
    exact = sheets.figures("path", asked, asked.motion)
    assert exact.startswith("joint error 0.00 m   path error 0.00 cm") and exact.endswith("jerk 1.00 of the recorded")
    aside = replace(asked.motion, root=asked.motion.root + [0.3, 0.4, 0.0])
    assert sheets.figures("path", asked, aside).startswith("joint error 0.50 m   path error 50.00 cm")
    assert "root error 0.50 m" in sheets.figures("reaction", window("two", couple=True), aside)


def orange(r, g, b):
    return (r > 1.2 * g) & (g > 1.3 * b) & (r > 0.4)


def violet(r, g, b):
    return (r > 1.15 * g) & (b > 1.3 * g)


def yellow(r, g, b):
    return (r > g) & (r < 1.3 * g) & (g > 1.8 * b) & (r > 0.3)


def share(picture, colour):
    return colour(*picture.transpose(2, 0, 1)).mean()


def test_a_sheet_shows_everybody_and_the_path(tmp_path, monkeypatch):
    for name, count in (("MOMENTS", 4), ("STROBE", 2)):
        monkeypatch.setattr(sheets, name, count)
    motion = swinging(31, speed=4.0)
    rows = (((motion, sheets.MADE),), ((motion, sheets.REAL),))
    shown = sheets.Shown("made", ("a line",), rows, tasks.smoothed(motion))
    picture, small = sheets.compose(Letters(tmp_path / "letters.png"), shown, tmp_path)
    assert picture.shape[1] == 1280 and small.shape == (240, 320, 3) and np.isfinite(picture).all()
    wide, upper, lower = picture[-1086:-484], picture[-484:-242], picture[-242:]
    assert share(upper, orange) > 0.005 > 0.001 > share(lower, orange)
    assert share(lower, violet) > 0.005 > 0.001 > share(upper, violet)
    assert min(share(wide[:300], orange), share(wide[300:600], violet)) > 0.002 and share(wide, yellow) > 0.0002
    short = replace(shown, path=0.1 * shown.path)
    assert sheets.compose(Letters(tmp_path / "letters.png"), short, tmp_path)[0].shape[0] < len(picture) - 600
