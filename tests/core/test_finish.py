"""From the network's numbers to motions: what is kept, what is exact, what gives way, and what the report says."""

import pathlib
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.bound import level, movable
from blender_motiondiff.core.diffusion.course import settle
from blender_motiondiff.core.diffusion.finish import _foot_pins
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.diffusion.sampling import noise
from blender_motiondiff.core.diffusion.timing import with_times
from blender_motiondiff.core.features import ROTATIONS, decode, encode
from blender_motiondiff.core.motion import positions
from blender_motiondiff.core.request import (
    Character,
    Contact,
    Facing,
    Ground,
    Key,
    Path,
    Pin,
    Request,
    Target,
    Vary,
    Words,
    from_json,
)  # fmt: skip
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body

from .made_motion import swinging

BODY = average_body()
SECONDS = 3.0
FRAMES = 91


@pytest.fixture(scope="module")
def denoiser():
    return onnx_backend.load()


def straight(speed=1.0):
    t = np.linspace(0, SECONDS, 31)
    return Path(t, np.stack([np.zeros(31), -speed * t], -1))


def alone(**known):
    return Request((Character("A", BODY, **known),), SECONDS)


def keep_all_but(names):
    keep = np.ones((FRAMES, COUNT))
    keep[:, [INDEX[n] for n in names]] = 0.0
    return keep


def test_what_is_kept_comes_back_exactly_and_the_rest_is_new(denoiser):
    motion, arms = swinging(FRAMES), ("left_shoulder", "left_elbow")
    made = generate(alone(motion=motion, keep=keep_all_but(arms)), denoiser)[0].motions[0]
    same = [j for j in range(COUNT) if j not in [INDEX[n] for n in arms]]
    assert np.degrees(rot.angle_between(made.rotations, motion.rotations)[:, same]).max() < 1e-3
    assert np.abs(made.root - motion.root).max() < 1e-6
    assert np.degrees(rot.angle_between(made.rotations, motion.rotations)[:, INDEX[arms[0]]]).mean() > 2.0


def test_soft_edges_lie_between_the_old_and_the_new(denoiser):
    motion = swinging(FRAMES)
    keep = np.ones((FRAMES, COUNT))
    keep[:, INDEX["left_elbow"]] = np.linspace(1, 0, FRAMES)
    made = generate(alone(motion=motion, keep=keep), denoiser)[0].motions[0]
    off = np.degrees(rot.angle_between(made.rotations, motion.rotations)[:, INDEX["left_elbow"]])
    assert off[:5].max() < 2.0 < off[-10:].mean()


def test_a_motion_is_varied_more_the_stronger_it_is_asked_for(denoiser):
    motion = swinging(FRAMES)
    made = [generate(alone(motion=motion, vary=Vary(s)), denoiser)[0].motions[0] for s in (0.0, 0.3, 0.9)]
    off = [np.linalg.norm(positions(m) - positions(motion), axis=-1)[:, [15, 20, 21]].mean() for m in made]
    assert off[0] < 0.02 and off[0] < off[1] < off[2]
    arm = Vary(0.9, ("right_shoulder", "right_elbow"))
    only = generate(alone(motion=motion, vary=arm), denoiser)[0].motions[0]
    turned = np.degrees(rot.angle_between(only.rotations, motion.rotations)).mean(0)
    assert turned[INDEX["right_elbow"]] > 1.0 and turned[INDEX["left_elbow"]] < 1e-3


def test_legs_may_be_moved_where_no_key_binds_them():
    pose, none = swinging(1), np.full((COUNT, 3), np.nan)
    placed = none.copy()
    placed[INDEX["left_foot"]] = [0.0, 0.0, 0.02]

    def key(time, **more):
        return Key(time, pose.rotations[0], **{"joints": ("pelvis", "left_elbow"), "root": pose.root[0], **more})

    keys = key(0.5), key(1.0, joints=("left_knee",)), key(1.5, places=placed), key(2.0, joints=("head",), root=None)
    character = Character("A", BODY, keys=keys)
    request = with_times(Request((character,), SECONDS))
    person = settle(request)[0].people[0]
    kept = np.zeros((len(person.place), COUNT))
    assert np.flatnonzero(movable(character, person, kept) == 0).tolist() == [30, 45]
    assert np.flatnonzero(level(character, person, kept) == 0).tolist() == [15, 30, 45]


