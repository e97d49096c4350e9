"""Ways that words lead: how far, which way round, and whom they leave alone."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.ways import SPEEDS, with_ways
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.reference import path_heading
from blender_motiondiff.core.request import Character, Key, Path, Request, Words, validate
from blender_motiondiff.core.skeleton import COUNT

from .made_motion import swinging

BODY = swinging(2).body
FACING = 0.7


def start(text, time=0.0, **changes):
    """Somebody with one placed key, facing FACING, and words."""
    turns = np.tile([1.0, 0, 0, 0], (COUNT, 1))
    turns[0] = rot.about_z(FACING)
    key = Key(time, turns, joints=("pelvis",), root=np.array([1.0, 2.0, 0.9]))
    who = Character("Ann", BODY, keys=(key,), **changes)
    return validate(Request((who,), 4.0, words=(Words(text),) if text else ()))


def way(request):
    return with_ways(request).characters[0].path


@pytest.mark.parametrize("time", [0.0, 2.0])
def test_a_walk_leads_ahead_through_the_key(time):
    path = way(start("walk forward", time))
    assert path.weight == 0.0
    at = int(time * 30)
    assert np.allclose(path.points[at], [1.0, 2.0])
    ahead = np.array([np.sin(FACING), -np.cos(FACING)])
    assert np.allclose(path.points[-1] - path.points[0], ahead * SPEEDS["walk"] * 4.0, atol=0.05)


def test_turns_go_to_the_side_that_is_said():
    for text, degrees in (("walk, turn left", 90), ("run, turning right", -90), ("walk", 0), ("veer left, run", 41)):
        heading = path_heading(way(start(text)).points)
        assert np.degrees(heading[-1] - FACING) == pytest.approx(degrees, abs=6), text


def test_backwards_faces_the_other_way():
    path = way(start("walk backward"))
    gone = path.points[-1] - path.points[0]
    assert gone @ [np.sin(FACING), -np.cos(FACING)] < -3 and np.allclose(path.headings, FACING)


def test_pace_and_spans():
    slow, fast = (np.linalg.norm(np.ptp(way(start(t)).points, axis=0)) for t in ("walk slowly", "walk fast"))
    assert slow < fast
    some = replace(start(""), words=(Words("walk", 1.0, 2.0),))
    speed = np.linalg.norm(np.diff(way(some).points, axis=0), axis=1) * 30
    assert speed[45] > 0.9 and speed[0] < 0.05 and speed[-1] < 0.01


def test_who_has_a_way_or_is_told_nothing_of_one_stays():
    for text in ("", "dance", "wave"):
        assert way(start(text)) is None
    own = Path(np.array([0.0, 4.0]), np.array([[1.0, 2.0], [1.0, -1.0]]))
    assert way(start("walk", path=own)) is own
    two = start("walk")
    key = two.characters[0].keys[0]
    both = replace(two.characters[0], keys=(key, replace(key, time=3.0)))
    assert way(replace(two, characters=(both,))) is None


def test_the_report_does_not_speak_of_a_path_that_nobody_drew():
    (take,) = generate(start("walk"), onnx_backend.load(threads=1))
    assert [row["field"] for row in take.report["constraints"]] == ["characters[0].keys[0]"]
    assert np.linalg.norm(np.ptp(take.motions[0].root[:, :2], axis=0)) > 3
