"""Recordings become one dataset file: what goes in comes out, and what can't go in is named with the reason."""

import json
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core import rotations as rot
from blender_motiondiff.core.files import bvh
from blender_motiondiff.core.motion import positions, scaled
from tests.core.made_motion import swinging
from training import build_dataset, data_report, dataset, folders, pack
from training.folders import on_ground
from training.pack import DatasetError


def recorded(folder, **motions):
    """A folder of BVH files."""
    folder.mkdir(exist_ok=True)
    for name, motion in motions.items():
        bvh.write(folder / f"{name}.bvh", motion)
    return folder


def build(folder, out, **options):
    found = build_dataset.build(folder, out, report=lambda text: None, **options)
    return found, dataset.load_clips(out), dataset.read_index(out)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    motions = {f"walk_{k:02}": swinging(90, seed=k) for k in range(12)}
    motions |= {"duet_a": swinging(90, seed=20), "duet_b": swinging(60, seed=21)}
    recorded(folder / "clips", **motions, giant=scaled(swinging(60, seed=30), 60.0))
    (folder / "clips" / "broken.bvh").write_text("HIERARCHY\n")
    text = (folder / "clips" / "walk_00.bvh").read_text()
    (folder / "clips" / "dog.bvh").write_text(text.replace("LeftUpLeg", "HindLeg"))
    (folder / "clips" / "lonely.amc").write_text("1\nroot 0 0 0 0 0 0\n")
    (folder / "clips" / "index.csv").write_text(
        "clip,scale_to_m,description,terms\nwalk_03,0.01,a walk,mine\ngone,,,\n"
    )
    found, clips, rows = build(folder / "clips", folder / "own.npz")
    return folder, motions, found, clips, rows


def test_what_was_recorded_comes_back_from_the_file(own):
    _, motions, _, clips, rows = own
    for name in ("walk_03", "walk_11", "duet_a"):
        clip, motion = clips[name], motions[name]
        frames = clip.motion.frames
        lift = positions(motion)[:frames] - positions(clip.motion)
        assert np.abs(lift - lift.mean((0, 1))).max() < 1e-3, name  # the same but for the height of the ground
        assert np.abs(lift[..., :2]).max() < 1e-3, name
        toes = positions(clip.motion)[:, [10, 11], 2].min(1)
        rest = clip.motion.body.foot_heights[1]
        assert clip.partner or abs(np.percentile(toes, 10) - rest) < 1e-3, name  # a couple's is that before trimming
    assert (rows["walk_03"]["description"], rows["walk_03"]["terms"], clips["walk_03"].text) == (
        "a walk",
        "mine",
        "a walk",
    )


def test_couples_are_trimmed_to_the_shorter_and_stay_together(own):
    _, _, found, clips, rows = own
    a, b = clips["duet_a"], clips["duet_b"]
    assert (a.partner, b.partner, a.motion.frames, b.motion.frames) == ("duet_b", "duet_a", 60, 60)
    assert rows["duet_a"]["split"] == rows["duet_b"]["split"]
    assert {"clip": "duet", "what": "of different lengths (3.00 and 2.00 s): trimmed to the shorter"} in found[
        "repaired"
    ]


def test_what_cannot_go_in_is_named_with_the_reason(own):
    folder, _, found, clips, _ = own
    why = {d["clip"]: d["why"] for d in found["dropped"]}
    assert set(why) == {"broken", "dog", "lonely", "gone"} and not set(why) & set(clips)
    assert "naming conventions" in why["dog"] and "no ASF file" in why["lonely"] and "broken.bvh" in why["broken"]
    assert "no such file" in why["gone"]
    text = (folder / "own_report.md").read_text()
    assert all(f"- {name}: " in text for name in why)
    assert json.loads((folder / "own_report.json").read_text())["clips"] == len(clips)


def test_a_giant_is_scaled_to_the_size_of_a_person_and_that_is_said(own):
    _, _, found, clips, _ = own
    assert abs(clips["giant"].motion.body.leg - 0.85) < 1e-3
    assert any(r["clip"] == "giant" and "scaled by" in r["what"] for r in found["repaired"])


