"""The last kinematic solve: what binds ends exact, bones and frozen joints stay, and nothing jumps."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.plants import runs
from blender_motiondiff.core.constraints.rows import LEVER, join, make_rows
from blender_motiondiff.core.motion import Motion, forward_kinematics, positions, resample, scaled, turned
from blender_motiondiff.core.skeleton import COUNT, INDEX
from blender_motiondiff.core.solve.goals import meet
from blender_motiondiff.core.solve.step import solve_positive
from evaluation import metrics

from .samples import data_folder, seeds, standing, stepping, wobble

HARD = np.inf
SPAN = np.arange(45, 105)
MOST_JERK = 1.2
REAL = ("016_15", "008_05", "049_06", "060_03")


def place(joint, person, frames, wanted, weight=HARD, number=0):
    """A gather that holds a joint's place at `wanted [N, 3]` or `[3]`."""
    joint, frames = INDEX[joint], np.asarray(frames)

    def rows(poses):
        off = poses.places[person, frames, joint] - wanted
        axes = np.tile(np.eye(3), (len(frames), 1))
        return make_rows(np.repeat(frames, 3), person, joint, axes, off.ravel(), weight, number)

    return rows


def held_turn(joint, person, frames, wanted, number=1):
    """A gather that holds a joint's turn against the world at `wanted [4]`; good for small residuals."""
    joint = INDEX[joint]

    def rows(poses):
        off = rot.to_rotvec(rot.multiply(poses.turns[person, frames, joint], rot.conjugate(wanted)))
        axes = np.tile(LEVER * np.eye(3), (len(frames), 1))
        return make_rows(np.repeat(frames, 3), person, joint, axes, LEVER * off.ravel(), HARD, number, turning=True)

    return rows


def apart(first, second, distance, frames):
    """A gather that holds two joints (person, name) at a distance."""

    def rows(poses):
        (p, a), (q, b) = ((person, INDEX[name]) for person, name in (first, second))
        way = poses.places[p, frames, a] - poses.places[q, frames, b]
        length = np.linalg.norm(way, axis=1, keepdims=True)
        normal = way / np.maximum(length, 1e-9)
        return make_rows(frames, p, a, normal, length[:, 0] - distance, HARD, 0, (q, b, -normal))

    return rows


def beyond_plane(joint, axis, level, weight=HARD):
    """A gather that keeps a joint where its coordinate is at least `level`: rows only where it is not."""

    def rows(poses):
        off = poses.places[0, :, INDEX[joint], axis] - level
        frames = np.flatnonzero(off < 0)
        return make_rows(frames, 0, INDEX[joint], np.eye(3)[axis], off[frames], weight, 0)

    return rows


def both(*gathers):
    return lambda poses: join([g(poses) for g in gathers])


def solved(motions, gather, **options):
    out, report = meet(motions, np.arange(motions[0].frames) / 30, gather, **options)
    for before, after in zip(motions, out, strict=True):
        assert np.isfinite(after.rotations).all()
        assert np.abs(np.linalg.norm(after.rotations, axis=-1) - 1).max() < 1e-9
        assert metrics.bone_length_drift(positions(after), before.body) < 1e-9
    return out, report


def jerks(before, after):
    return metrics.jerk(positions(after), 30) / metrics.jerk(positions(before), 30)


def real_motions():
    from training.dataset import load_clips

    for name, clip in load_clips(data_folder(), set(REAL)).items():
        start, end = max(runs(clip.good), key=lambda span: span[1] - span[0])
        part = Motion(clip.motion.root[start:end], clip.motion.rotations[start:end], clip.motion.body, clip.motion.fps)
        whole = resample(part, np.arange(0, part.duration + 1e-9, 1 / 30))
        if whole.frames >= 120:
            yield name, Motion(whole.root[:150], whole.rotations[:150], whole.body)


# --- the arithmetic -----------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 20))
def test_small_systems_are_solved(seed, width):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(4, width, width))
    matrix, right = a @ a.transpose(0, 2, 1) + np.eye(width), rng.normal(size=(4, width))
    assert np.allclose(solve_positive(matrix, right), np.linalg.solve(matrix, right[..., None])[..., 0])


# --- what binds ends exact ----------------------------------------------------------------------------------------


