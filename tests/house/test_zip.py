"""What the zip holds, and what it does not."""

import hashlib
import json
import tomllib
import zipfile

import pytest

from tools.build_zip import SOURCE, check_wheels, list_in_manifest, manifest
from tools.fetch_wheels import host_platform, wheels_for


@pytest.fixture(scope="module")
def names(built_zip):
    with zipfile.ZipFile(built_zip) as archive:
        return archive.namelist()


def test_wheels_are_those_of_the_platform_and_no_others(names):
    carried = {name.removeprefix("wheels/") for name in names if name.endswith(".whl")}
    assert carried == {row["file"] for row in wheels_for({host_platform()})}


def test_carried_wheels_are_the_files_that_the_table_names(built_zip):
    with zipfile.ZipFile(built_zip) as archive:
        for row in wheels_for({host_platform()}):
            assert hashlib.sha256(archive.read(f"wheels/{row['file']}")).hexdigest() == row["sha256"]


def test_no_caches_no_backups_no_hidden_files(names):
    refused = [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".blend1", ".npz")) or "/." in f"/{n}"]
    assert refused == []


def test_every_source_file_is_in_the_zip(names):
    wanted = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and "wheels" not in path.parts
    }
    assert wanted | {"LICENSE"} == {name for name in names if not name.startswith("wheels/") and not name.endswith("/")}


def test_weights_are_carried_whole(names):
    folder = SOURCE / "core" / "denoiser" / "weights"
    weights = [path for path in folder.glob("*/*") if path.is_file()]
    if not weights:
        pytest.skip("no weights in core/denoiser/weights yet: train and export them first")
    for path in weights:
        assert path.relative_to(SOURCE).as_posix() in names
    for path in folder.glob("*/config.json"):
        json.loads(path.read_text(encoding="utf-8"))
        assert {"model.safetensors", "graph.onnx", "card.md"} <= {other.name for other in path.parent.iterdir()}


def test_manifest_holds_the_platform_s_rules():
    data = manifest()
    assert data["id"] == "motiondiff" and data["schema_version"] == "1.0.0"
    assert "blender" not in data["name"].lower()
    assert len(data["tagline"]) <= 64 and data["tagline"][-1].isalnum()
    assert tuple(map(int, data["blender_version_min"].split("."))) == (4, 5, 0)
    assert "network" not in data["permissions"] and data["permissions"]["files"]
    assert set(data["platforms"]) == {"linux-x64", "windows-x64", "macos-arm64"}


def test_manifest_and_wheel_table_agree():
    check_wheels()


def test_list_in_manifest_replaces_one_list_and_leaves_the_rest():
    text = (SOURCE / "blender_manifest.toml").read_text(encoding="utf-8")
    changed = tomllib.loads(list_in_manifest(text, "platforms", ["linux-x64"]))
    assert changed.pop("platforms") == ["linux-x64"]
    rest = tomllib.loads(text)
    rest.pop("platforms")
    assert changed == rest
