import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.foot_lock import DEEPEST, KEEP_FRAMES, lock_feet, toe_slip
from blender_motiondiff.core.cleanup.plants import blend, bridge, runs, steps
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.motion import Motion, mirror, positions, resample, scaled, turned
from blender_motiondiff.core.skeleton import FEET, INDEX, average_body
from evaluation import metrics

from .samples import data_folder, seeds, standing, stepping, wobble

REAL = ("016_15", "008_05", "100style_Neutral_FW", "049_06", "060_03", "061_03")


def locked(motion):
    """(motion after, positions before, positions after, contacts before, report)."""
    before = positions(motion)
    contacts = label_contacts(before, motion.body, motion.fps)
    after, report = lock_feet(motion, contacts)
    return after, before, positions(after), contacts, report


def real_motions():
    from training.dataset import load_clips

    for name, clip in load_clips(data_folder(), set(REAL)).items():
        start, end = max(runs(clip.good), key=lambda span: span[1] - span[0])
        part = Motion(clip.motion.root[start:end], clip.motion.rotations[start:end], clip.motion.body, clip.motion.fps)
        yield name, resample(part, np.arange(0, part.duration + 1e-9, 1 / 30))


@given(seeds, st.floats(0.7, 1.3), st.sampled_from([0.0, 0.005, 0.02]))
@settings(max_examples=15)
def test_feet_in_contact_stop_and_nothing_else_breaks(seed, size, metres):
    motion = scaled(wobble(stepping(90), metres, seed), size)
    after, before, places, contacts, report = locked(motion)
    assert toe_slip(places, contacts, 30) < 0.005
    assert report["slip_after_cm_s"] < 0.5
    assert metrics.bone_length_drift(places, motion.body) < 1e-9
    assert np.array_equal(after.root[:, :2], motion.root[:, :2])
    assert np.abs(after.root - motion.root).max() <= DEEPEST * motion.body.size + 1e-9
    assert metrics.knee_hyperextension(after.rotations) < 1e-6
    above = places[:, list(FEET), 2]
    assert above.min() > 0
    arms = [INDEX[n] for n in ("spine3", "head", "left_elbow", "right_wrist")]
    assert np.allclose((places - before)[:, arms, :2], 0)


def test_the_crude_walk_slides_before():
    motion = wobble(stepping(), 0.01)
    before = positions(motion)
    contacts = label_contacts(before, motion.body, 30)
    assert metrics.contact_share(contacts) > 0.15
    assert toe_slip(before, contacts, 30) > 0.05


def test_standing_toes_are_not_under_the_ground():
    motion = stepping(90)
    sunk = Motion(motion.root - [0, 0, 0.03], motion.rotations, motion.body)
    _, before, places, contacts, _ = locked(sunk)
    toes, on = [FEET[1], FEET[3]], contacts[:, [1, 3]]
    assert before[:, toes, 2][on].min() < 0
    assert places[:, toes, 2][on].min() > motion.body.foot_heights[1] - 2e-3
    assert places[:, list(FEET), 2].min() > 0


def test_toes_lie_flat_while_they_stand():
    motion = stepping(90)
    rotations = motion.rotations.copy()
    rotations[:, [INDEX["left_foot"], INDEX["right_foot"]]] = rot.from_rotvec(np.array([0.4, 0, 0]))
    after, _, _, contacts, _ = locked(Motion(motion.root, rotations, motion.body))
    from blender_motiondiff.core.motion import global_rotations

    for motion_, flat in ((Motion(motion.root, rotations, motion.body), False), (after, True)):
        world = global_rotations(motion_.rotations)
        for joint, channel in ((FEET[1], 1), (FEET[3], 3)):
            forward = rot.rotate(world[contacts[:, channel], joint], np.array([0, -1.0, 0]))
            assert (np.abs(forward[:, 2]).max() < 1e-6) == flat


def test_a_foot_that_already_stands_is_left_alone():
    motion = standing()
    after, before, places, contacts, _ = locked(motion)
    assert contacts.all()
    assert np.abs(places - before).max() < 1e-9
    assert rot.angle_between(after.rotations, motion.rotations).max() < 1e-6


def test_without_contacts_and_over_the_ground_nothing_happens():
    motion = Motion(standing().root + [0, 0, 1.0], stepping(60).rotations, average_body())
    after, _ = lock_feet(motion, np.zeros((60, 4)))
    assert np.abs(positions(after) - positions(motion)).max() < 1e-4


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_very_short_clips_are_no_trouble(frames):
    motion = stepping(frames)
    after, _ = lock_feet(motion, np.ones((frames, 4)))
    assert after.rotations.shape == motion.rotations.shape
    assert np.isfinite(after.rotations).all()


