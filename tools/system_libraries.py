"""Sees to the system libraries that Blender's Python module needs and a bare Debian lacks."""

import os
import shutil
import subprocess

PACKAGES = [
    "libx11-6", "libxrender1", "libxfixes3", "libxi6", "libxkbcommon0",
    "libsm6", "libice6", "libxext6", "libgl1", "libegl1",
]  # fmt: skip
COMMAND = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
# Workbench opens libEGL when it renders, and ends the process where there is none: so it is looked for beforehand.
PROBE = "import ctypes; ctypes.CDLL('libEGL.so.1'); import bpy"


def missing_library(python):
    """What stands in the way of `import bpy` and of rendering, or None."""
    done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"the interpreter ended with status {done.returncode}"


def apt_prefix():
    """How apt-get may be called here: directly, through sudo without a password, or not at all (None)."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def ensure_system_libraries(python, say):
    """Installs the libraries where that is allowed, else ends with the command that does."""
    missing = missing_library(python)
    if missing is None:
        return
    by_hand = "sudo apt-get update && sudo " + " ".join(COMMAND)
    prefix = apt_prefix()
    if prefix is None:
        raise SystemExit(f"setup: Blender's module lacks a system library ({missing}). Install it, repeat: {by_hand}")
    say(f"installing system libraries for Blender's module ({missing})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*prefix, "apt-get", "update", "-q"], env=environment)
    subprocess.run([*prefix, *COMMAND, "-q"], env=environment)
    missing = missing_library(python)
    if missing is not None:
        raise SystemExit(f"setup: Blender's module still does not start ({missing}). Try: {by_hand}")
