"""What the tests of the house share: the zip that was built, and scripts run in a Blender of their own."""

import subprocess
import sys

import pytest

from tools.build_zip import DIST, ROOT, zip_name
from tools.fetch_wheels import host_platform


@pytest.fixture(scope="session")
def built_zip():
    path = DIST / zip_name(host_platform())
    if not path.exists():
        pytest.fail(f"{path.name} is not in dist: build it with `make zip`")
    return path


@pytest.fixture(scope="session")
def run_python():
    """Runs a script of this folder with this interpreter; gives back what it printed."""

    def run(script, *arguments, limit=120):
        command = [sys.executable, ROOT / "tests" / "house" / script, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
        assert done.returncode == 0, f"{script} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