def test_pins_of_standing_feet_alone_say_where_feet_stand():
    times, ankle = np.arange(FRAMES) / 30, BODY.foot_heights[0]
    pins = (
        Pin("right_ankle", 1.0, 1.5, place=np.array([0.1, 0.2, ankle + 0.5])),
        Pin("left_wrist", 1.0, 1.5, place=np.array([0.1, 0.2, ankle])),
        Pin("left_ankle", 1.0, 1.5, place=np.array([0.1, 0.2, ankle + 0.5])),
    )
    assert _foot_pins([Character("A", BODY, pins=pins)], times, None) is None
    found = _foot_pins([Character("A", BODY, pins=pins)], times, lambda points: np.full(len(points), 0.5))
    assert np.flatnonzero(np.isfinite(found[0, :, 2, 0])).tolist() == list(range(30, 46))
    assert np.flatnonzero(np.isfinite(found[0, :, 0, 0])).tolist() == list(range(30, 46))
    assert np.allclose(found[0, 30, 0], [0.1, 0.2, ankle])


def test_a_hard_pin_is_met_within_a_millimetre_whatever_the_steps(denoiser):
    free = generate(alone(path=straight()), denoiser)[0].motions[0]
    place = positions(free)[45, INDEX["left_wrist"]] + [0.05, 0.0, 0.1]
    pin = Pin("left_wrist", 1.4, 1.6, place=place)
    for steps in (1, 2, 4):
        take = generate(replace(alone(path=straight(), pins=(pin,)), steps=steps), denoiser)[0]
        inside = (take.times >= 1.4 - 1e-6) & (take.times <= 1.6 + 1e-6)
        found = positions(take.motions[0])[inside, INDEX["left_wrist"]]
        assert np.linalg.norm(found - place, axis=-1).max() < 1e-3
        assert not take.report["relaxed"]


def test_what_is_out_of_reach_gives_way_and_is_named(denoiser):
    pin = Pin("left_wrist", 1.0, 1.5, place=np.array([3.0, -1.0, 1.0]))
    take = generate(alone(path=straight(), pins=(pin,)), denoiser)[0]
    assert len(take.report["relaxed"]) == 1 and "characters[0].pins[0]" in take.report["relaxed"][0]
    assert take.report["characters"][0]["path_worst_cm"] < 0.1
    assert np.isfinite(take.motions[0].rotations).all()


def test_hands_of_two_meet(denoiser):
    t = np.linspace(0, SECONDS, 31)
    stay = [Path(t, np.stack([np.full(31, x), 0.05 * t], -1)) for x in (0.0, 0.7)]
    people = tuple(Character(n, BODY, path=p) for n, p in zip("AB", stay, strict=True))
    touch = Contact((0, "right_wrist"), (1, "left_wrist"), 0.05, 1.0, 2.0)
    take = generate(Request(people, SECONDS, contacts=(touch,)), denoiser)[0]
    a, b = (positions(m) for m in take.motions)
    inside = (take.times >= 1.0 - 1e-6) & (take.times <= 2.0 + 1e-6)
    apart = np.linalg.norm(a[:, INDEX["right_wrist"]] - b[:, INDEX["left_wrist"]], axis=-1)[inside]
    assert np.abs(apart - 0.05).max() < 1e-3


def test_rough_keys_stay_within_their_tolerance(denoiser):
    pose = swinging(2, seed=5)
    key = Key(1.5, pose.rotations[0], root=np.array([0.0, -1.5, 0.9]), tolerance=0.08)
    take = generate(alone(path=straight(), keys=(key,)), denoiser)[0]
    exact = generate(alone(path=straight(), keys=(replace(key, tolerance=0.0),)), denoiser)[0]
    frame = int(np.abs(take.times - 1.5).argmin())
    off = np.linalg.norm(positions(take.motions[0])[frame] - positions(exact.motions[0])[frame], axis=-1)
    assert 0.01 < off.max() < 0.08 + 2e-3


def test_feet_stand_on_the_slope(denoiser):
    x = np.arange(-10.0, 11.0)
    slope = Ground(np.array([-10.0, -10.0]), 1.0, np.broadcast_to(-0.15 * x[None, :], (21, 21)))
    take = generate(replace(alone(path=straight()), ground=slope), denoiser)[0]
    toes = positions(take.motions[0])[:, [10, 11]]
    over = toes[..., 2] - -0.15 * toes[..., 1]
    assert over.min() > -0.01 and over.min(1).max() < 0.12


def test_words_that_nobody_knows_are_named(denoiser):
    take = generate(replace(alone(path=straight()), words=(Words("moonwalk, proudly"),)), denoiser)[0]
    assert take.report["unknown_words"] == ["moonwalk", "proudly"]


