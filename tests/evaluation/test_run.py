"""The command from a folder to its report, with the bundled weights at one step."""

import json
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import words
from blender_motiondiff.core.constraints.trajectory import smooth_pelvis
from blender_motiondiff.core.denoiser import back_ends
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.request import Words
from evaluation import answers, clips, tasks
from motiondiff.__main__ import main
from motiondiff.evaluate import table


@pytest.fixture(scope="module")
def denoiser():
    return back_ends.load(threads=1)


def test_raw_is_the_answer_before_anything_is_imposed(made, denoiser):
    window = next(w for w in clips.windows(made)[0] if w.leader is None)
    request = tasks.request("path", window, seed=1, takes=2, steps=2)
    raw, final = answers.both(request, denoiser)
    alone = generate(request, denoiser)
    path = tasks.smoothed(window.motion)
    for k in range(2):
        assert np.array_equal(final[k].motions[0].root, alone[k].motions[0].root)
        off = [np.linalg.norm(smooth_pelvis(m.root[:, :2]) - path, axis=1).mean()
               for m in (raw[k][0], final[k].motions[0])]  # fmt: skip
        assert off[1] < 1e-4 < off[0] < 0.05
        assert raw[k][0].frames == window.motion.frames


def test_raw_of_no_answer_is_the_base(made, denoiser):
    window = next(w for w in clips.windows(made)[0] if w.leader is None)

    def silent(noisy, *rest):
        return np.zeros_like(noisy)

    silent.weights, silent.gradient = denoiser.weights, None
    raw, _ = answers.both(tasks.request("keys", window), silent)
    frames = tasks.key_frames(window.motion)
    assert raw[0][0].root[frames] == pytest.approx(window.motion.root[frames], abs=2e-3)
    other = answers.raw(tasks.request("keys", window, seed=9), silent)
    assert np.array_equal(other[0][0].root, raw[0][0].root)


def test_raw_is_pushed_towards_words_as_the_takes_are(made, denoiser):
    """A network that answers 0.01 where something is said, else 0, answers 0.02 if pushed twice as far."""
    window = next(w for w in clips.windows(made)[0] if w.leader is None)

    def spoken_to(noisy, given, *rest):
        return np.full_like(noisy, 0.01 * given[..., -words.COUNT :].any())

    spoken_to.weights, spoken_to.gradient = denoiser.weights, None
    asked = tasks.request("free", window)
    roots = [
        answers.raw(replace(asked, words=said, text_guidance=scale), spoken_to)[0][0].root
        for said, scale in (((), 2.0), ((Words("dance"),), 1.0), ((Words("dance"),), 2.0))
    ]
    none, once, twice = roots
    assert np.abs(once - none).max() > 1e-3
    assert twice - none == pytest.approx(2 * (once - none), abs=1e-6)


def test_the_whole_command(made, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("MOTIONDIFF_DATA", raising=False)
    out = tmp_path / "new" / "report"
    assert main(["evaluate", "--data", str(made), "--out", str(out), "--steps", "1"]) == 0
    report = json.loads((out / "report.json").read_text())
    at = report["results"]["1"]
    assert set(at) == set(tasks.TASKS)
    assert 0.0 < at["path"]["raw"]["path_error_cm"] < 5.0 and at["path"]["final"]["path_error_cm"] < 0.1
    assert at["keys"]["baseline_spline"]["key_error_cm"] < 0.1 < 100 * at["keys"]["baseline_spline"]["joint_error_m"]
    assert {"baseline_still", "baseline_mirrored_leader", "real", "raw", "final"} <= set(at["reaction"])
    assert at["reaction"]["final"]["joint_error_best8_m"] <= at["reaction"]["final"]["joint_error_m"]
    about = report["intervals"]["1"]["path"]["raw"]["path_error_cm"]
    assert about["low"] <= at["path"]["raw"]["path_error_cm"] <= about["high"] and about["worst"] == "one at 0.0 s"
    assert any("baseline_pose_neighbours" in line and "MOTIONDIFF_DATA" in line for line in report["left_out"])
    assert {row["name"] for row in report["floors"]} and report["takes"]["reaction"] == 8
    kinds = report["kinds"]["1"]["keys"]
    assert sum(k["windows"] for k in kinds.values()) == about["windows"]
    assert at["keys"]["final"]["joint_error_m"] <= max(k["final"] for k in kinds.values())
    printed = capsys.readouterr().out
    assert "what has to be reached" in printed and "path_error_cm" in printed
    assert "path_error_cm" in "\n".join(table(report))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "/no/such/folder"], "There is no folder /no/such/folder"),
        ([], "Name one: --data FOLDER"),
        (["--data", ".", "--weights", "/no/such/weights"], "is missing"),
    ],
)
def test_wrong_input_is_one_line(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("MOTIONDIFF_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *arguments, "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert said in error and error.startswith("motiondiff: ") and error.count("\n") == 1


def test_wrong_steps_are_bad_usage(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--data", ".", "--steps", "0"])
    assert caught.value.code == 2 and "no number of steps" in capsys.readouterr().err
