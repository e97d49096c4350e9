"""Each measure against a motion of which the answer is known by construction."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.motion import FPS, Motion, positions, turned
from blender_motiondiff.core.skeleton import COUNT, FEET, INDEX, average_body
from evaluation import measures, metrics, tasks
from evaluation.clips import Window
from tests.core.made_motion import swinging


def value(row):
    return float(np.sum(row[0]) / np.sum(row[1]))


def standing(frames=120, speed=0.0):
    """Somebody in the rest pose on the ground who glides sideways at `speed` metres a second."""
    body = average_body()
    root = np.tile([0.0, 0.0, body.standing_height], (frames, 1))
    root[:, 0] += speed * np.arange(frames) / FPS
    return Motion(root, np.tile(rot.IDENTITY, (frames, COUNT, 1)), body)


def alone(motion, leader=None):
    return measures.recorded(Window("clip", "clip", 0.0, motion, leader))


@pytest.mark.parametrize("task", tasks.SINGLE_TASKS)
def test_recording_itself_misses_nothing(task):
    motion = swinging(120, 4)
    rows = measures.of_all(task, alone(motion), [motion])
    for name in ("joint_error_m", "path_error_cm", "key_error_cm", "key_error_deg", "path_over_10cm_share"):
        if name in rows:
            assert value(rows[name]) == pytest.approx(0.0, abs=1e-6), name
    assert value(rows["jerk_ratio"]) == value(rows["jerk_below_8hz_ratio"]) == pytest.approx(1.0)


def test_what_trembles_quicker_than_a_body_can_move_is_no_liveliness():
    times = np.arange(120) / FPS
    slow, tremble = 0.2 * np.sin(2 * np.pi * 2.0 * times), 0.004 * np.sin(2 * np.pi * 13.0 * times)
    places = np.zeros((120, 22, 3))
    places[..., 2] = slow[:, None] + np.arange(22) / 10
    shaken = places + tremble[:, None, None]
    kept = metrics.lowpassed(shaken, FPS)
    np.testing.assert_allclose(kept, places, atol=2e-3)
    np.testing.assert_allclose(metrics.lowpassed(places, FPS), places, atol=2e-3)
    assert metrics.jerk(shaken, FPS) > 2 * metrics.jerk(places, FPS)
    assert metrics.jerk(kept, FPS) == pytest.approx(metrics.jerk(places, FPS), rel=0.1)


def test_path_error_is_the_offset():
    motion = swinging(120, 4)
    off = turned(motion, 0.0, (0.03, 0.04, 0.0))
    row = measures.of_all("path", alone(motion), [off])
    assert value(row["path_error_cm"]) == pytest.approx(5.0, abs=1e-6)
    assert value(row["path_over_10cm_share"]) == 0.0
    far = measures.of_all("path_sparse", alone(motion), [turned(motion, 0.0, (0.0, 0.2, 0.0))])
    assert value(far["path_over_10cm_share"]) == 1.0


def test_keys_are_judged_at_keys_and_the_rest_between():
    motion = swinging(120, 4)
    frames = tasks.key_frames(motion)
    root = motion.root + [0.0, 0.1, 0.0]
    root[frames] = motion.root[frames]
    row = measures.of_all("keys", alone(motion), [replace(motion, root=root)])
    assert len(frames) == 4
    assert value(row["key_error_cm"]) == pytest.approx(0.0, abs=1e-9)
    assert value(row["joint_error_m"]) == pytest.approx(0.1)


def test_slip_over_frames_that_stood_before():
    still, gliding = standing(), standing(speed=1.0)
    row = measures.feet(gliding, positions(gliding), positions(still))
    assert value(row["contact_slip_cm_s"]) == pytest.approx(100.0)
    assert value(row["contact_share_before"]) == 1.0
    assert value(row["contact_share"]) == 0.0
    assert row["contact_slip_own_cm_s"][1] == 0
    assert value(row["foot_skating_ratio"]) == pytest.approx(1.0, abs=0.05)


def test_feet_ahead_of_the_pelvis_are_told_whichever_way_somebody_faces():
    straight = standing()
    own = value(measures.feet(straight, positions(straight), None)["feet_ahead_cm"])
    bent = replace(straight, rotations=straight.rotations.copy())
    for name in ("left_hip", "right_hip"):
        bent.rotations[:, INDEX[name]] = rot.from_rotvec(np.array([-0.2, 0.0, 0.0]))  # legs to the front, -Y
    leg = np.linalg.norm(straight.body.offsets[[INDEX["left_knee"], INDEX["left_ankle"]]], axis=-1).sum()
    for angle in (0.0, 2.0):
        motion = turned(bent, angle, (1.0, 0.0, 0.0))
        ahead = value(measures.feet(motion, positions(motion), None)["feet_ahead_cm"])
        assert ahead - own == pytest.approx(100 * leg * np.sin(0.2), abs=1.0)


def test_who_leans_beyond_both_feet_tips_over_whoever_crouches_does_not():
    def share(lean, knees=0.0):
        bent = replace(standing(), rotations=standing().rotations.copy())
        bent.rotations[:, 0] = rot.from_rotvec(np.array([lean, 0.0, 0.0]))
        for side in ("left", "right"):
            bent.rotations[:, INDEX[f"{side}_hip"]] = rot.from_rotvec(np.array([-lean, 0.0, 0.0]))
        lower = replace(bent, root=bent.root - [0.0, 0.0, knees])
        places = positions(lower)
        return metrics.tipping(places, np.ones((len(places), 4)), lower.body).mean()

    assert share(0.0) == share(0.9, 0.4) == 0.0
    assert share(0.9) == share(-0.9) == 1.0


def test_legs_that_pass_through_each_other_are_told():
    still = standing()
    assert not metrics.legs_through(positions(still), still.body).any()
    bent = still.rotations.copy()
    bent[:60, INDEX["left_hip"]] = rot.from_rotvec(np.array([0.0, 0.25, 0.0]))
    bent[:60, INDEX["right_hip"]] = rot.from_rotvec(np.array([0.0, -0.25, 0.0]))
    crossed = metrics.legs_through(positions(replace(still, rotations=bent)), still.body)
    assert crossed.mean() == 0.5 and crossed[:60].all()


def test_a_hand_in_the_own_body_is_told():
    still = standing()
    assert not metrics.hands_inside(positions(still), still.body).any()
    places = positions(still)
    places[40:, INDEX["left_wrist"]] = places[40:, INDEX["spine3"]] + [0.02, 0.0, 0.0]
    assert list(np.flatnonzero(metrics.hands_inside(places, still.body))) == list(range(40, len(places)))


def test_a_joint_that_pops_is_told_and_one_that_turns_evenly_is_not():
    local = np.tile(rot.IDENTITY, (10, COUNT, 1))
    assert metrics.turn_jolt(local) == metrics.turn_jolt(local[:2]) == 0.0
    local[:, 5] = rot.from_rotvec(np.linspace(0.0, 0.9, 10)[:, None] * [1.0, 0.0, 0.0])
    assert metrics.turn_jolt(local) == pytest.approx(0.0, abs=1e-6)
    local[6:, 7] = rot.from_rotvec(np.radians([0.0, 40.0, 0.0]))
    assert metrics.turn_jolt(local) == pytest.approx(40.0)


def test_feet_under_the_ground_count_as_height_error():
    sunk = turned(standing(), 0.0, (0.0, 0.0, -0.03))
    row = measures.feet(sunk, positions(sunk), None)
    assert value(row["foot_height_error_cm"]) == pytest.approx(3.0)
    assert value(measures.feet(standing(), positions(standing()), None)["foot_height_error_cm"]) == pytest.approx(0.0)


def test_reaction_first_best_and_spread():
    real, leader = swinging(120, 5), turned(swinging(120, 6), 0.0, (1.5, 0.0, 0.0))
    takes = [turned(real, 0.0, (0.0, 0.0, dz)) for dz in (0.3, 0.1, 0.2)]
    row = measures.of_all("reaction", alone(real, leader), takes)
    assert value(row["joint_error_m"]) == pytest.approx(0.3)
    assert value(row["joint_error_takes_m"]) == pytest.approx(0.2)
    assert value(row["joint_error_best8_m"]) == pytest.approx(0.1)
    assert value(row["take_spread_m"]) == pytest.approx(0.4 / 3)
    assert value(row["root_error_m"]) == pytest.approx(0.3)
    assert value(row["facing_error_deg"]) == pytest.approx(0.0, abs=1e-5)
    quarter = replace(real, rotations=np.array(real.rotations))
    quarter.rotations[:, 0] = rot.multiply(rot.about_z(np.pi / 2), real.rotations[:, 0])
    assert value(measures.of_all("reaction", alone(real, leader), [quarter])["facing_error_deg"]) > 60.0


def test_hands_and_bodies_of_two():
    a, b = standing(), turned(standing(), np.pi, (0.0, -0.5, 0.0))
    near = positions(b)
    near[:60, INDEX["left_wrist"]] = positions(a)[:60, INDEX["right_wrist"]] + [0.0, 0.15, 0.0]
    near[60:, [INDEX["left_wrist"], INDEX["right_wrist"]]] += [5.0, 0.0, 0.0]
    assert metrics.hands_held(positions(a), near).mean() == 0.5
    deep = metrics.overlap((a, a), np.stack([positions(a), positions(a)]))
    assert deep.min() > 0.2
    apart = turned(a, 0.0, (3.0, 0.0, 0.0))
    assert metrics.overlap((a, apart), np.stack([positions(a), positions(apart)])).max() == 0.0


def test_limits_by_frame():
    motion = standing(10)
    assert not metrics.beyond_limits(motion.rotations).any()
    rotations = motion.rotations.copy()
    rotations[3, INDEX["left_knee"]] = rot.from_rotvec(np.array([-0.6, 0.0, 0.0]))  # bent backwards
    assert list(np.flatnonzero(metrics.beyond_limits(rotations))) == [3]


def test_small_metrics_by_hand():
    one = np.tile(rot.IDENTITY, (2, 1))
    turned_by = rot.from_rotvec(np.array([[0.0, 0.3, 0.0], [0.0, 0.0, 0.0]]))
    assert metrics.rotation_error(turned_by, one) == pytest.approx([0.3, 0.0])
    takes = [np.zeros((4, 22, 3)), np.full((4, 22, 3), 1.0)]
    assert metrics.take_spread(takes) == pytest.approx(np.sqrt(3))
    assert metrics.take_spread(takes[:1]) == 0.0
    places = np.zeros((3, 22, 3))
    places[:, FEET[1], 0] = [0.0, 0.1, 0.4]
    stands = np.zeros((3, 4), bool)
    stands[:2, 1] = True
    assert metrics.standing_slip(places, stands, 30.0) == (pytest.approx(3.0), 1)


def test_a_toe_that_stands_from_key_to_key_has_to_travel_between_them():
    places = np.zeros((7, 22, 3))
    places[:, FEET[1], 0] = [0.0, 9.0, 9.0, 0.1, 9.0, 9.0, 0.3]  # between the keys it may be anywhere
    places[:, FEET[3], 0] = np.arange(7.0)
    stands = np.zeros((7, 4), bool)
    stands[:, 1] = True
    stands[4, 1] = False  # so it may step from the second key to the third
    total, steps = metrics.forced_slip(places, stands, [0, 3, 6], 30.0)
    assert (total, steps) == (pytest.approx(0.1 * 30.0), 4)
    stands[4, 1] = True
    assert metrics.forced_slip(places, stands, [0, 3, 6], 30.0)[0] == pytest.approx(0.3 * 30.0)


def test_recordings_own_figures_leave_out_comparisons():
    rows = measures.of_real("keys", alone(swinging(120, 4)))
    assert "foot_skating_ratio" in rows
    assert not [n for n in rows if "error" in n and n != "foot_height_error_cm"]
