"""Makes the project's environments: .venv (Blender 4.5), torch in it when asked for, .venv-next (newest Blender).

Run through tools/setup_env.sh. Each step leaves a stamp with a digest of what it installed, so a repeat is instant.

    setup_env.py [base] [next]      default: both; MOTIONDIFF_TORCH=1 adds torch to .venv
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.system_libraries import ensure_system_libraries

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / ".venv"
NEXT = ROOT / ".venv-next"
SKIP_NOTE = ROOT / "build" / "next-skipped.txt"


def say(text):
    """Prints one line of progress at once."""
    print(f"setup: {text}", flush=True)


def digest(requirements, python):
    """What a stamp holds: the requirement file's contents and the interpreter's version."""
    version = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, check=True).stdout
    return hashlib.sha256(requirements.read_bytes() + version).hexdigest()


def python_of(environment):
    """The interpreter inside a virtual environment."""
    return environment / "bin" / "python"


def has_pip(python):
    """Whether this environment stands; one whose making was interrupted has no pip and is made again."""
    return python.exists() and subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def install(environment, requirements, creator):
    """Makes the environment where there is none, installs the requirements, and says whether anything was done."""
    stamp = environment / f".stamp-{requirements.stem}"
    wanted = digest(requirements, creator)
    if stamp.exists() and stamp.read_text() == wanted and python_of(environment).exists():
        return False
    if not has_pip(python_of(environment)):
        say(f"making {environment.name}")
        subprocess.run([creator, "-m", "venv", "--clear", environment], check=True)
    say(f"installing {requirements.name} into {environment.name} (the first time downloads several hundred MB)")
    command = [python_of(environment), "-m", "pip", "install", "--disable-pip-version-check", "-r", requirements]
    if subprocess.run(command).returncode:
        raise SystemExit(
            f"setup: pip could not install {requirements.name} into {environment.name} (its reason stands above). "
            "Check the network and the free disk space, then run the same command again."
        )
    ensure_system_libraries(python_of(environment), say)
    stamp.write_text(wanted)
    return True


def write_command(environment):
    """Puts the command `motiondiff` into an environment; it runs from any folder. Returns whether anything changed."""
    path = environment / "bin" / "motiondiff"
    text = (
        f"#!{python_of(environment)}\n"
        "import sys\n\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from motiondiff.__main__ import main\n\n"
        "sys.exit(main())\n"
    )
    if path.exists() and path.read_text() == text:
        return False
    path.write_text(text)
    path.chmod(0o755)
    return True


def works(python):
    """Whether this interpreter starts, is 3.13 and can make environments; a pyenv shim without a version does not."""
    test = "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))"
    try:
        return subprocess.run([python, "-c", test], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_next_python():
    """A Python 3.13 from PATH or from pyenv's versions, or None."""
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    roots = [folder.parent for folder in folders if folder.name == "shims"] + [Path.home() / ".pyenv"]
    candidates = [folder / "python3.13" for folder in folders]
    for root in roots:
        candidates += sorted(root.glob("versions/3.13*/bin/python3.13"), reverse=True)
    return next((str(python) for python in candidates if python.exists() and works(python)), None)


def set_up_next():
    """Makes .venv-next, or notes why the tests in the newest Blender are skipped."""
    python = find_next_python()
    if python is None:
        SKIP_NOTE.parent.mkdir(exist_ok=True)
        SKIP_NOTE.write_text("no Python 3.13 on PATH or in pyenv, and the newest Blender's module runs on no other\n")
        say(f"skipped .venv-next: {SKIP_NOTE.read_text().strip()}")
        return False
    SKIP_NOTE.unlink(missing_ok=True)
    return install(NEXT, ROOT / "requirements-next.txt", python)


def main(parts):
    """Sets up the environments named, or all of them."""
    parts = parts or ["base", "next"]
    done = False
    if "base" in parts:
        done |= install(BASE, ROOT / "requirements.txt", sys.executable)
        done |= write_command(BASE)
        if os.environ.get("MOTIONDIFF_TORCH") == "1":
            done |= install(BASE, ROOT / "requirements-torch.txt", sys.executable)
    if "next" in parts:
        done |= set_up_next()
    if done:
        say("done")


if __name__ == "__main__":
    main(sys.argv[1:])
