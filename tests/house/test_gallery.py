"""The gallery: its page has every kind, its sheets are small, its drawing puts things where they are."""

import re

import numpy as np
import pytest

from blender_motiondiff.core.request import Box, Grid, Request
from blender_motiondiff.core.request.data import Character, Contact, Key, Pin
from blender_motiondiff.core.rotations import IDENTITY, about_z
from blender_motiondiff.core.skeleton import COUNT, average_body
from tools.build_zip import ROOT
from tools.gallery import asked, figures, sheet, shoot, view

PAGE, PICTURES = ROOT / "docs" / "gallery.md", ROOT / "docs" / "images" / "gallery"
KINDS = sorted(path.stem for path in (ROOT / "examples" / "requests").glob("*.json"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_has_a_section_with_figures_and_a_remark(kind):
    section = re.search(rf"^## {kind}\n((?:(?!^## ).*\n)*)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert section, f"docs/gallery.md has no section {kind}"
    for part in (rf"\(images/gallery/{kind}\.jpg\)", rf"requests/{kind}\.json", r"Figures: \S", r"Still wrong: \S"):
        assert re.search(part, section[1]), f"section {kind} of docs/gallery.md lacks {part}"


def test_sheets_are_small_and_all_are_shown():
    sizes = {path.stem: path.stat().st_size for path in PICTURES.glob("*.jpg")}
    assert sorted(sizes) == KINDS
    assert max(sizes.values()) <= 120_000 and sum(sizes.values()) < 3_000_000


def test_figures_are_replaced_in_their_own_section_alone():
    page = "# x\n\n## a\nFigures: old.\nStill wrong: much.\n\n## ab\nFigures: old.\n"
    made = figures.refresh(page, "a", r"new \1.")
    assert made == page.replace("Figures: old.\nStill", "Figures: new \\1.\nStill")
    assert figures.refresh(page, "c", "new.") == page


def test_lines_are_wrapped_between_parts():
    lines = sheet.wrapped(["aaa", "bbb", "cccc", "d" * 30], width=10)
    assert lines == ["aaa   bbb", "cccc", "d" * 10]


def test_the_surface_of_a_grid_lies_at_distance_zero():
    axis = np.linspace(-1, 1, 21)
    values = np.linalg.norm(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1), axis=-1) - 0.6
    points, faces = asked.skin(Grid(np.array([4.0, 5.0, 0.0]), 0.1, values, np.pi / 6))
    middle = np.array([4.0, 5.0, 0.0]) + about_turned([1.0, 1.0, 1.0], np.pi / 6)
    np.testing.assert_allclose(np.linalg.norm(points - middle, axis=1), 0.6, atol=0.01)
    assert volume(points, faces) == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=0.03)


def test_a_box_has_its_volume_and_looks_outwards():
    points, faces = asked.box(Box(np.zeros(3), np.array([0.5, 1.0, 1.5]), about_z(0.3)))
    assert volume(points, faces) == pytest.approx(6.0)


def about_turned(point, angle):
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]) @ point


def volume(points, faces):
    """Of a closed surface whose faces look outwards."""
    quads = points[np.array(faces)]
    return sum((quads[:, 0] * np.cross(quads[:, k], quads[:, k + 1])).sum() for k in (1, 2)) / 6


def test_moments_show_what_is_keyed_pinned_and_touched():
    rest = np.tile(IDENTITY, (COUNT, 1))
    character = Character("A", average_body(), keys=(Key(1.1, rest),), pins=(Pin("head", 2.0, 2.4),))
    request = Request((character,), 4.0, contacts=(Contact((0, "left_wrist"), (0, "right_wrist"), 0.1, 3.0, 3.1),))
    frames = shoot.moments(request, np.arange(121) / 30)
    assert len(frames) == 12 and {33, 66, 91} <= set(frames.tolist()) and (np.diff(frames) >= 0).all()


@pytest.mark.parametrize("azimuth", [0.0, 100.0, 250.0])
def test_everything_is_in_the_picture(azimuth):
    points = np.random.default_rng(0).normal(size=(40, 3)) * [3, 1, 0.5]
    target, distance = view.fit(points, azimuth, (320, 240), points.mean(0))
    right, up, back = view.axes_of(azimuth, view.ELEVATION)
    off = points - (target + distance * back)
    edge = 0.5 * view.SENSOR / view.LENS
    across, high = np.abs(off @ right / (off @ -back)), np.abs(off @ up / (off @ -back))
    assert (across < edge).all() and (high < edge * 240 / 320).all()
    assert max(across.max() / edge, high.max() / edge * 320 / 240) > 0.7
