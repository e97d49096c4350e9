"""Composed pairs: equal lengths, no bodies in each other, and the geometry of each kind."""

from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.cleanup.contacts import label_contacts
from blender_motiondiff.core.motion import Motion, positions
from blender_motiondiff.core.skeleton import COUNT, INDEX, average_body
from evaluation.metrics import body_distance_min
from training.compose import composed, moved, overlap, poses_of
from training.compose_cuts import Cut, draw_cut, lay, track
from training.dataset import Clip, for_training, load_clips, read_index

FPS = 60


def made(name, action, text, speed, turning=0.0, seconds=10.0, arms=0.4, seed=0):
    """A clip of somebody upright whose pelvis goes ahead at `speed(t)` metres a second, turning by `turning` rad/s."""
    rng, t = np.random.default_rng(seed), np.arange(int(seconds * FPS)) / FPS
    waves = rng.normal(0, 0.1, (COUNT, 3))[None] * np.sin(t[:, None, None] * rng.uniform(2, 6, (COUNT, 3)))
    for side, sign in (("left", 1), ("right", -1)):
        waves[:, INDEX[f"{side}_shoulder"], 1] += sign * 1.4
        waves[:, INDEX[f"{side}_elbow"], 2] -= sign * arms
    local = rot.from_rotvec(waves)
    heading = rng.uniform(-3, 3) + turning * t
    local[:, 0] = rot.multiply(rot.about_z(heading), local[:, 0])
    steps = np.stack([np.sin(heading), -np.cos(heading)], -1) * speed(t)[:, None] / FPS
    body = average_body()
    root = np.concatenate([rng.uniform(-3, 3, 2) + np.cumsum(steps, 0), np.full((len(t), 1), body.standing_height)], -1)
    motion = Motion(root, local, body, float(FPS))
    contacts = label_contacts(positions(motion), body, FPS)
    return Clip(name, motion, contacts, np.ones(len(t), bool), "", action, f"{action} {text}")


def made_clips():
    def still(t):
        return 0.0 * t

    clips = []
    for i in range(3):
        pace = 1.0 + 0.1 * i
        clips += [
            made(f"walk{i}", "walk", "walk", lambda t, p=pace: p + 0 * t, seed=i),
            made(
                f"arc{i}", "walk", "walk, veer left", lambda t, p=pace: p + 0 * t, turning=0.5 + 0.05 * i, seed=10 + i
            ),
            made(f"stop{i}", "walk", "slow walk, stop", lambda t: np.clip(4 - t, 0, 1), seed=20 + i),
            made(f"talk{i}", "gestures", "direct traffic", still, seed=30 + i),
            made(f"box{i}", "martial arts", "boxing", still, arms=1.2, seed=40 + i),
            made(f"jack{i}", "exercise", "jumping jacks", still, seed=50 + i),
            made(f"salsa{i}", "salsa (pair)", "salsa dance", still, seed=60 + i),
        ]
    return {c.name: c for c in clips}


@pytest.fixture(scope="module")
def pairs():
    return composed(made_clips(), np.random.default_rng(1), 90)


def of(pairs, kind):
    found = [tuple(c.motion for c in p.persons) for p in pairs if p.kind == kind]
    assert found, kind
    return found


def apart(a, b):
    return np.linalg.norm((a.root - b.root)[:, :2], axis=1)


def off(a, b):
    """Angles by which a looks past b."""
    way = (b.root - a.root)[:, :2]
    return np.abs((rot.heading(a.rotations[:, 0]) - np.arctan2(way[:, 0], -way[:, 1]) + np.pi) % (2 * np.pi) - np.pi)


def check_pairs(pairs):
    for pair in pairs:
        a, b = pair.persons
        assert a.motion.frames == b.motion.frames and a.motion.fps == b.motion.fps == 30
        assert len(a.good) == len(b.contacts) == a.motion.frames and a.good.all() and 2 <= len(a.good) / 30 <= 8
        assert (a.partner, b.partner) == (b.name, a.name) and a.name != b.name
        assert pair.name.startswith(f"composed:{pair.kind}:") and "salsa" not in pair.name
        assert body_distance_min(positions(a.motion)[::3], positions(b.motion)[::3]) > 0.07, pair.name


def test_pairs_are_of_equal_length_and_never_in_each_other(pairs):
    check_pairs(pairs)
    assert len(pairs) == 90 and len({p.kind for p in pairs}) == 9


def test_those_who_walk_side_by_side_are_level(pairs):
    for a, b in of(pairs, "beside"):
        way = (a.root[-1] - a.root[0])[:2]
        along = (b.root - a.root)[:, :2] @ way / np.linalg.norm(way)
        assert np.abs(along).max() < 0.45 and apart(a, b).min() > 0.5 and apart(a, b).max() < 1.2


def test_who_follows_is_behind(pairs):
    for a, b in of(pairs, "following"):
        assert apart(a, b).min() > 0.8 and apart(a, b).max() < 2.4
        assert off(b, a).max() < 1.1 and off(a, b).min() > 1.8


def test_who_meets_stops_face_to_face(pairs):
    for a, b in of(pairs, "meeting"):
        assert 0.7 < apart(a, b)[-1] < 1.5 < apart(a, b)[0] + 0.3
        assert max(off(a, b)[-1], off(b, a)[-1]) < 0.6
        assert all(np.linalg.norm(m.root[-1] - m.root[-4]) < 0.3 * 3 / 30 for m in (a, b))