def test_the_report_names_every_constraint_with_what_it_misses(denoiser):
    pin = Pin("head", 1.0, 1.2, rotation=rot.about_z(0.2), weight=1.0)
    take = generate(alone(path=straight(), pins=(pin,)), denoiser)[0]
    rows = {r["field"]: r for r in take.report["constraints"]}
    assert set(rows) == {"characters[0].path", "characters[0].pins[0]"}
    assert rows["characters[0].path"]["hard"] and not rows["characters[0].pins[0]"]["hard"]
    assert {"prepare", "generate", "clean_up", "report"} <= set(take.report["seconds"])


def test_noise_is_the_same_in_whichever_window_it_is_drawn():
    whole = noise(3, 1, 0, 2, 0, 300)
    assert np.array_equal(whole[:, 130:210], noise(3, 1, 0, 2, 130, 210))
    assert not np.array_equal(whole, noise(3, 2, 0, 2, 0, 300))


def test_a_long_clip_has_no_seams(denoiser):
    t = np.linspace(0, 30.0, 301)
    path = Path(t, np.stack([2 * np.sin(t / 3), -0.9 * t], -1))
    motion = generate(Request((Character("A", BODY, path=path),), 30.0), denoiser)[0].motions[0]
    jerk = np.linalg.norm(np.diff(positions(motion), 3, axis=0), axis=-1).mean(1)
    windows = np.convolve(jerk, np.ones(30) / 30, "valid")
    assert windows.max() < 3.0 * np.median(windows)


def test_a_rotation_that_the_network_hesitates_about_is_led_over():
    motion = swinging(30)
    row = encode(motion.root, motion.rotations, BODY.offsets, np.zeros((30, 4)))
    row[15, ROTATIONS] *= 1e-3
    row[15, ROTATIONS.start : ROTATIONS.start + 6] = [0, 0, 1e-3, 1e-3, 0, 0]
    again, _ = decode(row, BODY)
    assert np.degrees(rot.angle_between(again.rotations, motion.rotations)).max() < 6.0


def test_a_pelvis_in_doubt_about_where_to_face_stays_upright():
    frames = 60
    motion = swinging(frames)
    row = encode(motion.root, motion.rotations, BODY.offsets, np.zeros((frames, 4)))
    own, share = slice(ROTATIONS.start, ROTATIONS.start + 6), np.linspace(0.3, 0.7, frames)[:, None]
    ahead, back = (rot.to_6d(rot.about_z(np.full(frames, angle))) for angle in (0.1, 0.1 + np.pi))
    row[:, own] = (1 - share) * ahead + share * back
    row[:, [own.start + 2, own.start + 5]] += 0.05
    pelvis = decode(row, BODY)[0].rotations[:, 0]
    up = rot.rotate(pelvis, np.array([0.0, 0.0, 1.0]))
    assert np.degrees(np.arccos(up[:, 2])).max() < 8.0
    heading = np.unwrap(rot.heading(pelvis))
    assert abs(heading[0] - 0.1) < 0.1 and abs(abs(heading[-1] - 0.1) - np.pi) < 0.1
    assert np.abs(np.diff(heading)).max() < 0.25


def test_feet_point_forwards_between_keys_that_have_them_elsewhere(denoiser):
    """An ankle and a toe that stand for different keys must not turn the foot round."""
    folder = pathlib.Path(__file__).parents[2] / "examples" / "requests"
    for name in ("keys", "inbetween", "blocking_keys"):
        request = from_json((folder / f"{name}.json").read_text(), folder=folder)
        motion = generate(request, denoiser)[0].motions[0]
        places, heading = positions(motion), rot.heading(motion.rotations[:, 0])
        for ankle, toe in ((7, 10), (8, 11)):
            way = places[:, toe] - places[:, ankle]
            off = np.angle(np.exp(1j * (np.arctan2(way[:, 0], -way[:, 1]) - heading)))
            assert np.degrees(np.abs(off)).max() < 70, (name, ankle)


def test_a_wish_to_face_something_leaves_keyed_poses_alone(denoiser):
    pose = generate(alone(path=straight()), denoiser)[0].motions[0].rotations[45]
    aside = Facing(0, Target(point=np.array([8.0, -1.5, 0.0])))
    request = replace(alone(path=straight(), keys=(Key(1.5, pose),)), facings=(aside,))
    take = generate(request, denoiser)[0]
    assert not take.report["relaxed"] and take.report["characters"][0]["key_error_deg"] < 0.1
    turned = np.degrees(np.abs(rot.heading(take.motions[0].rotations[:, 0]) - rot.heading(pose[0])))
    assert turned[5:25].mean() > 20.0, "away from the key the wish is granted"
