"""Installs the extension's zip into a Blender profile of its own, enables it and saves the preferences.

python -m tools.install_zip ZIP PROFILE      run by a Python that has Blender's module (bpy)
"""

import os
import sys
from pathlib import Path

MODULE = "bl_ext.user_default.motiondiff"


def use_profile(profile):
    """Makes the folder the profile of the Blender that this process imports later."""
    if "bpy" in sys.modules:
        raise SystemExit("install: the profile must be chosen before bpy is imported")
    Path(profile).mkdir(parents=True, exist_ok=True)
    os.environ["BLENDER_USER_RESOURCES"] = str(Path(profile).resolve())


def wheels_first():
    """Puts the wheels that Blender unpacked into the profile before this Python's own packages.

    The module's environment has an ONNX Runtime of its own, for tests of the core; a real Blender has none, and with
    the environment's one in front nobody would notice a zip without its wheel.
    """
    profile = os.environ["BLENDER_USER_RESOURCES"]
    unpacked = [entry for entry in sys.path if entry.startswith(profile) and entry.endswith("site-packages")]
    sys.path[:] = unpacked + [entry for entry in sys.path if entry not in unpacked]


def install(zip_path):
    """Installs and enables the zip in the running Blender and saves that in its profile."""
    import bpy

    zip_path = Path(zip_path).resolve()
    if not zip_path.is_file():
        raise SystemExit(f"install: {zip_path} is not there: build it with `make zip`")
    bpy.ops.extensions.package_install_files(filepath=str(zip_path), repo="user_default", enable_on_install=True)
    if MODULE not in bpy.context.preferences.addons:
        raise SystemExit(f"install: Blender did not enable {zip_path.name} (its reason stands above)")
    bpy.ops.wm.save_userpref()
    wheels_first()


def main(arguments):
    """Installs the zip of the command line into the profile of the command line."""
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    use_profile(arguments[1])
    install(arguments[0])
    print(f"install: {MODULE} enabled")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