@given(seeds, st.floats(0.7, 1.3))
@settings(max_examples=12)
def test_a_wrist_ten_centimetres_away_is_met_exactly_and_smoothly(seed, size):
    motion = scaled(wobble(stepping(), 0.01, seed % 100), size)
    way = rot.normalize(np.random.default_rng(seed).normal(size=3)) * 0.1 * size
    wanted = positions(motion)[SPAN, INDEX["left_wrist"]] + way
    (after,), report = solved([motion], place("left_wrist", 0, SPAN, wanted))
    missed = np.linalg.norm(positions(after)[SPAN, INDEX["left_wrist"]] - wanted, axis=1)
    assert missed.max() < 1e-3
    assert report.after[0] < 1e-3 < report.before[0]
    assert jerks(motion, after) < MOST_JERK
    assert metrics.knee_hyperextension(after.rotations) < 1e-6
    far = np.r_[0:20, 130:150]
    assert np.array_equal(after.root[far], motion.root[far])
    assert np.abs(after.rotations[far] - motion.rotations[far]).max() < 1e-12


def test_a_wrist_held_still_while_the_body_goes_on():
    motion = wobble(stepping(), 0.01)
    span = np.arange(50, 65)
    wanted = positions(motion)[57, INDEX["right_wrist"]]
    (after,), _ = solved([motion], place("right_wrist", 0, span, wanted))
    assert np.abs(positions(after)[span, INDEX["right_wrist"]] - wanted).max() < 1e-3
    assert jerks(motion, after) < MOST_JERK


def test_a_wrists_place_and_rotation():
    motion = wobble(stepping(), 0.01)
    span, joint = np.arange(45, 60), INDEX["left_wrist"]
    places, world = forward_kinematics(motion.root, motion.rotations, motion.body.offsets)
    wanted, turn_to = places[52, joint] + 0.05, rot.multiply(rot.from_rotvec([0.5, 0.3, 0.2]), world[52, joint])
    gather = both(place("left_wrist", 0, span, wanted), held_turn("left_wrist", 0, span, turn_to))
    (after,), report = solved([motion], gather)
    places, world = forward_kinematics(after.root, after.rotations, after.body.offsets)
    assert np.linalg.norm(places[span, joint] - wanted, axis=1).max() < 1e-3
    assert np.degrees(rot.angle_between(world[span, joint], turn_to)).max() < 0.1
    assert list(report.numbers) == [0, 1]
    assert report.turn_before[1] > 0.5 > 0.002 > report.turn_after[1]
    assert report.after[1] == 0
    assert jerks(motion, after) < MOST_JERK


def test_an_ankle_and_the_other_foot():
    motion = wobble(stepping(), 0.005)
    span = np.arange(50, 56)
    wanted = positions(motion)[span, INDEX["left_ankle"]] + [0.03, 0.0, 0.03]
    (after,), _ = solved([motion], place("left_ankle", 0, span, wanted))
    assert np.abs(positions(after)[span, INDEX["left_ankle"]] - wanted).max() < 1e-3
    assert np.abs(positions(after) - positions(motion))[:, INDEX["right_ankle"]].max() < 0.03
    assert metrics.knee_hyperextension(after.rotations) < 1e-6


def test_heads_turn():
    motion = wobble(standing(150), 0.01)
    wanted = rot.about_z(0.9)
    (after,), _ = solved([motion], held_turn("head", 0, SPAN, wanted))
    world = forward_kinematics(after.root, after.rotations, after.body.offsets)[1]
    assert np.degrees(rot.angle_between(world[SPAN, INDEX["head"]], wanted)).max() < 0.1
    assert jerks(motion, after) < MOST_JERK
    assert np.abs(after.root - motion.root).max() < 1e-9


@pytest.mark.parametrize("distance", [0.02, 0.1])
def test_hands_of_two_persons_meet(distance):
    first = wobble(stepping(), 0.01, 1)
    second = turned(wobble(stepping(), 0.01, 5), 0.0, (0.45, -0.25, 0.0))
    gather = apart((0, "left_wrist"), (1, "right_wrist"), distance, np.arange(60, 80))
    out, report = solved([first, second], gather)
    way = positions(out[0])[60:80, INDEX["left_wrist"]] - positions(out[1])[60:80, INDEX["right_wrist"]]
    assert np.abs(np.linalg.norm(way, axis=1) - distance).max() < 1e-3
    assert report.before[0] > 0.1
    moved = [np.abs(positions(a) - positions(b)).max() for a, b in zip(out, (first, second), strict=True)]
    assert min(moved) > 0.02


def test_a_given_person_stays_and_the_other_does_it_all():
    first, second = stepping(90), turned(stepping(90), 0.0, (0.6, -0.1, 0.0))
    frozen = np.zeros((2, 90, COUNT + 1), bool)
    frozen[0] = True
    gather = apart((0, "left_wrist"), (1, "right_wrist"), 0.05, np.arange(40, 50))
    out, report = solved([first, second], gather, frozen=frozen)
    assert np.array_equal(out[0].rotations, first.rotations)
    assert np.array_equal(out[0].root, first.root)
    assert report.after[0] < 1e-3


