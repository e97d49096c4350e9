"""The walk from a request to takes, with the bundled weights."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.constraints.trajectory import path_residual, sample_path, smooth_pelvis
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion.generate import generate
from blender_motiondiff.core.motion import positions, scaled, turned
from blender_motiondiff.core.request import Character, Key, Path, Request, RequestError, Spacing, from_json, to_json
from blender_motiondiff.core.skeleton import average_body

from .made_motion import swinging


@pytest.fixture(scope="module")
def denoiser():
    return onnx_backend.load()


def s_path(seconds=4.0, speed=1.0):
    t = np.linspace(0.0, seconds, 121)
    return Path(t, np.stack([3.0 + 0.6 * np.sin(np.pi * t / 2), -speed * t], -1))


def walk(**changes):
    who = Character("Ann", average_body(), path=s_path())
    return replace(Request((who,), 4.0), **changes)


def reaction(**changes):
    leader = swinging(91, speed=0.3)
    people = (Character("Ann", leader.body, motion=leader), Character("Bob", average_body()))
    return replace(Request(people, 3.0), **changes)


def test_the_smoothed_pelvis_is_on_the_path(denoiser):
    take = generate(walk(), denoiser)[0]
    target = smooth_pelvis(sample_path(s_path(), take.times))
    assert path_residual(take.motions[0].root[:, :2], target).max() < 1e-3
    assert take.report["characters"][0]["path_worst_cm"] < 0.1


def test_the_same_request_gives_the_same_takes(denoiser):
    request = walk(takes=3, seed=7)
    first, again = generate(request, denoiser), generate(from_json(to_json(request)), denoiser)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.motions[0].rotations, b.motions[0].rotations)
    alone = generate(walk(takes=1, seed=7), denoiser)[0]
    assert np.abs(positions(alone.motions[0]) - positions(first[0].motions[0])).max() < 1e-3
    assert np.abs(positions(first[0].motions[0]) - positions(first[1].motions[0])).max() > 1e-3


def test_full_and_partial_keys_are_met_at_their_own_times(denoiser):
    pose = generate(walk(seed=3), denoiser)[0].motions[0]
    raised = pose.rotations[60].copy()
    raised[16] = rot.from_rotvec(np.array([0.0, -1.2, 0.0]))
    full = Key(1.013, raised, root=np.append(sample_path(s_path(), np.array([1.013]))[0], 0.9))
    partial = Key(2.7, raised, joints=("left_shoulder", "left_elbow"))
    who = Character("Ann", average_body(), path=s_path(), keys=(full, partial))
    take = generate(Request((who,), 4.0), denoiser)[0]
    motion, times = take.motions[0], take.times
    at, later = np.abs(times - 1.013).argmin(), np.abs(times - 2.7).argmin()
    assert times[at] == pytest.approx(1.013, abs=1e-9) and times[later] == pytest.approx(2.7, abs=1e-9)
    assert np.linalg.norm(motion.root[at] - full.root) < 1e-3
    assert np.degrees(rot.angle_between(motion.rotations[at], raised)).max() < 0.1
    assert np.degrees(rot.angle_between(motion.rotations[later, 16], raised[16])) < 0.1


def test_keys_alone_are_enough(denoiser):
    poses = swinging(91, seed=2)
    keys = tuple(Key(t, poses.rotations[int(30 * t)], root=poses.root[int(30 * t)]) for t in (0.0, 1.5, 3.0))
    take = generate(Request((Character("Ann", poses.body, keys=keys),), 3.0), denoiser)[0]
    report = take.report["characters"][0]
    assert report["key_error_cm"] < 0.1 and report["key_error_deg"] < 0.1


def test_a_leader_comes_back_untouched_and_the_partner_is_near(denoiser):
    request = reaction()
    take = generate(request, denoiser)[0]
    leader = request.characters[0].motion
    assert take.motions[0] is leader
    apart = np.linalg.norm(take.motions[1].root[:, :2] - leader.root[:, :2], axis=1)
    assert apart.max() < 3.0 and take.motions[1].frames == 91


def test_a_report_is_json_whatever_kind_of_number_a_weight_is(denoiser):
    wish = Spacing(0.5, 1.0, weight=np.float32(0.3))
    take = generate(replace(reaction(), spacings=(wish,)), denoiser)[0]
    assert json.loads(json.dumps(take.report))["constraints"][0]["hard"] is False


def test_takes_of_a_draft_differ_nearly_as_those_of_several_steps(denoiser):
    def spread(steps):
        takes = generate(replace(reaction(), takes=4, steps=steps), denoiser)
        places = np.stack([positions(t.motions[1]) for t in takes])
        return np.mean([np.linalg.norm(a - b, axis=-1).mean() for a, b in combinations(places, 2)])

    assert spread(1) > 0.6 * spread(8) > 0.01


def test_the_world_may_be_turned_moved_and_scaled(denoiser):
    request = reaction()
    leader, partner = request.characters
    plain = generate(request, denoiser)[0].motions[1]
    moved = replace(leader, motion=turned(leader.motion, 2.0, (10.0, 5.0, 0.0)))
    turned_take = generate(replace(request, characters=(moved, partner)), denoiser)[0].motions[1]
    assert np.abs(turned(plain, 2.0, (10.0, 5.0, 0.0)).root - turned_take.root).max() < 1e-3
    giant = scaled(leader.motion, 10.0)
    people = (replace(leader, motion=giant, body=giant.body), replace(partner, body=partner.body.scaled(10.0)))
    giant_take = generate(replace(request, characters=people), denoiser)[0].motions[1]
    apart = np.linalg.norm(giant_take.root[:, :2] - giant.root[:, :2], axis=1)
    assert 2.0 < apart.mean() < 30.0


def test_bones_keep_their_lengths(denoiser):
    motion = generate(walk(), denoiser)[0].motions[0]
    places, body = positions(motion), motion.body
    shin = np.linalg.norm(places[:, 7] - places[:, 4], axis=-1)
    assert np.ptp(shin) < 1e-9 and shin[0] == pytest.approx(np.linalg.norm(body.offsets[7]))


def test_progress_rises_and_may_stop_the_walk(denoiser):
    seen = []
    generate(walk(), denoiser, lambda share, stage: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1.0

    def stop(share, stage):
        if stage == "Generating":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(walk(), denoiser, stop)


def test_keys_without_any_place_are_refused(denoiser):
    pose = swinging(2).rotations[0]
    request = Request((Character("Ann", average_body(), keys=(Key(0.5, pose),)),), 1.0)
    with pytest.raises(RequestError, match="Key the hips' location"):
        generate(request, denoiser)


def test_keys_too_close_together_are_refused(denoiser):
    pose = swinging(2)
    keys = tuple(Key(1.0 + 0.002 * i, pose.rotations[0], root=pose.root[0]) for i in range(6))
    with pytest.raises(RequestError, match=r"Too many keys|closer together"):
        generate(Request((Character("Ann", average_body(), keys=keys),), 2.0), denoiser)