def test_a_folder_of_ones_own_is_split_by_take(own):
    folder, _, found, clips, rows = own
    parts = {name: row["split"] for name, row in rows.items()}
    assert parts["walk_11"] == "validation" and set(parts.values()) == set(pack.SPLITS)
    out = folder / "own.npz"
    assert dataset.kept_out(out) == {n for n, p in parts.items() if p != "training"}
    assert set(dataset.for_training(clips, rows)) == {n for n, p in parts.items() if p == "training"}
    assert dataset.validation(out) & dataset.choosing(out) == set()
    assert found["split"]["training"]["clips"] == len(clips) - len(dataset.kept_out(out))


def test_the_split_of_the_index_is_taken(tmp_path):
    folder = recorded(tmp_path / "clips", **{n: swinging(60, seed=i) for i, n in enumerate("abc")})
    (folder / "index.csv").write_text("clip,split\na,validation\nb,choosing\n")
    _, _, rows = build(folder, tmp_path / "out.npz")
    assert {n: r["split"] for n, r in rows.items()} == {"a": "validation", "b": "choosing", "c": "training"}


@pytest.mark.parametrize(
    ("rest", "turn"), [("Z up", [[1, 0, 0], [0, 0, -1], [0, 1, 0]]), ("facing -Z", [[-1, 0, 0], [0, 1, 0], [0, 0, -1]])]
)
def test_files_with_other_axes_stand_up(tmp_path, rest, turn):
    folder = recorded(tmp_path / "clips", a=swinging(40))
    upright, _, _ = folders.read_motion(folder / "a.bvh")
    turn = np.array(turn, float)
    names = [bvh.NAMES[j] for j in bvh.JOINTS]
    offsets = upright.body.offsets @ bvh.TO_Y_UP.T
    from training.skeletons import motion_of, source_of

    source = source_of(names, bvh.PARENTS, offsets @ turn.T)
    assert np.allclose(source.body.offsets, source_of(names, bvh.PARENTS, offsets).body.offsets, atol=1e-9), rest
    q = rot.multiply(rot.from_matrix(turn), bvh.TO_Y_UP_Q)
    local = rot.multiply(rot.multiply(q, upright.rotations), rot.conjugate(q))
    found = motion_of(source, upright.root @ (turn @ bvh.TO_Y_UP).T, local, bvh.PARENTS, 30.0)
    assert np.abs(positions(found) - positions(upright)).max() < 1e-6


def test_a_rate_of_25_frames_is_resampled_and_120_thinned(tmp_path):
    motion = swinging(101, seed=3)
    folder = recorded(tmp_path / "clips", slow=replace(motion, fps=25.0), fast=replace(motion, fps=120.0))
    slow, fast = (folders.read_motion(folder / f"{n}.bvh")[0] for n in ("slow", "fast"))
    assert round(slow.fps, 3) == 25 and round(fast.fps, 3) == 60 and fast.frames == 51
    clip = pack.at_core_rate(on_ground("slow", slow))
    assert clip.motion.frames == 121 and clip.contacts.shape == (121, 4) and clip.good.shape == (121,)


def test_bad_frames_stay_bad_at_the_core_s_rate():
    clip = on_ground("a", replace(swinging(60), fps=60.0))
    good = np.ones(60, bool)
    good[31] = False
    packed = pack.at_core_rate(replace(clip, good=good))
    assert np.flatnonzero(~packed.good).tolist() == [15]


def test_jumps_are_left_out(tmp_path):
    motion = swinging(90)
    root = motion.root.copy()
    root[50:] += [1.0, 0, 0]
    recorded(tmp_path / "clips", a=replace(motion, root=root), b=swinging(40), c=swinging(40))
    found, clips, _ = build(tmp_path / "clips", tmp_path / "out.npz")
    assert np.flatnonzero(~clips["a"].good).tolist() == list(range(46, 54))
    assert any(r["clip"] == "a" and "jumps" in r["what"] for r in found["repaired"])


def test_clips_under_some_terms_can_be_left_out(tmp_path):
    folder = recorded(tmp_path / "clips", **{n: swinging(40, seed=i) for i, n in enumerate("abcd")})
    (folder / "index.csv").write_text("clip,terms\na,CC BY-SA 3.0\n")
    found, clips, _ = build(folder, tmp_path / "out.npz", terms=["CC BY-SA 3.0"])
    assert set(clips) == set("bcd") and found["dropped"] == [{"clip": "a", "why": "under CC BY-SA 3.0"}]
    with pytest.raises(DatasetError, match='under the terms "CC0"'):
        build(folder, tmp_path / "out.npz", terms=["CC0"])


