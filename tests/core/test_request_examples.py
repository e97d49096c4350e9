"""The examples of docs/request.md: each is read, checked, generated from, and shown as it is."""

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request import from_json, to_json, validate

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "requests"
PAGE = (ROOT / "docs" / "request.md").read_text(encoding="utf-8")
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
KINDS = {
    "path", "path_waypoints", "path_untimed", "path_heading", "path_height", "keys", "partial_keys", "blocking_keys",
    "pins", "contacts_self", "contacts_pair", "spacing", "facing", "look_at", "sync", "mirror", "solo", "obstacles",
    "obstacle_grid", "ground", "inbetween", "continue", "repair", "change_arms", "loop", "reaction", "company", "vary",
    "words", "bodies", "long",
}  # fmt: skip


@cache
def denoiser():
    return onnx_backend.load()


def text_of(name):
    return (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")


def read(name):
    return from_json(text_of(name), EXAMPLES)


def test_there_is_an_example_of_every_kind():
    assert set(NAMES) == KINDS


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_valid_and_named_on_the_page(name):
    asked = validate(read(name))
    assert f"`{name}.json`" in PAGE
    # Written out (motions and masks in full) it is the same request, without its folder.
    assert to_json(from_json(to_json(asked))) == to_json(asked)


def part_of(shown, whole):
    """Whether all that a block shows stands in the file."""
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(k in whole and part_of(v, whole[k]) for k, v in shown.items())
    if isinstance(shown, list):
        return isinstance(whole, list) and len(shown) == len(whole) and all(map(part_of, shown, whole))
    return shown == whole


def blocks():
    """(names of the files told of before a block and after the one above it, the block) of the page."""
    parts = re.split(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    return [(re.findall(r"`(\w+)\.json`", before), json.loads(block)) for before, block in zip(parts[::2], parts[1::2])]


@pytest.mark.parametrize(("names", "block"), blocks(), ids=lambda v: v[-1] if isinstance(v, list) and v else "")
def test_what_the_page_shows_stands_in_the_file(names, block):
    assert any(part_of(block, json.loads(text_of(name))) for name in names), names


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_generated(name):
    asked = read(name)
    (take,) = generate(asked, denoiser())
    assert len(take.motions) == len(asked.characters)
    for who, motion in zip(asked.characters, take.motions, strict=True):
        assert motion.frames == asked.frames
        assert np.isfinite(positions(motion)).all()
        assert np.allclose(np.linalg.norm(motion.rotations, axis=-1), 1)
        assert np.allclose(motion.body.offsets, who.body.offsets)
    json.dumps(take.report)
    assert take.report["relaxed"] == []
