"""The committed lists: by trial, without overlap, and neighbours of one session on one side."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from blender_motiondiff.core.motion import forward_kinematics
from training import build_dataset, dataset, pack
from training.augment import cut
from training.compare_originals import difference
from training.dataset import choosing, kept_out, names_of, read_index, validation, why_left_out

SALSA = {"validation": {"060_03", "061_03", "060_14", "061_14"}, "choosing": {"060_10", "061_10"}}


def test_no_clip_stands_in_two_lists():
    parts = [names_of("training"), choosing(), validation()]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert kept_out() == choosing() | validation()
    assert SALSA["validation"] <= validation() and SALSA["choosing"] <= choosing()


def test_every_usable_clip_stands_in_a_list(data):
    rows = read_index(data)
    listed = {n for n, r in rows.items() if r["split"]}
    assert listed == names_of("training") | kept_out()
    unlisted = {n for n, r in rows.items() if not r["split"] and not why_left_out(n, r)}
    assert all(rows[n]["shard"].startswith("cmu-fbx") for n in unlisted)  # without a standing rest pose
    assert not any(why_left_out(n, rows[n]) for n in names_of("training"))


def test_both_of_a_couple_and_neighbours_of_a_session_are_on_one_side(data):
    rows = read_index(data)
    for name in kept_out():
        partner = rows[name]["partner"]
        assert not partner or rows[partner]["split"] == rows[name]["split"]
    held = [n for n in names_of("training") if n.startswith("hdm05_mm")] + [n for n in choosing() if "hdm05" in n]
    assert not held  # HDM05 is split by actor


def test_a_tenth_of_the_singles_is_validated_on(data):
    rows = read_index(data)
    singles = [n for n, r in rows.items() if not r["partner"]]
    assert 0.07 < len(validation() & set(singles)) / len(singles) < 0.12


@pytest.fixture(scope="module")
def packed(data, tmp_path_factory):
    """A few clips of the motion data as a dataset file, and the names."""
    names = {"060_03", "061_03", "007_01", "016_21", "hdm05_bd_depositFloorR_001", "100style_Neutral_FW"}
    out = tmp_path_factory.mktemp("packed") / "some.npz"
    rows = read_index(data)
    clips = dataset.load_clips(data, names)
    pack.write(out, clips, rows)
    return out, clips


def test_windows_of_the_packed_file_are_those_of_the_shards(packed):
    out, clips = packed
    found = dataset.load_clips(out)
    assert set(found) == set(clips) and dataset.kept_out(out) == {"060_03", "061_03", "016_21"}
    assert set(dataset.for_training(found, dataset.read_index(out))) == set(clips) - kept_out()
    for name, clip in clips.items():
        a, b = cut(clip, 20, 30, 1.0), cut(found[name], 10, 30, 1.0)
        places = [forward_kinematics(x[0], x[1], clip.motion.body.offsets)[0] for x in (a, b)]
        assert np.abs(places[0] - places[1]).max() < 5e-4, name
        assert (a[2] == b[2]).all() and clip.text == found[name].text and clip.partner == found[name].partner


@pytest.mark.parametrize("wanted", ["02_04.amc", "35_20.bvh", "61_05_scaled.bvh"])
def test_a_source_file_gives_the_clip_of_the_shards(data, tmp_path, wanted):
    with tarfile.open(Path(data) / "originals.tar.gz") as archive:
        members = [m for m in archive.getmembers() if Path(m.name).name in (wanted, wanted.split("_")[0] + ".asf")]
        archive.extractall(tmp_path, members=members, filter="data")
    name, row = next((n, r) for n, r in read_index(data).items() if Path(r["source_path"]).name == wanted)
    skeletons = json.loads((Path(data) / "shards" / "skeletons.json").read_text())
    clip = dataset.load_clips(data, {name})[name]
    metres = skeletons[row["skeleton"]]["metres_per_unit"]
    worst, frames, _ = difference(next(tmp_path.rglob(wanted)), row, clip, metres)
    assert worst < 3e-4 and frames >= clip.motion.frames - 1


def test_the_report_s_reasons_for_leaving_clips_out(data, monkeypatch):
    wanted = {"060_06", "003_01", "005_06", "085_03"}
    rows = {n: r for n, r in read_index(data).items() if n in wanted}
    monkeypatch.setattr(dataset, "read_index", lambda folder: rows)
    clips, _, notes = build_dataset.from_shards(data)
    assert set(clips) == {"005_06"}
    assert {n for n, _ in notes.dropped} == wanted - {"005_06"}
    assert "head is wrong" in dict(notes.dropped)["060_06"] and "uneven" in dict(notes.dropped)["003_01"]
    assert "T or A pose" in dict(notes.dropped)["085_03"]
