import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.cleanup.foot_lock import DEEPEST, KEEP_FRAMES, lock_all_feet, lock_feet, toe_slip
from blender_motiondiff.core.cleanup.plants import _without_shake, blend, bridge, frames_from, runs
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.cleanup.steps import steps
from blender_motiondiff.core.cleanup.terrain import body_ground, foot_ground
from blender_motiondiff.core.motion import Motion, mirror, positions, resample, scaled, turned
from blender_motiondiff.core.skeleton import FEET, INDEX, average_body
from blender_motiondiff.core.solve.ground import onto_terrain
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


@pytest.mark.parametrize("turn", [(-1.4, 0.0, 0.0), (1.4, 0.0, 0.0), (0.0, 1.3, 0.0), (0.0, 0.0, 1.2)])
def test_feet_that_cannot_lie_flat_do_not_break_their_toes(turn):
    """As of somebody who lies on the back, heels on the ground: toes were bent by a right angle to lie flat as well."""
    motion = standing(60)
    for side in ("left", "right"):
        motion.rotations[:, INDEX[f"{side}_ankle"]] = rot.from_rotvec(np.array(turn))
    after, _ = lock_feet(motion, np.ones((60, 4)))
    excess = metrics.limit_excess(after.rotations) - metrics.limit_excess(motion.rotations)
    assert excess.max() < 1.0


def test_toes_of_a_foot_that_passes_the_vertical_do_not_turn_about():
    motion = standing(90)
    pitch = np.linspace(1.2, 2.0, 90)  # on the tip of the toes, and over it
    motion.rotations[:, INDEX["left_ankle"]] = rot.from_rotvec(pitch[:, None] * [1.0, 0.0, 0.0])
    after, _ = lock_feet(motion, np.ones((90, 4)))
    assert metrics.turn_jolt(after.rotations) < 3.0


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


def gliding(frames, speed):
    """Somebody who stands and is carried backwards at `speed` metres a second."""
    still = standing(frames)
    return Motion(still.root + np.arange(frames)[:, None] * [0.0, speed / 30, 0.0], still.rotations, average_body())


@pytest.mark.parametrize("keyed", [[45], [20, 60]])
def test_a_standing_foot_does_not_glide_beside_keyed_frames(keyed):
    motion, keep = gliding(90, 0.02), np.ones(90)
    keep[keyed] = 0
    after, _ = lock_feet(motion, np.ones((90, 4)), keep)
    before, places = positions(motion), positions(after)
    assert np.abs(places - before)[keyed].max() < 1e-9
    speed = np.linalg.norm(np.diff(places[:, FEET[1], :2], axis=0), axis=-1) * 30
    # From one keyed place to the next it passes evenly, before and after it stands.
    inside = (np.arange(89) >= keyed[0]) & (np.arange(89) < keyed[-1])
    assert speed[~inside].max() < 1e-3
    assert np.allclose(speed[inside], 0.02, atol=1e-3)


def test_a_foot_stands_at_its_pin_before_and_after_it_as_well():
    motion, contacts = gliding(90, 0.03), np.ones((90, 4))
    ankle = positions(motion)[45, FEET[0]] + [0.03, 0.0, 0.0]
    pins = np.full((1, 90, 4, 3), np.nan)
    pins[0, 30:61, 0] = ankle
    _, _, (places, _) = lock_all_feet([motion], [contacts], [np.ones(90)], pins=pins)
    assert np.linalg.norm(places[0, 30:61, FEET[0]] - ankle, axis=-1).max() < 2e-3
    assert toe_slip(places[0], contacts, 30) < 1e-3
    assert np.abs(np.diff(places[0, :, FEET[0], :2], axis=0)).max() < 1e-3
    contacts[30:61, :2] = 0  # a foot that is pinned stands whatever is said of it
    _, _, (same, _) = lock_all_feet([motion], [contacts], [np.ones(90)], pins=pins)
    assert np.linalg.norm(same[0, 30:61, FEET[0]] - ankle, axis=-1).max() < 2e-3


def test_feet_that_are_carried_along_together_step_one_after_the_other():
    motion = gliding(60, 0.3)
    places = positions(lock_feet(motion, np.ones((60, 4)))[0])
    moving = np.linalg.norm(np.diff(places[:, [FEET[1], FEET[3]], :2], axis=0), axis=-1) * 30 > 0.1
    assert moving.any(0).all()
    assert not moving.all(1).any()


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


# --- terrain ----------------------------------------------------------------------------------------------------------


def slope(degrees):
    return lambda points: -points[..., 1] * np.tan(np.radians(degrees))


def stairs(rise, run=0.3):
    return lambda points: rise * np.floor(np.maximum(-points[..., 1], 0) / run)


def level(height):
    return lambda points: np.full(points.shape[:-1], height)


def climbed(motion, ground):
    """(motion after, report, heights of the foot joints over their ground `[T, 4]`, contacts)."""
    contacts = label_contacts(positions(motion), motion.body, 30)
    after, report = lock_feet(onto_terrain(motion, ground, contacts), contacts, ground=ground)
    places = positions(after)[:, list(FEET)]
    return after, report, places[..., 2] - ground(places[..., :2]), contacts


