"""Words: tags from free text, what is unknown, and what a request says at each frame."""

from pathlib import Path

import numpy as np
import pytest

from blender_motiondiff.core import words
from blender_motiondiff.core.diffusion.conditions import spoken
from blender_motiondiff.core.request import Words

LIST = Path(__file__).parents[2] / "docs" / "words.md"


def tags(text):
    return {words.NAMES[i] for i in np.flatnonzero(words.encode(text))}


def test_a_text_is_the_set_of_its_tags():
    assert tags("She walks slowly, then turns LEFT") == {"walk", "slow", "turn", "left"}
    assert tags("sneaking") == {"sneak"} and tags("") == tags("the of") == set()
    assert np.array_equal(words.encode("walk left"), words.encode("left, walking!"))


@pytest.mark.parametrize("text", ["walk", "walk left", "run fast and jump over"])
def test_the_channels_of_a_text_have_length_1(text):
    assert np.linalg.norm(words.encode(text)) == pytest.approx(1.0)


def test_unknown_words_are_named_once_and_in_order():
    assert words.unknown("moonwalk proudly to the left, moonwalk") == ["moonwalk", "proudly"]
    assert words.unknown("walk left", vocabulary=("left",)) == ["walk"]


def test_no_word_means_two_tags_and_fillers_mean_none():
    every = [w for tag, more in words.TAGS.items() for w in (tag, *more.split())]
    assert sorted(every) == sorted(set(every))
    assert not set(every) & set(words.FILLERS.split())


def test_words_hold_in_their_span_and_join_where_spans_overlap():
    times = np.arange(91) / 30
    said = spoken((Words("walk"), Words("left", 1.0, 2.0)), times)
    assert said.shape == (91, words.COUNT)
    assert np.allclose(said[0], words.encode("walk")) and np.allclose(said[45], words.encode("walk left"))
    assert np.allclose(said[75], words.encode("walk")) and not spoken((), times).any()


def test_every_tag_is_in_the_list_for_users():
    text = LIST.read_text()
    for tag, more in words.TAGS.items():
        assert f"| {tag} | {', '.join(more.split())} |" in text, (
            f"docs/words.md lacks {tag}: write it as words.TAGS has it"
        )