# --- how it is met ------------------------------------------------------------------------------------------------


def test_the_pelvis_comes_along_and_the_feet_stay():
    motion = wobble(standing(150), 0.005)
    wanted = np.array([0.35, -0.4, 0.55])
    (after,), report = solved([motion], place("left_wrist", 0, SPAN, wanted))
    places, before = positions(after), positions(motion)
    assert np.abs(places[SPAN, INDEX["left_wrist"]] - wanted).max() < 5e-3
    assert report.largest_shift > 0.02
    ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
    assert np.abs((places - before)[SPAN][:, ankles]).max() < 0.03
    assert metrics.knee_hyperextension(after.rotations) < metrics.knee_hyperextension(motion.rotations) + 1e-4


def test_out_of_reach_the_arm_is_stretched_towards_the_target():
    motion = standing(60)
    wanted = np.array([2.5, -1.0, 1.4])
    (after,), report = solved([motion], place("left_wrist", 0, np.arange(20, 40), wanted))
    places = positions(after)[30]
    arm = [places[INDEX[name]] for name in ("left_shoulder", "left_elbow", "left_wrist")]
    upper, lower, way = arm[1] - arm[0], arm[2] - arm[1], wanted - arm[0]
    assert (rot.normalize(upper) * rot.normalize(lower)).sum() > np.cos(0.25)
    assert (rot.normalize(arm[2] - arm[0]) * rot.normalize(way)).sum() > np.cos(0.2)
    assert 0.5 < report.after[0] < report.before[0]
    assert np.abs(after.root - motion.root).max() < 0.6
    assert np.linalg.norm(np.diff(positions(after), axis=0), axis=-1).max() < 0.2


def test_nothing_is_done_without_rows():
    motion = stepping(30)
    empty = make_rows(0, 0, 0, np.zeros((0, 3)), np.zeros(0), HARD, 0)
    (after,), report = solved([motion], lambda poses: empty)
    assert np.array_equal(after.rotations, motion.rotations)
    assert report.iterations == 0
    assert len(report.numbers) == 0


def test_what_is_met_already_stays():
    motion = wobble(stepping(60), 0.01)
    (after,), _ = solved([motion], place("head", 0, np.arange(60), positions(motion)[:, INDEX["head"]]))
    assert np.abs(positions(after) - positions(motion)).max() < 1e-9


def test_motions_are_not_changed_in_place():
    motion = stepping(60)
    copy = replace(motion, root=motion.root.copy(), rotations=motion.rotations.copy())
    solved([motion], place("left_wrist", 0, np.arange(20, 40), positions(motion)[20:40, 20] + 0.05))
    assert np.array_equal(motion.root, copy.root)
    assert np.array_equal(motion.rotations, copy.rotations)


def test_a_half_space_is_kept_and_only_where_it_must():
    motion = wobble(standing(150), 0.02)
    height = positions(motion)[:, INDEX["left_wrist"], 2]
    level = np.quantile(height, 0.85)
    (after,), report = solved([motion], beyond_plane("left_wrist", 2, level))
    assert positions(after)[:, INDEX["left_wrist"], 2].min() > level - 1e-3
    assert report.before[0] > 0.01
    assert report.after[0] < 1e-3


@pytest.mark.parametrize("weight", [0.1, 1.0, 10.0])
def test_wishes_are_met_as_far_as_they_weigh(weight):
    motion = wobble(stepping(), 0.01)
    wanted = positions(motion)[SPAN, INDEX["left_wrist"]] + [0.0, -0.1, 0.05]
    rests = []
    for w in (weight, 3 * weight):
        (after,), report = solved([motion], place("left_wrist", 0, SPAN, wanted, w))
        rests.append(report.after[0])
        assert jerks(motion, after) < MOST_JERK
    assert rests[1] < rests[0] < 0.1


def test_what_binds_comes_before_wishes():
    motion = wobble(stepping(), 0.01)
    wanted = positions(motion)[SPAN, INDEX["left_wrist"]] + [0.0, -0.1, 0.05]
    against = place("left_wrist", 0, SPAN, wanted - [0.0, -0.2, 0.0], 100.0, 1)
    _, report = solved([motion], both(place("left_wrist", 0, SPAN, wanted), against))
    assert report.after[0] < 1e-3
    assert report.after[1] > 0.19