def test_level_ground_changes_nothing_but_the_height():
    motion = wobble(stepping(90), 0.01)
    contacts = label_contacts(positions(motion), motion.body, 30)
    keep = np.ones(90)
    keep[40] = 0
    flat, _ = lock_feet(motion, contacts, keep, 0.075)
    same, _ = lock_feet(onto_terrain(motion, level(0.0), contacts), contacts, keep, 0.075, level(0.0))
    assert np.array_equal(flat.root, same.root) and np.array_equal(flat.rotations, same.rotations)
    high, _ = lock_feet(onto_terrain(motion, level(0.7), contacts), contacts, keep, 0.075, level(0.7))
    assert np.abs(positions(high) - positions(flat) - [0, 0, 0.7]).max() < 1e-9


@pytest.mark.parametrize("degrees", [10, -15])
def test_feet_stand_on_a_slope_and_swing_clear_of_it(degrees):
    motion = stepping(150)
    after, report, over, contacts = climbed(motion, slope(degrees))
    rest = motion.body.foot_heights
    toes = (over - rest)[:, [1, 3]][contacts[:, [1, 3]]]
    assert np.abs(toes).max() < 0.005 and report["slip_after_cm_s"] < 0.5
    assert report["missed_cm"] < 0.5 and over.min() > 0
    climb = -(motion.root[-1, 1] - motion.root[0, 1]) * np.tan(np.radians(degrees))
    assert after.root[-1, 2] - after.root[0, 2] == pytest.approx(climb, abs=0.06)
    assert metrics.knee_hyperextension(after.rotations) < 1e-6
    # The whole sole lies on it: the foot is pitched as the ground is.
    both = contacts[:, 0] & contacts[:, 1]
    foot = np.diff(positions(after)[:, list(FEET[:2])], axis=1)[both, 0]
    plain = np.diff(positions(lock_feet(motion, contacts)[0])[:, list(FEET[:2])], axis=1)[both, 0]
    tilted = np.arctan2(foot[:, 2], -foot[:, 1]) - np.arctan2(plain[:, 2], -plain[:, 1])
    assert np.median(np.degrees(tilted)) == pytest.approx(degrees, abs=3)


@pytest.mark.parametrize("rise", [0.15, -0.15])
def test_feet_stand_on_stairs_of_15_cm(rise):
    motion = stepping(150)
    after, report, over, contacts = climbed(motion, stairs(rise))
    toes = (over - motion.body.foot_heights)[:, [1, 3]][contacts[:, [1, 3]]]
    assert np.abs(toes).max() < 0.005 and report["slip_after_cm_s"] < 0.5
    assert report["missed_cm"] < 1.5
    assert (over < 0).mean() < 0.04  # joints that graze an edge at either end of a swing
    walked = -(motion.root[-1, 1] - motion.root[0, 1])
    assert after.root[-1, 2] - after.root[0, 2] == pytest.approx(rise / 0.3 * walked, abs=0.2)
    assert np.abs(np.diff(after.root[:, 2], 2)).max() < 0.02  # the pelvis goes up without jolts


def test_without_its_ground_the_foot_lock_would_not_do():
    motion = stepping(150)
    contacts = label_contacts(positions(motion), motion.body, 30)
    after, _ = lock_feet(onto_terrain(motion, stairs(0.15), contacts), contacts)
    places = positions(after)[:, list(FEET)]
    over = places[..., 2] - stairs(0.15)(places[..., :2]) - motion.body.foot_heights
    assert np.abs(over[:, [1, 3]][contacts[:, [1, 3]]]).max() > 0.05


def test_contacts_are_labelled_over_the_ground_there_is():
    motion = stepping(90)
    flat = label_contacts(positions(motion), motion.body, 30)
    raised = positions(motion) + [0, 0, 0.4]
    assert np.array_equal(label_contacts(raised, motion.body, 30, level(0.4)), flat)
    assert not label_contacts(raised, motion.body, 30).any()


def test_the_ground_under_a_foot_passes_smoothly_from_stance_to_stance():
    heights = np.repeat([0.0, 0.15, 0.3], 20)
    stands = np.zeros(60, bool)
    stands[5:15], stands[45:55] = True, True
    track = foot_ground(heights, stands)
    assert (track[5:15] == 0).all() and np.allclose(track[45:55], 0.3)
    assert (np.diff(track) >= 0).all() and np.diff(track).max() < 0.02
    nobody = np.zeros((60, 4))
    places = np.zeros((60, 22, 3))
    assert np.allclose(body_ground(places, nobody, level(0.2), 30.0), 0.2)


# --- length -----------------------------------------------------------------------------------------------------------


@given(seeds, st.integers(1, 80))
def test_what_is_near_is_found_without_tables(seed, frames):
    rng = np.random.default_rng(seed)
    flags = rng.random(frames) < 0.1
    at, time = np.flatnonzero(flags), np.arange(frames)
    wanted = np.abs(time[:, None] - at[None]).min(1) if len(at) else np.full(frames, np.inf)
    assert np.array_equal(frames_from(flags), wanted)
    values = rng.normal(size=frames)
    weights = np.exp(-0.5 * ((time[:, None] - time[None]) / 1.8) ** 2)
    assert np.abs(_without_shake(values, 30.0) - weights @ values / weights.sum(1)).max() < 1e-12


def test_memory_grows_with_the_clip_and_no_faster():
    peaks = []
    for frames in (1000, 2000):
        motion = standing(frames)
        keep = np.ones(frames)
        keep[::10] = 0
        contacts = np.ones((frames, 4), bool)
        tracemalloc.start()
        lock_feet(motion, contacts, keep, 0.075)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.05 * peaks[0]
    assert peaks[1] < 2000 * 12e3  # bytes: 216 MB for ten minutes
