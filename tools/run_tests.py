"""Runs pytest in this process and ends the process at once afterwards.

    python tools/run_tests.py [--counts FILE] PYTEST-ARGUMENTS...

Blender 4.5 as a module never returns from the interpreter's own ending once Rigify has generated a rig, so the process
is left with os._exit. With --counts a JSON file is kept of the numbers of passed, failed and skipped tests, of what
failed, and of the test that runs, so that it tells where a process that died or hung was.
"""

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


class Counter:
    """A pytest plugin that counts outcomes, those of collection included, and keeps them in a file as it goes."""

    def __init__(self, path):
        self.path = path
        self.counts = {"passed": 0, "failed": 0, "skipped": 0, "failures": [], "running": None}

    def pytest_runtest_logstart(self, nodeid):
        """A test begins."""
        self.counts["running"] = nodeid
        self.write()

    def pytest_runtest_logreport(self, report):
        """One phase of one test: a test passes by its call, fails or is skipped in any phase."""
        if report.outcome != "passed" or report.when == "call":
            self.add(report)

    def pytest_collectreport(self, report):
        """A file that could not be collected, or skipped itself."""
        if report.outcome != "passed":
            self.add(report)

    def pytest_sessionfinish(self):
        """The last hook that is sure to come: after it a test's own Blender may end the process."""
        self.counts["running"] = None
        self.write()

    def add(self, report):
        """Counts one report."""
        self.counts[report.outcome] += 1
        if report.outcome == "failed":
            self.counts["failures"].append(report.nodeid)

    def write(self):
        """Brings the file up to date."""
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
