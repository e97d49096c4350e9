"""Windows of recorded clips: which, how long, of whom; and folders that can't be used, refused in one line."""

import numpy as np
import pytest

from blender_motiondiff.core.files import bvh
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import FPS
from blender_motiondiff.core.request import validate
from evaluation import clips, tasks
from tests.core.made_motion import swinging


def test_folder_of_ones_own(made):
    found, facts = clips.windows(made)
    one, duo = sorted(found, key=lambda w: w.leader is not None)
    assert one.clip == "one" and one.text == one.description == "walks in a circle"
    assert one.motion.frames == clips.FRAMES and one.motion.fps == FPS
    assert duo.clip == duo.trial == "duo" and duo.leader.frames == duo.motion.frames == clips.FRAMES
    assert (facts["clips_single"], facts["clips_couple"], facts["left_out"]) == (1, 1, [])
    # The one who answers is b: the two files were made of different motions.
    swings = np.abs(duo.motion.rotations - swinging(125, 3).rotations[:120]).max()
    assert min(swings, np.abs(duo.motion.rotations + swinging(125, 3).rotations[:120]).max()) < 1.0
    assert duo.motion.root[0, :2] == pytest.approx(swinging(125, 3).root[0, :2], abs=1e-3)


def test_long_clips_are_cut_short_ones_taken_whole(tmp_path):
    bvh.write(tmp_path / "long.bvh", swinging(900, 1))
    bvh.write(tmp_path / "short.bvh", swinging(80, 2))
    bvh.write(tmp_path / "tiny.bvh", swinging(40, 3))
    found, facts = clips.windows(tmp_path)
    long = [w for w in found if w.clip == "long"]
    assert len(long) == clips.MOST and long[0].start == 0.0 and long[-1].start == pytest.approx(24.0, abs=0.05)
    assert [w.motion.frames for w in found if w.clip == "short"] == [80]
    assert facts["left_out"] == ["tiny"]


def test_both_of_a_couple_stay_in_one_world(made):
    duo = next(w for w in clips.windows(made)[0] if w.leader is not None)
    apart = duo.motion.root[:, :2] - duo.leader.root[:, :2]
    wanted = swinging(125, 3).root[:120, :2] - swinging(125, 2).root[:120, :2]
    assert apart == pytest.approx(wanted, abs=1e-3)


def test_refused_in_one_line(tmp_path, made):
    def said(folder):
        with pytest.raises(FileError) as caught:
            clips.windows(folder)
        text = str(caught.value)
        assert "\n" not in text
        return text

    assert "no folder" in said(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "neither shards nor .bvh" in said(tmp_path / "empty")
    short = tmp_path / "short"
    short.mkdir()
    bvh.write(short / "a.bvh", swinging(20, 1))
    assert "no stretch of 2 s" in said(short)
    bvh.write(made / "duo_b.bvh", swinging(100, 3))
    assert "125 frames at 30 a second, duo_b.bvh 100" in said(made)
    (made / "duo_b.bvh").unlink()
    assert "duo_b.bvh is missing" in said(made)
    (made / "duo_a.bvh").unlink()
    (made / "one.bvh").write_text("HIERARCHY\nROOT hip\n{\n")
    assert "one.bvh" in said(made)


def test_unknown_skeletons_are_refused_by_name(made):
    path = made / "one.bvh"
    path.write_text(path.read_text().replace("LeftUpLeg", "Thingummy"))
    with pytest.raises(FileError, match=r"one\.bvh"):
        clips.windows(made)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_requests_are_sound(task, made):
    single, couple = sorted(clips.windows(made)[0], key=lambda w: w.leader is not None)
    window = couple if task == "reaction" else single
    request = validate(tasks.request(task, window, seed=3, takes=2, steps=1))
    assert request.frames == window.motion.frames and request.seed == 3 and request.takes == 2
    assert [c.given for c in request.characters] == ([True, False] if task == "reaction" else [False])
    assert [w.text for w in request.words] == (["walks in a circle"] if task == "free" else [])


def test_recorded_clips_are_those_of_validation(data):
    from training.dataset import validation

    found, facts = clips.windows(data)
    assert {w.clip for w in found} <= validation() and facts["same_people"]
    couples = [w for w in found if w.leader is not None]
    assert {w.clip[:3] for w in couples} == {"061"} and {w.trial[:3] for w in couples} == {"060"}
    assert all(clips.SHORTEST <= w.motion.frames <= clips.FRAMES for w in found)
    assert all(np.linalg.norm(w.motion.root[:, :2] - w.leader.root[:, :2], axis=1).min() > 0.1 for w in couples)
