"""Means, intervals, worst windows, and what has to be reached, against numbers worked out by hand."""

import numpy as np
import pytest

from evaluation import floors, summary
from evaluation.clips import Window


def rows_of(*values, weight=1.0):
    return [{"joint_error_m": (np.array([v * weight]), np.array([weight]))} for v in values]


def windows(*trials):
    return [Window(f"clip{k}", trial, 4.0 * k, None) for k, trial in enumerate(trials)]


def test_weights_count():
    rows = [(np.array([1.0, 3.0]), np.array([1.0, 1.0])), (np.array([30.0]), np.array([10.0]))]
    assert summary.quotient(rows) == pytest.approx((2.0 + 30.0) / 11.0)
    assert summary.quotient([(np.zeros(1), np.zeros(1))]) is None


def test_interval_is_over_trials_not_windows():
    same = rows_of(*[1.0] * 10, *[2.0] * 10)
    two = summary.summed_up(windows(*["a"] * 10, *["b"] * 10), same)[1]["joint_error_m"]
    many = summary.summed_up(windows(*map(str, range(20))), same)[1]["joint_error_m"]
    assert (two["low"], two["high"]) == (1.0, 2.0) and two["trials"] == 2 and two["windows"] == 20
    assert 1.2 < many["low"] < 1.5 < many["high"] < 1.8


def test_interval_is_over_takes_as_well():
    one = [{"x_m": (np.array([0.0, 1.0, 0.0, 1.0]), np.ones(4))}]
    figures, about = summary.summed_up(windows("a"), one)
    assert figures["x_m"] == 0.5 and about["x_m"]["low"] < 0.25 and about["x_m"]["high"] > 0.75


def test_worst_window_is_named():
    about = summary.summed_up(windows("a", "b", "c"), rows_of(0.1, 0.4, 0.2))[1]
    assert about["joint_error_m"]["worst"] == "clip1 at 4.0 s"
    held = [{"hands_held_share": (np.array([v]), np.ones(1))} for v in (0.9, 0.5, 0.1)]
    real = [{"hands_held_share": (np.array([v]), np.ones(1))} for v in (0.8, 0.5, 0.9)]
    assert summary.summed_up(windows("a", "b", "c"), held, real)[1]["hands_held_share"]["worst"] == "clip2 at 8.0 s"


def test_a_figure_that_nothing_defines_is_left_out():
    assert summary.summed_up(windows("a"), [{"penetration_mean_cm": (np.zeros(1), np.zeros(1))}]) == ({}, {})


def results(path_error=0.05, keys=0.06):
    feet = {"foot_skating_ratio": 0.1, "contact_slip_cm_s": 0.5, "contact_share_before": 0.4, "jerk_ratio": 0.9}
    feet["jerk_below_8hz_ratio"] = 1.2
    real = {**feet, "foot_skating_ratio": 0.08, "contact_share_before": 0.45, "jerk_ratio": 1.0}
    real["jerk_below_8hz_ratio"] = 1.0
    path = {"raw": {**feet, "path_error_cm": 1.0}, "final": {**feet, "path_error_cm": path_error}, "real": real}
    between = {"raw": feet, "final": {**feet, "joint_error_m": keys}, "real": real}
    return {"path": path, "keys": {**between, "baseline_spline": {"joint_error_m": 0.1}}}


def test_floors_by_hand():
    rows = {row["name"].split(":")[0]: row for row in floors.rows({"2": results(), "8": results(0.5)})}
    assert rows["dense path, final"]["measured"] == 0.05 and rows["dense path, final"]["steps"] == 2
    assert rows["dense path, final"]["met"] is True and rows["dense path, raw"]["aim_met"] is False
    assert rows["between keys"]["measured"] == pytest.approx(0.4)
    assert rows["between keys"]["met"] is True and rows["between keys"]["aim_met"] is False
    skating = rows["foot skating on paths, final, times the real clips'"]
    assert skating["measured"] == pytest.approx(1.25) and skating["met"] is False
    jerk = rows["jerk, off the real, worst task"]
    assert jerk["measured"] == pytest.approx(0.1) and jerk["where"] == "path"
    assert rows["jerk below 8 Hz, off the real, worst task"]["measured"] == pytest.approx(0.2)
    share = rows["share of such frames, off the real, worst task"]
    assert share["measured"] == pytest.approx(0.05) and share["met"] is True
    assert rows["reaction"]["measured"] is None and rows["reaction"]["met"] is None


def test_few_steps_against_many():
    made = {"1": results(keys=0.09), "2": results(), "4": results(keys=0.05), "50": results(keys=0.06)}
    one, four = (next(r for r in floors.rows(made) if r["name"].startswith(n)) for n in ("1 step", "4 steps"))
    assert one["measured"] == pytest.approx(0.5) and one["where"] == "keys joint_error_m" and one["met"] is False
    assert four["measured"] == 0.0 and four["met"] is True  # what got better is no loss
    assert next(r for r in floors.rows({"4": results()}) if r["name"].startswith("4 steps"))["met"] is None