def test_frozen_keys_stay_as_they_are():
    motion = wobble(stepping(), 0.01)
    frozen = np.zeros((1, 150, COUNT + 1), bool)
    frozen[:, [30, 110]] = True
    frozen[:, :, INDEX["spine2"]] = True
    wanted = positions(motion)[40:100, INDEX["left_wrist"]] + [0.0, -0.1, 0.05]
    (after,), report = solved([motion], place("left_wrist", 0, np.arange(40, 100), wanted), frozen=frozen)
    for frame in (30, 110):
        assert np.abs(positions(after) - positions(motion))[frame].max() < 1e-9
    assert np.abs(after.rotations - motion.rotations)[:, INDEX["spine2"]].max() < 1e-12
    assert report.after[0] < 1e-3
    assert jerks(motion, after) < MOST_JERK


def test_pins_that_overlap_in_time():
    motion = wobble(standing(150), 0.02)
    places = positions(motion)
    left = places[30:80, INDEX["left_wrist"]] + [-0.05, -0.1, 0.0]
    right = places[60:120, INDEX["right_wrist"]] + [0.05, -0.1, 0.05]
    gather = both(
        place("left_wrist", 0, np.arange(30, 80), left), place("right_wrist", 0, np.arange(60, 120), right, HARD, 1)
    )
    (after,), report = solved([motion], gather)
    assert report.after.max() < 1e-3
    assert jerks(motion, after) < MOST_JERK


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_very_short_clips_are_no_trouble(frames):
    motion = stepping(frames)
    wanted = positions(motion)[:, INDEX["left_wrist"]] + [0.0, -0.1, -0.1]
    _, report = solved([motion], place("left_wrist", 0, np.arange(frames), wanted))
    assert report.after[0] < 1e-3


@given(seeds, st.floats(-3, 3))
@settings(max_examples=8)
def test_it_does_not_matter_where_one_stands_or_looks(seed, angle):
    motion = wobble(stepping(60), 0.01, seed % 100)
    wanted = positions(motion)[20:40, INDEX["left_wrist"]] + [0.0, -0.1, 0.05]
    (here,), _ = solved([motion], place("left_wrist", 0, np.arange(20, 40), wanted))
    there = rot.rotate(rot.about_z(angle), wanted) + [3.0, -2.0, 0.0]
    moved = turned(motion, angle, (3.0, -2.0, 0.0))
    (away,), _ = solved([moved], place("left_wrist", 0, np.arange(20, 40), there))
    assert np.abs(positions(away) - positions(turned(here, angle, (3.0, -2.0, 0.0)))).max() < 1e-3


@given(seeds)
@settings(max_examples=25)
def test_whatever_an_arm_can_reach_is_reached(seed):
    rng, still = np.random.default_rng(seed), standing(1)
    shoulder, elbow = INDEX["left_shoulder"], INDEX["left_elbow"]
    base = still.rotations.copy()
    base[:, shoulder] = rot.from_rotvec([0.0, 1.2, 0.0])
    base[:, elbow] = rot.from_rotvec(rng.uniform(0, 1.2) * np.array([0, 0, -1]))
    other = base.copy()
    other[:, shoulder] = rot.multiply(rot.from_rotvec(rng.normal(size=3) * 0.7), base[:, shoulder])
    other[:, elbow] = rot.from_rotvec(rng.uniform(0, 2.0) * np.array([0, 0, -1]))
    wanted = positions(Motion(still.root, other, still.body))[:, INDEX["left_wrist"]]
    _, report = solved([Motion(still.root, base, still.body)], place("left_wrist", 0, [0], wanted))
    assert report.after[0] < 1e-3


# --- on recorded motion, and in time ------------------------------------------------------------------------------


def test_real_clips_with_a_pinned_wrist_stay_smooth():
    for name, motion in real_motions():
        for way in ([0.0, 0.0, 0.1], [0.1, 0.0, 0.0], [0.0, -0.1, 0.0]):
            span = np.arange(50, 80)
            wanted = positions(motion)[span, INDEX["left_wrist"]] + way
            (after,), report = solved([motion], place("left_wrist", 0, span, wanted))
            assert report.after[0] < 1e-3, name
            assert jerks(motion, after) < MOST_JERK, name


def test_time_grows_with_frames_and_not_faster():
    def seconds(frames):
        motion = wobble(stepping(frames), 0.01)
        span = np.arange(10, frames - 10)
        wanted = positions(motion)[span, INDEX["left_wrist"]] + [0.0, -0.1, 0.05]
        taken = []
        for _ in range(3):
            start = time.process_time()
            meet([motion], np.arange(frames) / 30, place("left_wrist", 0, span, wanted))
            taken.append(time.process_time() - start)
        return min(taken)

    assert seconds(960) < 2 * 960 / 160 * seconds(160)