def test_keyed_frames_keep_their_pose_and_hold_their_neighbours():
    motion = wobble(stepping(), 0.02)
    contacts = label_contacts(positions(motion), motion.body, 30)
    free, _ = lock_feet(motion, contacts)
    keep = np.ones(motion.frames)
    keyed = [40, 90]
    keep[keyed] = 0
    after, _ = lock_feet(motion, contacts, keep)
    moved = np.abs(positions(after) - positions(motion)).max((1, 2))
    assert moved[keyed].max() < 1e-9
    assert np.abs(positions(free) - positions(motion)).max((1, 2))[keyed].max() > 1e-3
    near = np.concatenate([np.arange(k - KEEP_FRAMES, k + KEEP_FRAMES + 1) for k in keyed])
    far = np.setdiff1d(np.arange(motion.frames), near)
    slip = [toe_slip(positions(after)[a:b], contacts[a:b], 30) for a, b in runs(np.isin(np.arange(150), far))]
    assert max(slip) < 0.005
    assert metrics.jerk(positions(after), 30) < 1.6 * metrics.jerk(positions(motion), 30)


def test_feet_carried_too_far_take_steps():
    t = np.arange(150)
    glide = Motion(
        standing(150).root - np.stack([0 * t, 0.2 / 30 * t, 0 * t], -1), standing(150).rotations, average_body()
    )
    contacts = label_contacts(positions(glide), glide.body, 30)
    assert contacts.all()
    after, _ = lock_feet(glide, contacts)
    toe = positions(after)[:, FEET[1]]
    still = np.linalg.norm(np.diff(toe[:, :2], axis=0), axis=1) * 30 < 0.02
    assert still.mean() > 0.7
    assert toe[:, 2].max() > toe[:, 2].min() + 0.03
    step = steps(np.ones(150, bool), positions(glide)[:, FEET[1]], 1.0)
    assert len(runs(step > 0)) >= 1
    assert not steps(np.ones(150, bool), positions(standing(150))[:, FEET[1]], 1.0).any()


@given(seeds, st.floats(-3, 3))
@settings(max_examples=10)
def test_it_does_not_matter_where_one_stands_or_looks(seed, angle):
    motion = wobble(stepping(60), 0.01, seed)
    contacts = label_contacts(positions(motion), motion.body, 30)
    there = turned(lock_feet(motion, contacts)[0], angle, (3.0, -2.0, 0.0))
    here = lock_feet(turned(motion, angle, (3.0, -2.0, 0.0)), contacts)[0]
    assert np.abs(positions(here) - positions(there)).max() < 1e-6
    mirrored = lock_feet(mirror(motion), contacts[:, [2, 3, 0, 1]])[0]
    assert np.abs(positions(mirrored) - positions(mirror(lock_feet(motion, contacts)[0]))).max() < 1e-6


def test_short_breaks_are_bridged_where_the_foot_hardly_moves():
    flags = np.array([1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1], bool)
    places = np.zeros((13, 3))
    places[10:, 0] = 0.1
    assert bridge(flags, places, 1.0).tolist() == [True] * 8 + [False] * 2 + [True] * 3


@given(seeds)
def test_blends_meet_their_values_and_are_smooth(seed):
    rng = np.random.default_rng(seed)
    flags = np.repeat(rng.random(12) < 0.5, 5)
    values = np.cumsum(rng.normal(size=(60, 3)) * 0.002, 0)
    out = blend(values, flags, 1.0, 30.0)
    assert np.array_equal(out[flags], values[flags])
    if flags.any():
        assert np.abs(np.diff(out, axis=0)).max() < 3 * np.abs(values).max() / 5 + 0.02
    else:
        assert not out.any()


def test_real_clips_stay_nearly_as_they_are():
    for name, motion in real_motions():
        after, before, places, contacts, report = locked(motion)
        assert toe_slip(places, contacts, 30) < 0.005, name
        assert np.linalg.norm(places - before, axis=-1).mean() < 0.015, name
        assert report["pelvis_lowered_cm"] < 4, name
        assert metrics.jerk(places, 30) < 1.3 * metrics.jerk(before, 30), name
        toe = motion.body.foot_heights[1]
        skating = [gmd_foot_skating_ratio(p, 30, toe) for p in (before, places)]
        assert skating[1] <= skating[0] + 0.02, name
        assert metrics.joint_limit_violations(after.rotations)[0] < 0.01, name


@pytest.mark.parametrize("metres", [0.01, 0.03])
def test_noise_on_real_clips_is_cleaned_without_popping(metres):
    for name, motion in real_motions():
        _, before, places, contacts, _ = locked(wobble(motion, metres))
        assert toe_slip(places, contacts, 30) < 0.02, name
        assert metrics.jerk(places, 30) < 1.5 * metrics.jerk(before, 30), name
