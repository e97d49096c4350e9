"""Fetches the wheels of tools/wheels.toml, each by name, version and hash, into build/wheels and the extension.

python -m tools.fetch_wheels [--all]      default: those of this machine's platform
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tools" / "wheels.toml"
CACHE = ROOT / "build" / "wheels"
PLACE = ROOT / "blender_motiondiff" / "wheels"
PLATFORMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Windows", "AMD64"): "windows-x64",
    ("Darwin", "arm64"): "macos-arm64",
}


def host_platform():
    """This machine's platform as the manifest names it."""
    key = (platform.system(), platform.machine())
    if key not in PLATFORMS:
        raise SystemExit(f"wheels: no ONNX Runtime wheel is listed for {key[0]} on {key[1]}: see {TABLE.name}")
    return PLATFORMS[key]


def wheels_for(platforms):
    """The rows of the table for these platforms."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [row for row in table["wheel"] if row["platform"] in platforms]


def sha256_of(path):
    """The hash of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pip_download(row):
    """Lets pip fetch one wheel by its exact name's parts and its hash."""
    package, version, tag, _, wheel_platform = row["file"].removesuffix(".whl").split("-")
    pin = CACHE / f"{row['file']}.txt"
    pin.write_text(f"{package}=={version} --hash=sha256:{row['sha256']}\n")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--require-hashes", "--python-version", f"{tag[2]}.{tag[3:]}",
        "--platform", wheel_platform, "--dest", CACHE, "-r", pin,
    ]  # fmt: skip
    failed = subprocess.run(command).returncode
    pin.unlink()
    if failed:
        raise SystemExit(
            f"wheels: {row['file']} could not be fetched (pip's reason stands above). Check the network, or put the "
            f"file into {CACHE.relative_to(ROOT)} by hand, then repeat."
        )


def ensure(row):
    """The path of one wheel in the cache, fetched if it is not there or not the one that is meant."""
    path = CACHE / row["file"]
    if path.exists() and sha256_of(path) == row["sha256"]:
        return path
    path.unlink(missing_ok=True)
    print(f"wheels: fetching {row['file']}", flush=True)
    pip_download(row)
    if not path.exists() or sha256_of(path) != row["sha256"]:
        path.unlink(missing_ok=True)
        raise SystemExit(f"wheels: {row['file']} is not the file that {TABLE.name} names (hash differs). Repeat.")
    return path


def main(arguments):
    """Fetches what is missing and puts it where the zip is built from."""
    platforms = set(PLATFORMS.values()) if "--all" in arguments else {host_platform()}
    CACHE.mkdir(parents=True, exist_ok=True)
    PLACE.mkdir(exist_ok=True)
    for row in wheels_for(platforms):
        source, target = ensure(row), PLACE / row["file"]
        if not target.exists() or target.stat().st_size != source.stat().st_size:
            shutil.copyfile(source, target)


if __name__ == "__main__":
    main(sys.argv[1:])
