"""The learning curve: which clips a share holds, what a run tells, and its table."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (make torch)")

from training import learning_curve

from .test_training import FLAT, made_clips


def test_a_larger_share_of_the_clips_holds_the_smaller_ones():
    clips = {str(i): i for i in range(20)}
    parts = [set(learning_curve.part_of(clips, share, 1)) for share in (0.25, 0.5, 1.0)]
    assert [len(p) for p in parts] == [5, 10, 20] and parts[0] < parts[1] < parts[2]
    assert set(learning_curve.part_of(clips, 0.25, 2)) != parts[0]


def test_a_run_tells_what_is_left_of_linear_interpolation(monkeypatch):
    monkeypatch.setattr("training.inbetween.POOL", 130)
    clips = learning_curve.alone(made_clips())
    left = learning_curve.run(clips, {"others": clips}, FLAT, 3, 1)
    assert set(left) == {"others", "seen"} and set(left["seen"]) == set(learning_curve.GAPS)
    assert all(0 < share < 150 for one in left.values() for share in one.values())


def test_the_table_has_a_row_a_share_with_the_range_over_lots():
    def line(share, lot, value):
        return {"share": share, "lot": lot, "steps": 9, "minutes": 60 * share, "left": {"seen": {"30": value}}}

    rows = list(learning_curve.table_of([line(1.0, 1, 70.0), line(0.5, 1, 80.0), line(0.5, 2, 90.0)]))
    assert rows[1:] == ["0.5 | 30 | 2 | 85.0 (80.0 to 90.0)", "1 | 60 | 1 | 70.0 (70.0 to 70.0)"]
    assert np.char.count(rows[0], "|") == np.char.count(rows[1], "|")
