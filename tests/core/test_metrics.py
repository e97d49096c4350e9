import numpy as np
import pytest
from hypothesis import given

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.skating import gmd_foot_skating_ratio
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.skeleton import COUNT, FEET, INDEX, JOINTS, MIRROR
from evaluation import metrics

from .samples import quaternions, seeds, standing, stepping


def sliding(speed, height, frames=91, fps=30.0):
    """Both toes `[T, 2, 3]` moving at `speed` m/s at `height`."""
    toes = np.zeros((frames, 2, 3))
    toes[..., 0], toes[..., 2] = (speed * np.arange(frames) / fps)[:, None], height
    return toes


def test_foot_skating_is_the_share_of_frames_that_slide_low_and_fast():
    assert gmd_foot_skating_ratio(sliding(0.6, 0.02), 30) > 0.9
    assert gmd_foot_skating_ratio(sliding(0.4, 0.02), 30) == 0
    assert gmd_foot_skating_ratio(sliding(0.6, 0.06), 30) == 0
    assert gmd_foot_skating_ratio(sliding(0.6, 0.06), 30, toe_rest_height=0.02) > 0.9


def test_foot_skating_does_not_depend_on_the_frame_rate():
    slow, fast = (gmd_foot_skating_ratio(sliding(0.6, 0.02, int(3 * f) + 1, f), f) for f in (20.0, 120.0))
    assert np.isclose(slow, fast, atol=0.02)


def test_one_sliding_foot_suffices_and_half_the_time_is_half():
    toes = sliding(1.0, 0.02, 201)
    toes[:, 1] = [0, 0, 0.02]
    assert gmd_foot_skating_ratio(toes, 30) > 0.9
    toes[100:, 0] = toes[100, 0]
    assert np.isclose(gmd_foot_skating_ratio(toes, 30), 0.5, atol=0.03)


def test_a_single_fast_step_is_no_skating():
    toes = sliding(0.0, 0.02, 61, 20.0)
    toes[30:, :, 0] += 0.06  # 1.2 m/s over one step, 0.24 on the average of five
    assert gmd_foot_skating_ratio(toes, 20) == 0


def test_slip_and_share_of_contacts():
    places = np.zeros((31, COUNT, 3))
    places[:, FEET[1], 0] = 0.02 * np.arange(31) / 30
    contacts = np.zeros((31, 4), bool)
    contacts[:, 1] = True
    assert np.isclose(metrics.contact_slip(places, contacts, 30), 0.02)
    assert metrics.contact_share(contacts) == 0.5
    assert metrics.contact_slip(places, np.zeros((31, 4)), 30) == 0
    both = contacts.copy()
    both[:, 3] = True
    assert np.isclose(metrics.contact_slip(places, both, 30), 0.01)


def test_path_errors_of_the_smoothed_and_the_raw_pelvis():
    target = np.zeros((4, 2))
    got = metrics.path_error(target + [0.03, 0.04], np.array([[0.1, 0]] * 4), target)
    assert got == pytest.approx({"mean": 0.05, "worst": 0.05, "raw_mean": 0.1})
    one_off = target.copy()
    one_off[2] = [0, 0.2]
    assert metrics.path_error(one_off, target, target)["worst"] == pytest.approx(0.2)


def test_joint_error_is_a_mean_distance():
    a = np.zeros((5, 22, 3))
    b = a.copy()
    b[:, :11] = [0.3, 0.4, 0.0]
    assert np.isclose(metrics.joint_error(a, b), 0.25)


def test_root_distance_is_horizontal():
    a, b = np.zeros((3, 3)), np.array([[1.0, 0, 5], [0, 2, 5], [0.6, 0.8, 0]])
    assert metrics.root_distance(a, b) == pytest.approx((1.0, 2.0))


def test_facing_is_within_a_right_angle_of_the_partner():
    b, a = np.zeros((4, 3)), np.tile([0.0, -1.0, 0.0], (4, 1))
    heading = rot.heading(rot.about_z(np.radians([0, 80, 100, 180])))
    assert metrics.facing_share(heading, b, a) == 0.5


def brute_distance(p, u, q, v):
    s = np.linspace(0, 1, 201)
    return np.linalg.norm((p + s[:, None, None] * u) - (q + s[None, :, None] * v), axis=-1).min()


@given(seeds)
def test_segment_distances_agree_with_a_fine_search(seed):
    p, u, q, v = np.random.default_rng(seed).normal(size=(4, 3))
    assert metrics.segment_distance(p, u, q, v) == pytest.approx(brute_distance(p, u, q, v), abs=0.02)


