"""The learned interpolation between full keys: what it may change, and what it must leave as it is."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import inbetween
from blender_motiondiff.core import reference as ref
from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.features import POSITIONS, ROTATIONS, SIZE, VELOCITIES, encode
from blender_motiondiff.core.inbetween import CHANNELS, INPUTS, LONGEST, SINES, Inbetween

from .made_motion import swinging

FRAMES = 60
RNG = np.random.default_rng(3)


def random_network(width=16):
    """A network of random numbers: whatever it says must keep to the rules."""
    sizes = (INPUTS, width, SINES * len(CHANNELS))
    weights = tuple(
        (RNG.normal(size=s) / np.sqrt(s[0])).astype(np.float32) for s in zip(sizes, sizes[1:], strict=False)
    )
    return Inbetween(weights, tuple(np.zeros(n, np.float32) for n in sizes[1:]))


TABLES = ref.Tables(
    np.zeros((3, SIZE), np.float32),
    np.ones(SIZE, np.float32),
    np.full((3, 14, SIZE), 0.3, np.float32),
    random_network(),
)


def keyed(frames_of_keys, frames=FRAMES):
    """(observed features, mask, place, heading) of a made motion that is known whole at some frames."""
    motion = swinging(frames, seed=1)
    features = encode(motion.root, motion.rotations, motion.body.offsets, np.zeros((frames, 4)))
    heading = np.unwrap(rot.heading(motion.rotations[:, 0]))
    at = np.asarray(frames_of_keys)
    place, turn = ref.keyed_frames(frames, at, motion.root[at, :2], at, heading[at])
    mask = np.zeros((frames, SIZE), bool)
    mask[at, POSITIONS], mask[at, ROTATIONS] = True, True
    return ref.to_relative(features, place, turn), mask, place, turn


def base(tables, observed, mask, place, heading, source=ref.OWN):
    return ref.base_of(tables, np.array([source]), observed[None], mask[None], place[None], heading[None])[0]


def test_it_changes_what_lies_between_keys_and_nothing_else():
    keys = [10, 30, 50]
    asked = keyed(keys)
    learned, linear = base(TABLES, *asked), base(replace(TABLES, between=None), *asked)
    moved = np.abs(learned - linear)[:, CHANNELS].max(1)
    between = np.zeros(FRAMES, bool)
    between[11:50] = True
    between[keys] = False
    assert (moved[between] > 1e-4).all()
    assert (moved[~between] == 0).all()
    assert np.allclose(learned[keys][:, CHANNELS], asked[0][keys][:, CHANNELS])


def test_velocities_follow_the_places():
    asked = keyed([0, 30, 59])
    learned = base(TABLES, *asked)
    world = ref.to_world(learned, *asked[2:])
    told = ref.to_world(learned, *asked[2:])[:, VELOCITIES].reshape(FRAMES, -1, 3)
    assert np.allclose(told[:-1], np.diff(world[:, POSITIONS].reshape(FRAMES, -1, 3), axis=0) * 30, atol=1e-4)


def test_what_is_known_in_between_stays():
    observed, mask, place, heading = keyed([0, 30, 59])
    wrist = slice(3 * 20, 3 * 21)
    mask[10:14, wrist] = True
    learned = base(TABLES, observed, mask, place, heading)
    linear = base(replace(TABLES, between=None), observed, mask, place, heading)
    assert np.array_equal(learned[:31, wrist], linear[:31, wrist])
    assert np.abs(learned - linear)[31:59, wrist].max() > 1e-4


@pytest.mark.parametrize("source", [ref.PATH, ref.PARTNER])
def test_only_ones_own_keys_count(source):
    asked = keyed([0, 30, 59])
    assert np.array_equal(base(TABLES, *asked, source), base(replace(TABLES, between=None), *asked, source))


def test_gaps_know_their_neighbours():
    full = np.zeros(500, bool)
    full[[0, 1, 2, 30, 60, 60 + LONGEST + 1, 400]] = True
    assert inbetween.gaps_between(full).tolist() == [[1, 2, 30, 60], [2, 30, 60, -1]]
    assert len(inbetween.gaps_between(np.arange(9) == 4)) == 0


def test_where_and_which_way_it_all_happens_makes_no_difference():
    observed, mask, place, heading = keyed([0, 30, 59])
    turned = base(TABLES, observed, mask, ref.turn_xy(place, np.full(FRAMES, 1.1)) + [5.0, -2.0], heading + 1.1)
    assert np.allclose(turned[:, CHANNELS], base(TABLES, observed, mask, place, heading)[:, CHANNELS], atol=1e-4)


def test_a_gap_is_answered_whatever_other_gaps_there_are():
    """All gaps go through the network at once: its answer for one does not depend on the others."""
    observed, mask, place, heading = keyed([0, 20, 40, 59])
    gaps = inbetween.gaps_between(mask[:, 0])
    told = inbetween.inputs(TABLES.mean[0], TABLES.deviation, observed, place, heading, gaps)
    every = inbetween.coefficients(TABLES.between, told)
    alone = inbetween.coefficients(TABLES.between, told[1:2])
    assert np.allclose(every[1:2], alone, atol=1e-5)


def test_numbers_come_back_from_a_file(tmp_path):
    numbers = ref.tables_as_numbers(TABLES)
    np.savez(tmp_path / "tables.npz", **numbers)
    with np.load(tmp_path / "tables.npz") as f:
        read = ref.tables_from_numbers(dict(f))
    asked = keyed([0, 30, 59])
    assert np.array_equal(base(read, *asked), base(TABLES, *asked))
    assert ref.tables_from_numbers(ref.tables_as_numbers(replace(TABLES, between=None))).between is None
