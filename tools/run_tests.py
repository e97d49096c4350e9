"""Runs pytest in this process and ends the process at once afterwards.

    python tools/run_tests.py [--counts FILE] PYTEST-ARGUMENTS...

Blender 4.5 as a module never returns from the interpreter's own ending once Rigify has generated a rig, so the process
is left with os._exit. With --counts the numbers of passed, failed and skipped tests are written to a JSON file.
"""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


class Counter:
    """A pytest plugin that counts outcomes, those of collection included, and writes them when the session ends."""

    def __init__(self, path):
        self.path = path
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}

    def pytest_runtest_logreport(self, report):
        """One phase of one test: a test passes by its call, fails or is skipped in any phase."""
        if report.outcome != "passed" or report.when == "call":
            self.counts[report.outcome] += 1

    def pytest_collectreport(self, report):
        """A file that could not be collected, or skipped itself."""
        if report.outcome != "passed":
            self.counts[report.outcome] += 1

    def pytest_sessionfinish(self):
        """The last hook that is sure to come: after it a test's own Blender may end the process."""
        if self.path:
            Path(self.path).write_text(json.dumps(self.counts))


def main(arguments):
    """Runs pytest; returns its exit status."""
    path = None
    if arguments[:1] == ["--counts"]:
        path, arguments = arguments[1], arguments[2:]
    return int(pytest.main(arguments, plugins=[Counter(path)]))


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
