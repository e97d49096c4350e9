"""The texts show the figures of the stored report."""

import pytest

from evaluation import publish


@pytest.mark.parametrize("path", publish.TEXTS, ids=lambda p: p.name)
def test_the_texts_hold_the_stored_report(path):
    text = path.read_text()
    again = publish.between(text, publish.tables(publish.stored()))
    assert text == again, f"{path.name} has other figures: run python -m evaluation.publish on the report"


def test_a_text_without_markers_is_refused():
    with pytest.raises(ValueError, match="markers"):
        publish.between("no markers here", "x")


def test_every_floor_has_a_row_that_says_whether_it_is_met():
    report = publish.stored()
    lines = publish.tables(report).splitlines()
    for row in report["floors"]:
        (line,) = (one for one in lines if one.startswith(f"| {row['name']}"))
        assert ("not reached" in line) == (not row["met"])


def test_numbers_are_rounded_and_the_rest_is_kept():
    assert publish.rounded({"a": [1.23456789, 3, True, "x", None]}) == {"a": [1.2346, 3, True, "x", None]}
