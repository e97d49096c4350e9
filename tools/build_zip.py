"""Builds the extension's zips into dist with Blender's own extension tool, and validates them.

    python -m tools.build_zip [--all]      default: the zip of this machine's platform

The wheels must have been fetched (tools/fetch_wheels.py). The source is staged in a folder of its own, where the
manifest names only the platforms that are built, so that one platform's zip needs one platform's wheels.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.fetch_wheels import PLATFORMS, ROOT, host_platform, wheels_for

SOURCE = ROOT / "blender_motiondiff"
DIST = ROOT / "dist"


def manifest():
    """The committed manifest as data."""
    return tomllib.loads((SOURCE / "blender_manifest.toml").read_text(encoding="utf-8"))


def zip_name(platform):
    """The name that Blender's tool gives the zip of a platform."""
    data = manifest()
    return f"{data['id']}-{data['version']}-{platform.replace('-', '_')}.zip"


def extension_tool():
    """Blender's extension tool: a plain script inside the bpy module, found without importing that."""
    module = Path(importlib.util.find_spec("bpy").origin).parent
    return next(module.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))


def list_in_manifest(text, key, values):
    """The manifest's text with another list of values for the key."""
    lines = "".join(f'  "{value}",\n' for value in values)
    text, count = re.subn(rf"^{key} = \[.*?\]", f"{key} = [\n{lines}]", text, count=1, flags=re.DOTALL | re.MULTILINE)
    if count != 1:
        raise SystemExit(f"zip: blender_manifest.toml has no list named {key}")
    return text


def check_wheels():
    """Ends with the reason when manifest and wheel table disagree."""
    named = {Path(wheel).name for wheel in manifest()["wheels"]}
    listed = {row["file"] for row in wheels_for(set(PLATFORMS.values()))}
    if named != listed:
        difference = ", ".join(sorted(named ^ listed))
        raise SystemExit(f"zip: blender_manifest.toml and tools/wheels.toml name different wheels: {difference}")


def stage(folder, platforms):
    """Copies the extension with the wheels of the platforms and a manifest that names just those."""
    rows = wheels_for(platforms)
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "wheels"))
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    (folder / "wheels").mkdir()
    for row in rows:
        wheel = SOURCE / "wheels" / row["file"]
        if not wheel.exists():
            raise SystemExit(f"zip: {row['file']} is not in blender_motiondiff/wheels: `make zip` fetches it")
        os.link(wheel, folder / "wheels" / row["file"])
    path = folder / "blender_manifest.toml"
    text = list_in_manifest(path.read_text(encoding="utf-8"), "platforms", sorted(platforms))
    path.write_text(list_in_manifest(text, "wheels", [f"./wheels/{row['file']}" for row in rows]), encoding="utf-8")


def run_tool(*arguments):
    """Runs Blender's extension tool; ends with what it printed when it fails."""
    done = subprocess.run([sys.executable, extension_tool(), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"zip: Blender's extension tool failed at `{arguments[0]}`:\n{done.stdout}{done.stderr}")


def main(arguments):
    """Builds, validates and moves into dist the zips of the platforms asked for."""
    platforms = set(PLATFORMS.values()) if "--all" in arguments else {host_platform()}
    check_wheels()
    DIST.mkdir(exist_ok=True)
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stage-", dir=ROOT / "build") as scratch:
        source, output = Path(scratch, "motiondiff"), Path(scratch, "zips")
        output.mkdir()
        stage(source, platforms)
        run_tool("build", "--source-dir", source, "--output-dir", output, "--split-platforms")
        for platform in sorted(platforms):
            built = output / zip_name(platform)
            run_tool("validate", built)
            os.replace(built, DIST / built.name)
            print(f"zip: dist/{built.name}, {(DIST / built.name).stat().st_size / 1e6:.1f} MB, valid")


if __name__ == "__main__":
    main(sys.argv[1:])