def test_who_passes_is_nearest_on_the_way(pairs):
    for a, b in of(pairs, "passing"):
        nearest = apart(a, b).argmin()
        assert 0.2 < nearest / a.frames < 0.8 and off(a, b)[0] < 1.3 and off(a, b)[-1] > 1.8


def test_who_circles_goes_the_same_way_round_on_another_side(pairs):
    for a, b in of(pairs, "circling"):
        way = (b.root - a.root)[:, :2]
        turn = np.unwrap(np.arctan2(way[:, 1], way[:, 0]))
        turns = [np.ptp(np.unwrap(rot.heading(m.rotations[:, 0]))) for m in (a, b)]
        assert abs(abs(turn[-1] - turn[0]) - np.mean(turns)) < 0.6 and abs(turn[-1] - turn[0]) > 0.5


def test_who_mirrors_is_the_others_image(pairs):
    for a, b in of(pairs, "mirroring"):
        assert np.median(off(a, b)) < 0.5 and np.median(off(b, a)) < 0.5
        left, right = (np.linalg.norm(np.diff(positions(m)[:, INDEX[j]] - m.root, axis=0), axis=1)
                       for m, j in ((a, "left_wrist"), (b, "right_wrist")))  # fmt: skip
        best = max(np.corrcoef(left[late:], right[: len(right) - late])[0, 1] for late in range(14))
        best = max(best, *(np.corrcoef(right[late:], left[: len(left) - late])[0, 1] for late in range(14)))
        assert best > 0.98


def test_who_talks_or_spars_looks_at_the_other(pairs):
    for a, b in of(pairs, "talking"):
        assert apart(a, b).min() > 0.7 and apart(a, b).max() < 2.0 and max(off(a, b).mean(), off(b, a).mean()) < 0.9
    for a, b in of(pairs, "sparring"):
        assert apart(a, b).min() > 0.5 and apart(a, b).max() < 2.3 and max(off(a, b).mean(), off(b, a).mean()) < 1.2


def test_the_same_seed_gives_the_same_pairs(pairs):
    again = composed(made_clips(), np.random.default_rng(1), 12)
    assert [p.name for p in again] == [p.name for p in pairs[:12]]
    for p, q in zip(again, pairs, strict=False):
        assert all((c.motion.root == d.motion.root).all() for c, d in zip(p.persons, q.persons, strict=True))


def test_only_good_frames_are_cut_and_clips_of_nothing_give_no_pairs():
    clip = made_clips()["walk0"]
    good = clip.good.copy()
    good[200:230] = False
    t, rng = track(replace(clip, good=good)), np.random.default_rng(0)
    shown = [cut.times for cut in (draw_cut([t], rng) for _ in range(40)) if cut]
    assert shown and all(times[-1] <= 199 or times[0] >= 230 for times in shown)
    with pytest.raises(ValueError, match="No pair can be composed"):
        composed({"salsa0": made_clips()["salsa0"]}, rng, 1)


def test_a_laid_cut_is_where_its_plan_says():
    t = track(made_clips()["arc0"])
    for flip in (False, True):
        cut = Cut(t, 12.5, 90, 1.1, flip)
        laid = lay(cut, cut.path[3], (1.0, 2.0), 0.7)
        motion = laid.clip("a", "b").motion
        assert np.abs(motion.root[:, :2] - laid.path).max() < 1e-9 and np.abs(laid.path[3] - (1, 2)).max() < 1e-9
        turned = (rot.heading(motion.rotations[:, 0]) - laid.heading + np.pi) % (2 * np.pi) - np.pi
        assert np.abs(turned).max() < 0.01


def test_the_overlap_of_two_bodies_is_seen():
    clip = made_clips()["talk0"]
    poses = poses_of((clip, clip))
    assert overlap(moved(poses, (0.1, 0.0))).min() > 0.1
    assert overlap(moved(poses, (2.5, 0.0))).max() == 0


def test_pairs_of_recorded_clips(data):
    names = [f"{s:03}_{t:02}" for s, t in ((16, 15), (16, 16), (16, 17), (16, 33), (35, 1), (35, 2), (7, 4), (8, 4))]
    names += ["029_04", "029_05", "014_02", "002_05", "131_09", "012_02", "049_18", "060_01", "061_01"]
    clips = for_training(load_clips(data, names=set(names)), read_index(data))
    pairs = composed(clips, np.random.default_rng(0), 40)
    check_pairs(pairs)
    assert len({p.kind for p in pairs}) >= 7 and not any("060" in p.name or "061" in p.name for p in pairs)
    slips = [toe_speed(c) for p in pairs if p.kind != "ignoring" for c in p.persons]
    assert np.nanmean(slips) < 0.12


def toe_speed(clip):
    """Mean speed of the toes that stand, metres a second."""
    toes = positions(clip.motion)[:, [INDEX["left_foot"], INDEX["right_foot"]], :2]
    speed = np.linalg.norm(np.gradient(toes, axis=0), axis=-1) * clip.motion.fps
    return speed[clip.contacts[:, [1, 3]]].mean() if clip.contacts[:, [1, 3]].any() else np.nan
