"""Windows over a long clip: they cover it evenly, and their seams leave alone what neighbours agree on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.diffusion.windows import LENGTH, OVERLAP, merge, spans, weights

lengths = st.integers(15, 18001)


@given(lengths)
def test_windows_cover_the_clip_with_room_to_pass_over(frames):
    parts = spans(frames)
    assert parts[0][0] == 0 and parts[-1][1] == frames
    assert {end - start for start, end in parts} == {min(frames, LENGTH)}
    shared = [before[1] - after[0] for before, after in zip(parts[:-1], parts[1:], strict=True)]
    assert all(s >= OVERLAP - 1 for s in shared)  # starts are whole frames
    assert len(parts) <= 1 + np.ceil(frames / (LENGTH - OVERLAP))
    steps = np.diff([start for start, _ in parts])
    assert len(steps) == 0 or np.ptp(steps) <= 1


@given(lengths, st.integers(2, 120))
def test_weights_add_up_to_one_and_are_never_negative(frames, seam):
    parts, total = spans(frames), np.zeros(frames)
    for (start, end), share in zip(parts, weights(parts, seam), strict=True):
        assert share.min() >= 0
        total[start:end] += share
    assert np.abs(total - 1).max() < 1e-12


@given(st.integers(15, 1500))
def test_what_windows_agree_on_comes_back(frames):
    whole = np.random.default_rng(frames).normal(size=(2, 3, frames, 5))
    parts = spans(frames)
    back = merge((whole[..., a:b, :] for a, b in parts), parts)
    assert back.shape == whole.shape and np.abs(back - whole).max() < 1e-12


def test_a_disagreement_passes_smoothly_over_the_seam():
    parts = spans(600)
    steps = [np.full((b - a, 1), float(i)) for i, (a, b) in enumerate(parts)]
    out = merge(steps, parts)[:, 0]
    assert out[0] == 0 and out[-1] == len(parts) - 1
    assert (np.diff(out) >= -1e-12).all()
    assert np.abs(np.diff(out)).max() < 1.01 * np.pi / 2 / OVERLAP
    assert np.abs(np.diff(out, 3)).max() < np.pi**2 / 2 / OVERLAP**2


def test_merging_is_linear_and_keeps_the_kind_of_number():
    rng, parts = np.random.default_rng(0), spans(700)
    a, b = ([rng.normal(size=(e - s, 4)) for s, e in parts] for _ in range(2))
    both = merge([2 * x - 3 * y for x, y in zip(a, b, strict=True)], parts)
    assert np.abs(both - (2 * merge(a, parts) - 3 * merge(b, parts))).max() < 1e-12
    assert merge([x.astype(np.float32) for x in a], parts).dtype == np.float32


def test_nearby_rotations_average_to_the_one_between():
    turn = rot.normalize(np.random.default_rng(3).normal(size=(50, 4)))
    other = rot.multiply(turn, rot.from_rotvec(np.full((50, 3), 0.1)))
    middle = rot.from_6d(0.5 * (rot.to_6d(turn) + rot.to_6d(other)))
    assert rot.angle_between(middle, rot.slerp(turn, other, 0.5)).max() < 0.005


def test_windows_that_can_not_advance_are_refused():
    with pytest.raises(ValueError, match="can't share"):
        spans(1000, 60, 60)
