"""Bent clips go where they are told, on feet that stand as they stood; so do clips on other legs."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.foot_lock import toe_slip
from blender_motiondiff.core.motion import Motion, positions
from blender_motiondiff.core.skeleton import COUNT, INDEX, LEGS, average_body
from evaluation.metrics import jerk, knee_hyperextension
from training import bend
from training.dataset import Clip

FPS, STEP_FRAMES, STANCE_FRAMES, STEP = 60.0, 36, 40, 0.5


def walk(frames=360, speed_up=1.0):
    """A Clip that walks straight along -Y, a foot standing for STANCE_FRAMES of every two steps."""
    body = average_body()
    time = np.arange(frames)
    speed = speed_up * STEP / STEP_FRAMES
    root = np.zeros((frames, 3))
    root[:, 1], root[:, 2] = -speed * time, 0.97 * body.standing_height
    rotations = np.tile(rot.IDENTITY, (frames, COUNT, 1))
    toes, contacts = [], np.zeros((frames, 4), bool)
    for side, sign in enumerate((1.0, -1.0)):
        phase = (time + side * STEP_FRAMES) / (2 * STEP_FRAMES)
        swung = np.clip((phase % 1 * 2 * STEP_FRAMES - STANCE_FRAMES) / (2 * STEP_FRAMES - STANCE_FRAMES), 0, 1)
        share = swung**3 * (10 - 15 * swung + 6 * swung**2)
        steps = np.floor(phase) + share - side / 2 + 0.5 * STANCE_FRAMES / (2 * STEP_FRAMES)
        toe = np.stack(
            [np.full(frames, 0.1 * sign), -speed_up * 2 * STEP * steps - 0.12, 0.02 + 0.2 * share * (1 - share)], 1
        )
        toes.append(toe)
        contacts[:, 2 * side : 2 * side + 2] = (swung == 0)[:, None]
    soles = [np.tile(rot.IDENTITY, (frames, 1))] * 2
    motion = bend.planted(Motion(root, rotations, body, FPS), toes, soles, contacts[:, [0, 2]])
    return Clip("made", motion, contacts, np.ones(frames, bool), "", "walk")


def circle(motion, radius):
    """A Bend of a straight motion into a circle to the left."""
    before = motion.root[:, :2].copy()
    turn = np.linalg.norm(before - before[0], axis=1) / radius
    after = before[0] + radius * np.stack([1 - np.cos(turn), -np.sin(turn)], 1)
    return bend.Bend(before, after, turn, np.zeros((len(turn), 2)))


def toe_speed(motion, contacts):
    return toe_slip(positions(motion), contacts, motion.fps)


def test_the_made_walk_stands():
    clip = walk()
    assert toe_speed(clip.motion, clip.contacts) < 1e-3
    assert knee_hyperextension(clip.motion.rotations) == 0


def test_feet_stand_on_a_tight_circle():
    clip = walk()
    around = bend.follow(clip.motion, clip.contacts, circle(clip.motion, 1.5))
    places = positions(around)
    assert toe_speed(around, clip.contacts) < 5e-3
    assert knee_hyperextension(around.rotations) == 0
    distance = np.linalg.norm(around.root[:, :2] - (clip.motion.root[0, :2] + [1.5, 0.0]), axis=1)
    assert np.abs(distance - 1.5).max() < 1e-6
    toes = places[:, [INDEX["left_foot"], INDEX["right_foot"]], 2]
    assert toes.min() > 0.015
    assert jerk(places, FPS) < 1.5 * jerk(positions(clip.motion), FPS)


def test_the_body_turns_with_its_path_and_standing_feet_do_not():
    clip = walk()
    shape = circle(clip.motion, 1.5)
    around = bend.follow(clip.motion, clip.contacts, shape)
    turned = np.unwrap(rot.heading(around.rotations[:, 0]))
    assert np.abs(turned - shape.turn).max() < 1e-6
    places = positions(around)
    foot = places[:, INDEX["left_foot"]] - places[:, INDEX["left_ankle"]]
    yaw = np.unwrap(np.arctan2(foot[:, 0], -foot[:, 1]))
    standing = clip.contacts[1:, 0] & clip.contacts[:-1, 0]
    assert np.abs(np.diff(yaw)[standing]).max() < 1e-3
    assert abs(yaw[-1] - turned[-1]) < 0.6
    assert yaw[-1] > 2.0


def test_a_bend_that_bends_nothing_changes_nothing():
    clip = walk()
    before = bend.smoothed(clip.motion.root[:, :2], FPS)
    zero = np.zeros(len(before))
    same = bend.follow(clip.motion, clip.contacts, bend.Bend(before, before, zero, np.zeros((len(zero), 2))))
    moved = np.abs(positions(same) - positions(clip.motion)).max((0, 2))
    assert moved[[INDEX[leg[3]] for leg in LEGS]].max() < 1e-3
    assert moved.max() < 6e-3  # straight knees are told where forward is


@pytest.mark.parametrize("speed_up", [1.0, 2.5])
def test_drawn_bends_turn_no_faster_than_bodies_can(speed_up):
    clip = walk(speed_up=speed_up)
    for seed in range(8):
        drawn = bend.drawn_bend(clip.motion, np.random.default_rng(seed))
        speed = np.linalg.norm(np.diff(drawn.after, axis=0), axis=1) * FPS
        rate = np.abs(np.diff(drawn.turn)) * FPS
        assert (rate * speed).max() < 1.05 * bend.PULL
        assert rate.max() < 1.05 * bend.WHIRL
        assert (rate / speed).max() < 1.1 / bend.RADII[0]


def test_most_walks_really_turn_and_seeds_differ():
    clip = walk()
    turns = np.array([np.ptp(bend.drawn_bend(clip.motion, np.random.default_rng(s)).turn) for s in range(12)])
    assert np.median(turns) > 0.5
    assert len(np.unique(turns.round(6))) == 12


def test_bent_keeps_labels_and_repeats_itself():
    clip = replace(walk(), partner="somebody")
    one, two = (bend.bent(clip, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.motion.rotations, two.motion.rotations)
    assert np.array_equal(one.contacts, clip.contacts)
    assert one.partner == "" and one.name != clip.name
    assert toe_speed(one.motion, clip.contacts) < 0.01


def test_what_does_not_travel_is_not_bent():
    clip, rng = walk(), np.random.default_rng(0)
    still = replace(clip.motion, root=clip.motion.root * [0, 0, 1])
    assert bend.bent(replace(clip, motion=still), rng) is None
    assert bend.bent(replace(clip, good=np.arange(360) < 30), rng) is None
    assert bend.bent(replace(clip, action="climb (props)"), rng) is None


def test_a_foot_in_the_air_for_long_is_bent_where_the_body_is():
    stands = np.zeros(400, bool)
    stands[50:80] = stands[300:330] = True
    found = bend.stations(stands, np.linspace(0, 4, 400), FPS)
    assert np.ptp(found[50:80]) == 0 and 50 < found[60] < 80
    assert np.abs(found[120:260] - np.arange(120, 260)).max() < 1e-9
    assert (np.diff(found) > -1e-9).all()


def test_other_legs_stand_where_the_legs_stood():
    clip = walk()
    other = bend.with_legs(clip, 1.06, 0.94)
    before, after = positions(clip.motion), positions(other.motion)
    feet = [INDEX[leg[3]] for leg in LEGS]
    assert np.abs(after[:, feet] - before[:, feet]).max() < 2e-3
    assert knee_hyperextension(other.motion.rotations) == 0
    thigh = np.linalg.norm(after[:, INDEX["left_knee"]] - after[:, INDEX["left_hip"]], axis=1)
    assert np.allclose(thigh, 1.06 * 0.41)
    longer = bend.with_legs(clip, 1.05, 1.05)
    ratio = longer.motion.body.standing_height / clip.motion.body.standing_height
    assert np.allclose(longer.motion.root[:, 2], ratio * clip.motion.root[:, 2], atol=0.01)


def test_recorded_walks_slide_no_more_when_bent(data):
    from training.dataset import load_clips

    names = {"007_01", "016_31", "035_22", "016_15"}
    clips = load_clips(data, names)
    for seed, name in enumerate(sorted(names)):
        found = bend.compare(clips[name], bend.bent(clips[name], np.random.default_rng(seed)))
        assert found["skating_after"] <= found["skating"] + 0.03, name
        assert found["slip_after_cm_s"] <= found["slip_cm_s"] + 0.3, name
        assert found["jerk_ratio"] < 1.15, name
        assert found["knee_backwards_after_deg"] <= found["knee_backwards_deg"] + 0.1, name
        assert found["leg_joints_deg"] < 10, name