def test_segment_distances_of_special_cases():
    x, y, z = np.eye(3)
    assert metrics.segment_distance(0 * x, x, z, x) == pytest.approx(1)  # parallel
    assert metrics.segment_distance(0 * x, x, 3 * x, x) == pytest.approx(2)  # in line
    assert metrics.segment_distance(-x, 2 * x, -y + z, 2 * y) == pytest.approx(1)  # crossing
    assert metrics.segment_distance(x, 0 * x, y, 0 * y) == pytest.approx(np.sqrt(2))  # points
    assert metrics.segment_distance(-x, 2 * x, -y, 2 * y) == pytest.approx(0)


def test_bodies_side_by_side_and_one_in_the_other():
    places = positions(standing(3))
    span = 2 * places[0, INDEX["left_wrist"], 0]
    assert metrics.body_distance_min(places, places + [span + 0.1, 0, 0]) == pytest.approx(0.1)
    assert metrics.body_distance_min(places, places + [0, 0.001, 0]) < 0.0011
    later = places + [span + 0.1, 0, 0]
    later[2] = later[2] - [0.06, 0, 0]
    assert metrics.body_distance_min(places, later, block=2) == pytest.approx(0.04)


def test_jerk_of_a_cubic_is_its_third_derivative():
    t = np.arange(40) / 30
    places = np.stack([t**3, 0 * t, 0 * t], -1)[:, None]
    assert np.isclose(metrics.jerk(places, 30), 6)
    assert metrics.jerk(places[:3], 30) == 0


def test_bones_that_stretch_are_seen():
    motion = stepping(10)
    places = positions(motion)
    assert metrics.bone_length_drift(places, motion.body) < 1e-12
    places[4, INDEX["head"]] += [0, 0, 0.02]
    assert metrics.bone_length_drift(places, motion.body) > 0.01


def bent(name, degrees):
    local = standing(4).rotations.copy()
    local[2, INDEX[name]] = rot.from_rotvec(np.radians(degrees))
    return local


@pytest.mark.parametrize("side", ["left", "right"])
def test_knees_that_bend_backwards_are_seen(side):
    assert np.isclose(np.degrees(metrics.knee_hyperextension(bent(f"{side}_knee", [-12.0, 0, 0]))), 12)
    assert metrics.knee_hyperextension(bent(f"{side}_knee", [90.0, 0, 0])) == 0
    assert metrics.knee_hyperextension(bent(f"{side}_knee", [150.0, 0, 0])) == 0


@given(seeds)
def test_swing_and_twist_come_back_for_single_turns(seed):
    v = np.random.default_rng(seed).uniform(-1.5, 1.5, 3)
    for axis in range(3):
        twist = np.zeros(3)
        twist[axis] = v[axis]
        swing = np.where(np.arange(3) == axis, 0, v)
        q = rot.multiply(rot.from_rotvec(swing), rot.from_rotvec(twist))
        assert np.allclose(metrics.swing_twist(q, axis), v, atol=1e-9)


def test_a_half_turn_without_twist_is_all_swing():
    q = rot.from_rotvec(np.array([np.pi, 0, 0]))
    assert np.allclose(np.abs(metrics.swing_twist(q, 2)), [np.pi, 0, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "degrees"),
    [("left_knee", [-40.0, 0, 0]), ("right_knee", [0, 0, 60.0]), ("head", [0, 0, 120.0]), ("spine2", [90.0, 0, 0]),
     ("left_elbow", [0, 0, 60.0]), ("right_elbow", [0, 0, -60.0]), ("left_hip", [0, 80.0, 0]),
     ("right_hip", [0, -80.0, 0])],
)  # fmt: skip
def test_broken_joints_are_named_with_their_excess(name, degrees):
    share, worst = metrics.joint_limit_violations(bent(name, degrees))
    assert list(worst) == [name]
    assert share == pytest.approx(1 / (4 * 21))
    assert 10 < worst[name] < 60


def test_usual_poses_break_no_limit_on_either_side():
    assert metrics.joint_limit_violations(stepping(40).rotations) == (0.0, {})
    for name, degrees in (("left_elbow", [0, 0, -120.0]), ("right_elbow", [0, 0, 120.0]), ("left_hip", [-100.0, 0, 0])):
        assert metrics.joint_limit_violations(bent(name, degrees))[0] == 0


@given(seeds)
def test_limits_are_the_same_in_the_mirror(seed):
    local = quaternions(seed, 6, COUNT)
    mirrored = local[:, MIRROR] * [1, 1, -1, -1]
    share, worst = metrics.joint_limit_violations(local)
    share_mirrored, worst_mirrored = metrics.joint_limit_violations(mirrored)
    for name in ("left_hip", "right_hip", "left_knee", "right_elbow", "left_wrist"):
        other = JOINTS[MIRROR[INDEX[name]]]
        assert worst.get(name, 0) == pytest.approx(worst_mirrored.get(other, 0))
    assert 0 <= share <= 1
    assert 0 <= share_mirrored <= 1
