"""The demo's floors, summaries and tiles."""

import errno
import os

import numpy as np
import pytest

from blender_motiondiff.core.files.recording import FileError
from tools.demo import floors, report, sheet, steps, summary

PATH = {
    "mean_cm": 1.0, "worst_cm": 4.0, "raw_mean_cm": 2.0, "key_error_cm": 0.5, "key_error_deg": 1.0,
    "foot_skating_ratio": 0.05, "foot_skating_ratio_before_cleanup": 0.1, "contact_slip_cm_s": 1.0,
    "contact_share": 0.55, "contact_share_off": 0.02, "bone_length_change_mm": 0.01, "joint_limit_share": 0.0,
    "knee_backwards_deg": 0.0,
}  # fmt: skip
REACTION = {
    "joint_error_m": 0.3, "foot_skating_ratio": 0.1, "foot_skating_ratio_before_cleanup": 0.2,
    "contact_slip_cm_s": 1.0, "contact_share": 0.5, "contact_share_off": 0.05, "leader_foot_skating_ratio": 0.15,
    "root_distance_min_m": 0.4, "root_distance_max_m": 1.5, "facing_share": 0.9, "body_distance_min_m": 0.01,
    "bone_length_change_mm": 0.01, "joint_limit_share": 0.0, "knee_backwards_deg": 0.0, "leader_moved_mm": 0.0,
}  # fmt: skip


def a_report():
    """A report in which every floor is met."""
    gliding = {**PATH, "foot_skating_ratio_before_cleanup": 0.9}
    wrong = {**REACTION, "joint_error_m": 0.9}
    return {
        "path": dict(PATH),
        "reaction": dict(REACTION),
        "controls": {
            "no_network": {"path": gliding, "reaction": wrong},
            "random_weights": {"path": {**gliding, "foot_skating_ratio": 0.8}, "reaction": wrong},
            "no_keys": {"path": {**PATH, "key_error_cm": 30.0}},
            "mirrored_leader": {"reaction": wrong},
        },
    }


def missed(made):
    """Names of the floors that are missed."""
    return {row["figure"] for row in floors.check(made) if row["met"] is False}


def test_a_good_report_misses_nothing_and_knows_everything():
    assert [row["figure"] for row in floors.check(a_report()) if not row["met"]] == []


@pytest.mark.parametrize(
    ("figure", "value"),
    [("path.mean_cm", 3.1), ("path.worst_cm", 10.1), ("path.key_error_cm", 5.1), ("path.contact_slip_cm_s", 2.1),
     ("path.foot_skating_ratio", 0.12), ("path.foot_skating_ratio_before_cleanup", 0.46),
     ("reaction.joint_error_m", 0.36), ("reaction.foot_skating_ratio", 0.21), ("reaction.root_distance_min_m", 0.19),
     ("reaction.root_distance_max_m", 2.7), ("reaction.facing_share", 0.69), ("reaction.leader_moved_mm", 5.0),
     ("controls.no_keys.path.key_error_cm", 14.0)],
)  # fmt: skip
def test_each_floor_is_missed_by_a_value_beyond_it(figure, value):
    made = a_report()
    *way, last = figure.split(".")
    row = made
    for name in way:
        row = row[name]
    row[last] = value
    assert missed(made) == {figure}


def test_a_control_that_reacts_as_well_as_the_model_misses_the_floor():
    made = a_report()
    made["controls"]["mirrored_leader"]["reaction"] = {**REACTION, "joint_error_m": 0.3}
    assert missed(made) == {"reaction.joint_error_m"}


def test_random_weights_that_pass_for_a_model_are_noticed():
    made = a_report()
    made["controls"]["random_weights"]["reaction"] = dict(REACTION, joint_error_m=0.34)
    assert missed(made) == {"controls.random_weights"}


def test_an_unknown_partner_leaves_its_floors_open():
    made = a_report()
    made["reaction"]["joint_error_m"] = None
    assert missed(made) == set()
    assert {row["met"] for row in floors.check(made) if row["figure"] == "reaction.joint_error_m"} == {None}
    assert any("not known" in line for line in floors.as_lines(floors.check(made)))


def test_mean_of_clips_takes_the_worst_distance():
    names = ("root_distance_min_m", "root_distance_max_m", "facing_share", "joint_error_m")
    rows = [dict(zip(names, values, strict=True)) for values in ((0.3, 1.0, 0.8, None), (0.5, 2.0, 1.0, None))]
    mean = summary.mean_of(rows)
    assert mean["root_distance_min_m"] == 0.3 and mean["root_distance_max_m"] == 2.0
    assert mean["facing_share"] == pytest.approx(0.9)
    assert mean["joint_error_m"] is None


def test_report_is_written_even_when_every_part_failed(tmp_path):
    (tmp_path / "work").mkdir()
    made = report.write(tmp_path, {"leaders": [{"label": "x", "source": "y"}]}, {"whole": 1.0})
    assert steps.read(tmp_path / "report.json") == made
    assert all(row["met"] is None for row in made["floors"])


def test_a_full_disk_leaves_the_report_that_was_there(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "work").mkdir()
    (tmp_path / "report.json").write_text("before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"report\.json can't be written \(No space left on device\)"):
        report.write(tmp_path, {"leaders": []}, {})
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["report.json"]
    assert (tmp_path / "report.json").read_text() == "before"


def test_tiles_are_means_of_what_they_cover():
    picture = np.zeros((6, 9, 3))
    picture[:, 3:6] = 1.0
    small = sheet.fitted(picture, (3, 2))
    np.testing.assert_allclose(small[..., 0], [[0, 1, 0], [0, 1, 0]], atol=1e-6)


def test_tiles_of_another_format_show_the_middle():
    picture = np.zeros((4, 12, 3))
    picture[:, 4:8] = 1.0
    np.testing.assert_allclose(sheet.fitted(picture, (2, 2)), 1.0)


def test_tiles_keep_the_mean_at_any_size():
    picture = np.random.default_rng(0).random((36, 48, 3))
    assert sheet.fitted(picture, (32, 24)).mean() == pytest.approx(picture.mean(), abs=1e-5)
