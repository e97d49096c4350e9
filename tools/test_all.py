"""Every check of the project, each in a process of its own; the last line printed sums them up.

    python -m tools.test_all [STAGE...]      stages: lint plain blender next; default: all

Blender as a module keeps its state for as long as the process lives, so the tests that need no Blender, those in
Blender 4.5 and those in the newest Blender run in three processes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / ".venv" / "bin"
NEXT = ROOT / ".venv-next" / "bin"
SKIP_NOTE = ROOT / "build" / "next-skipped.txt"
IN_BLENDER = ("house", "scene", "ui")
LIMIT_S = 1500
NONE = {"passed": 0, "failed": 0, "skipped": 0, "failures": []}


def run(command, limit=LIMIT_S):
    """The exit status of a command, its output passed on; 'time limit' when it ran out."""
    try:
        return subprocess.run(command, cwd=ROOT, timeout=limit).returncode
    except subprocess.TimeoutExpired:
        return "time limit"


def added(counts):
    """One set of counts for several."""
    return {key: sum((c[key] for c in counts), start=NONE[key]) for key in NONE}


def lint():
    """Ruff and the import contracts, counted as one check each."""
    commands = [BASE / "ruff", "check", "."], [BASE / "lint-imports"]
    failures = [command[0].name for command in commands if run(command) != 0]
    return NONE | {"passed": len(commands) - len(failures), "failed": len(failures), "failures": failures}


def pytest_process(python, folders):
    """Counts of one pytest process. One that dies, hangs or finds no test is a failure of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "counts.json")
        status = run([python, "tools/run_tests.py", "--counts", path, *folders])
        counts = json.loads(path.read_text()) if path.exists() else NONE | {"running": None}
    running = counts.pop("running")
    if running or (counts["failed"] == 0 and (status != 0 or counts["passed"] == 0)):
        ended = f"{', '.join(folders)}: the process ended early (status {status}) in {running or 'no test'}"
        counts = added([counts, NONE | {"failed": 1, "failures": [ended]}])
    return counts


def folders_of(in_blender):
    """The folders under tests that hold tests, of the one kind or the other."""
    found = sorted({path.parent.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")})
    return [f"tests/{name}" for name in found if (name in IN_BLENDER) == in_blender]


def in_next_blender():
    """The tests in the newest Blender, or one skip with its reason."""
    if SKIP_NOTE.exists() or not (NEXT / "python").exists():
        reason = SKIP_NOTE.read_text().strip() if SKIP_NOTE.exists() else "run `make env` first"
        print(f"SKIPPED [1] tests in the newest Blender: {reason}")
        return NONE | {"skipped": 1}
    return pytest_process(NEXT / "python", folders_of(True))


def without_blender():
    """The tests that need no Blender, folder by folder: one that dies hides nothing of the others."""
    return added([pytest_process(BASE / "python", [folder]) for folder in folders_of(False)])


STAGES = {
    "lint": lint,
    "plain": without_blender,
    "blender": lambda: pytest_process(BASE / "python", folders_of(True)),
    "next": in_next_blender,
}


def main(names):
    """Runs the stages and prints the closing line; returns the exit status."""
    total = NONE
    for name in names or STAGES:
        print(f"== {name}", flush=True)
        start = time.monotonic()
        counts = STAGES[name]()
        total = added([total, counts])
        print(f"== {name}: {counts['failed']} failed after {time.monotonic() - start:.0f} s", flush=True)
    for failure in total["failures"]:
        print(f"failed: {failure}")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped", flush=True)
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    sys.exit(main(sys.argv[1:]))