REFUSED = {
    "no folder": (None, "There is no folder"),
    "no clips": ({}, "holds no .bvh and no .amc"),
    "all unreadable": ({"a.bvh": "nonsense"}, "None of the 1 clips .* The first, a: .*no BVH file"),
    "an index of other columns": ({"a.bvh": "x", "index.csv": "name\na\n"}, "no column clip"),
    "a scale of words": ({"a.bvh": "x", "index.csv": "clip,scale_to_m\na,big\n"}, "scale_to_m of a is 'big'"),
    "an unknown part": ({"a.bvh": "x", "index.csv": "clip,split\na,test\n"}, "split of a is 'test'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_folders_that_cannot_be_used_are_refused(tmp_path, case):
    files, words = REFUSED[case]
    folder = tmp_path / "clips"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    with pytest.raises(DatasetError, match=words):
        build_dataset.build(folder, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_too_few_takes_and_places_in_the_repository_are_refused(tmp_path):
    folder = recorded(tmp_path / "clips", a=swinging(40), b=swinging(40, seed=1))
    with pytest.raises(DatasetError, match="2 takes leave none for choosing and validation"):
        build_dataset.build(folder, tmp_path / "out.npz")
    with pytest.raises(DatasetError, match="lies in the repository"):
        build_dataset.build(folder, build_dataset.REPOSITORY / "build" / "out.npz")


def test_damaged_dataset_files_are_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "b.npz", x=np.zeros(3))
    for name, words in (
        ("a", "damaged or no dataset"),
        ("b", "no dataset of this version"),
        ("c", "There is no dataset"),
    ):
        with pytest.raises(DatasetError, match=words):
            dataset.load_clips(tmp_path / f"{name}.npz")


def swung(joint, turn, frames):
    """A clip in which somebody stands and sways, but for one joint that is turned further in some frames."""
    motion = swinging(90, speed=0.0)
    rotations = motion.rotations.copy()
    rotations[:, 1:] = rot.IDENTITY
    rotations[frames, joint] = rot.multiply(rotations[frames, joint], rot.from_rotvec(np.array(turn)))
    return replace(motion, rotations=rotations)


def test_rolls_and_turned_legs_are_left_out_and_the_clip_is_doubtful():
    sound = on_ground("a", swung(16, [0, 0, 0.0], slice(0, 0)))
    assert sound.good.all() and data_report.facts_of(sound).doubts == []
    rolled = on_ground("a", swung(16, [2.0, 0, 0], slice(40, None)))
    assert np.flatnonzero(~rolled.good).tolist() == list(range(36, 44))
    assert data_report.facts_of(rolled).doubts == ["0.3 s of rolls or turned legs, left out"]
    turned = on_ground("a", swung(7, [np.pi, 0, 0], slice(20, None)))  # the sole up
    assert turned.good[:16].all() and not turned.good[20:].any()
    fast = on_ground("a", swung(16, [1.3, 0, 0], slice(40, None)))
    assert any("left_shoulder rolls by 74 degrees" in d for d in data_report.facts_of(fast).doubts)


def test_feet_under_the_floor_and_in_the_air_are_doubtful():
    clip = on_ground("a", swung(16, [0, 0, 0.0], slice(0, 0)))
    lowered = replace(clip, motion=replace(clip.motion, root=clip.motion.root - [0, 0, 0.5]))
    assert any("under the floor" in d for d in data_report.facts_of(lowered).doubts)
    squat = clip.motion.rotations.copy()
    for hip, knee in ((1, 4), (2, 5)):
        squat[30:, hip] = rot.from_rotvec(np.array([-2.0, 0, 0]))
        squat[30:, knee] = rot.from_rotvec(np.array([2.2, 0, 0]))
    root = clip.motion.root.copy()
    root[30:, 2] = 0.65 * clip.motion.body.standing_height
    low = replace(clip, motion=replace(clip.motion, rotations=squat, root=root))
    assert any("in the air in a crouch" in d for d in data_report.facts_of(low).doubts)
