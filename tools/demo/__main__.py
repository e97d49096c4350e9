"""The main job from end to end, through the installed zip: python -m tools.demo [--leader FILE.bvh]

Writes demo.blend, demo.mp4, contact_sheet.png and report.json into build/demo. Ends with status 1 when a floor is
missed; the report is written all the same.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from blender_motiondiff.core.files.recording import FileError
from tools.build_zip import DIST, ROOT, zip_name
from tools.demo import floors, leaders, report, steps
from tools.fetch_wheels import host_platform

BUILD = ROOT / "build" / "demo"
LONGEST = 1800  # seconds that a part may take before it is given up


def prepare(arguments, began):
    """Clears what earlier runs left and writes down what the parts need to know."""
    shutil.rmtree(BUILD, ignore_errors=True)
    (BUILD / "work").mkdir(parents=True)
    data = os.environ.get("MOTIONDIFF_DATA") or None
    chosen = leaders.choose(BUILD / "data", data, arguments.leader)
    if not data:
        print("demo: MOTIONDIFF_DATA is not set: the leaders are examples/, and how far the partner is from a recorded "
              "one is not known", flush=True)  # fmt: skip
    options = {
        "began": began,
        "leaders": [leaders.to_plain(leader) for leader in chosen],
        "weights": str(Path(arguments.weights).resolve()) if arguments.weights else None,
    }
    steps.write(BUILD / "work" / "options.json", options)
    return options


class Part:
    """A part of the demo in a process of its own. Its progress lines are shown, all it prints goes to a log."""

    started = []

    def __init__(self, name, *command):
        self.name, self.log = name, BUILD / "work" / f"{name}.log"
        self.began = time.time()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace",
        )  # fmt: skip
        self.reader = threading.Thread(target=self._pass_on, daemon=True)
        self.reader.start()
        self.started.append(self)

    def _pass_on(self):
        with open(self.log, "w") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                if line.startswith("demo:"):
                    print(line, end="", flush=True)

    def is_over(self):
        """Whether it has ended, or had all the time that it may take."""
        return self.process.poll() is not None or time.time() - self.began > LONGEST

    def finish(self, seconds):
        """Waits for the part, notes how long it took; shows the end of its log when it failed."""
        try:
            code = self.process.wait(max(0.1, self.began + LONGEST - time.time()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join(5)
        seconds[self.name] = time.time() - self.began
        if code:
            print("".join(self.log.read_text().splitlines(keepends=True)[-25:]))
            print(f"demo: {self.name} failed with status {code}; its log is {self.log.relative_to(ROOT)}", flush=True)
        return code == 0


def step(name):
    """Starts a part that runs inside Blender."""
    return Part(name, "tools.demo.steps", name, BUILD)


def side_by_side(names, seconds, at_once=2):
    """Runs steps, some at a time; whether all went well. Rendering keeps one core busy, not two."""
    waiting, running, good = list(names), [], True
    while waiting or running:
        while waiting and len(running) < at_once:
            running.append(step(waiting.pop(0)))
        for part in [part for part in running if part.is_over()]:
            good &= part.finish(seconds)
            running.remove(part)
        time.sleep(0.1)
    return good


def run(arguments):
    """All parts in order; what the clips' pictures and the controls need is done side by side."""
    began, seconds = time.time(), {}
    options = prepare(arguments, began)
    archive = DIST / zip_name(host_platform())
    print(f"demo: installing {archive.name} into a clean profile", flush=True)
    good = Part("install", "tools.install_zip", archive, BUILD / "profile").finish(seconds)
    good = good and step("make").finish(seconds)
    if good:
        good = side_by_side(("control", *steps.FRAMES), seconds)
        good &= step("publish").finish(seconds)
    seconds["whole"] = time.time() - began
    made = report.write(BUILD, options, seconds)
    print("\n".join(["demo: floors", *floors.as_lines(made["floors"])]))
    print(f"demo: {seconds['whole']:.0f} s; results in {BUILD.relative_to(ROOT)}")
    return good and all(row["met"] is not False for row in made["floors"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--leader", help="a BVH file of your own that the first partner shall react to")
    parser.add_argument("--weights", help="a folder of weights in the place of those in the zip")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as with Ctrl C, nothing stays behind
    try:
        met = run(parser.parse_args())
    except (FileError, OSError) as error:  # a full disk, a folder that can't be written
        sys.exit(f"demo: {error}")
    finally:
        for part in Part.started:
            part.process.kill()
    sys.exit(0 if met else 1)
