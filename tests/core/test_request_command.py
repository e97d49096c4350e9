"""`motiondiff generate`: files out, the report, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files import motions, npz
from blender_motiondiff.core.files.bvh import write as write_bvh
from blender_motiondiff.core.files.recording import FileError
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request import Take
from motiondiff import generate as command
from motiondiff.__main__ import main
from tools import setup_env

from .made_motion import swinging
from .samples import stepping

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "requests"


def run(capsys, *arguments):
    status = main(["generate", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_take_is_written_with_its_report(tmp_path, capsys):
    status, out, err = run(capsys, EXAMPLES / "path.json", "-o", tmp_path / "walk.npz", "--seed", 3, "--steps", 2)
    assert (status, err) == (0, "")
    take = npz.read(tmp_path / "walk.npz")
    assert take.motions[0].frames == 121
    assert "Ann" in out and "path_worst_cm" in out and "seconds" in out


def test_several_takes_and_persons_are_told_apart_by_name(tmp_path, capsys):
    status, out, _ = run(capsys, EXAMPLES / "reaction.json", "-o", tmp_path / "pair.bvh", "--takes", 2)
    names = ["pair_1_a.bvh", "pair_1_b.bvh", "pair_2_a.bvh", "pair_2_b.bvh"]
    assert status == 0 and sorted(p.name for p in tmp_path.iterdir()) == names
    leader, _ = motions.read(ROOT / "examples" / "leader_a.bvh")
    written, _ = motions.read(tmp_path / "pair_1_a.bvh")
    assert np.abs(positions(written) - positions(leader)[30:121]).max() < 1e-4
    assert all(name in out for name in names)


def test_keys_between_frames_are_in_a_bvh_where_they_are_in_time(tmp_path):
    motion = swinging(31)
    times = np.arange(31) / 30
    bent = times + 0.01 * np.sin(np.pi * times)
    command.write(tmp_path / "a.bvh", Take((motion,), bent, np.zeros((1, 31, 4))))
    written, _ = motions.read(tmp_path / "a.bvh")
    expected = np.interp(times, bent, motion.root[:, 0])
    assert np.abs(written.root[:, 0] - expected).max() < 1e-5


BAD = {
    "no takes": (["path.json", "--takes", "0"], "takes: 0 takes"),
    "no file": (["nothing.json"], "nothing.json can't be read"),
    "no weights": (["path.json", "--weights", "nowhere"], "nowhere"),
    "a negative seed": (["path.json", "--seed", "-1"], "seed: "),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_with_1_and_one_message(tmp_path, capsys, case):
    (name, *options), words = BAD[case]
    status, _, err = run(capsys, EXAMPLES / name, "-o", tmp_path / "a.npz", *options)
    assert status == 1 and words in err and err.count("\n") == 1 and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_request_s_error_names_the_field(tmp_path, capsys):
    data = json.loads((EXAMPLES / "keys.json").read_text())
    data["characters"][0]["keys"][1]["time"] = 4.2
    (tmp_path / "late.json").write_text(json.dumps(data))
    status, _, err = run(capsys, tmp_path / "late.json", "-o", tmp_path / "a.npz")
    assert status == 1
    assert err.startswith("motiondiff: characters[0].keys[1].time: 4.20 s lies outside the clip of 2.00 s (Ann). Move")


def test_a_missing_folder_is_said_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "generate", None)
    status, _, err = run(capsys, EXAMPLES / "path.json", "-o", tmp_path / "gone" / "a.npz")
    assert status == 1 and "there is no folder" in err


@pytest.mark.parametrize("arguments", [[], ["generate"], ["generate", "a.json", "-o", "a.txt"], ["dance"]])
def test_bad_usage_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2


def test_the_command_runs_from_any_folder(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    assert setup_env.write_command(tmp_path) and not setup_env.write_command(tmp_path)
    # The interpreter that runs the tests, as a link to it would miss its packages.
    path = tmp_path / "bin" / "motiondiff"
    done = subprocess.run([sys.executable, path, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "generate" in done.stdout
    assert path.read_text().startswith(f"#!{tmp_path}/bin/python\n") and path.stat().st_mode & 0o111


def test_tables_show_every_value_of_a_report():
    report = {
        "characters": [{"name": "Ann", "feet": {"slip_cm_s": 1.23456}}, {"name": "Ben", "worst_cm": 2.0}],
        "relaxed": ["keys[0] is missed"], "seconds": {"solve": 0.5}, "network_calls": 3, "constraints": [],
    }  # fmt: skip
    text = "\n".join(command.tables(report))
    assert all(
        w in text for w in ("Ann", "Ben", "feet.slip_cm_s", "1.235", "worst_cm", "keys[0]", "solve 0.5", "calls: 3")
    )
    heads, first, second = text.splitlines()[1:4]
    assert len(heads) >= heads.index("worst_cm") and second.rstrip().endswith("2") and first.rstrip().endswith("1.235")


# --- motions in files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["m", "cm"])
def test_a_bvh_that_was_written_is_read_back(tmp_path, unit):
    motion = stepping(20)
    write_bvh(tmp_path / "a.bvh", motion, unit)
    found, times = motions.read(tmp_path / "a.bvh")
    assert np.abs(found.root - motion.root).max() < 1e-6
    assert rot.angle_between(found.rotations, motion.rotations).max() < 1e-6
    assert np.abs(found.body.offsets - motion.body.offsets).max() < 1e-7
    assert times[-1] == pytest.approx(19 / 30, abs=1e-6)


def test_files_that_are_no_canonical_motion_are_refused(tmp_path):
    write_bvh(tmp_path / "a.bvh", stepping(3))
    text = (tmp_path / "a.bvh").read_text()
    cases = {
        "other names": (text.replace("LeftArm", "Tail"), "no joint LeftArm"),
        "legs apart": (text.replace("OFFSET 0.00000000 -41.0", "OFFSET 41.0000000 -41.0"), "off a T-pose"),
        "a giant": (text.replace("-41.0", "-410.0").replace("-43.5", "-435.0"), "no known unit"),
    }
    for name, (changed, words) in cases.items():
        assert changed != text, name
        (tmp_path / "b.bvh").write_text(changed)
        with pytest.raises(FileError, match=words):
            motions.read(tmp_path / "b.bvh")
    with pytest.raises(FileError, match="no person 1"):
        motions.read(tmp_path / "a.bvh", 1)
    with pytest.raises(FileError, match="no motion file"):
        motions.read(tmp_path / "a.fbx")
