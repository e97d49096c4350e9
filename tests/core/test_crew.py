"""Takes that are finished by several processes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np
import pytest

from benchmarks.requests import one
from blender_motiondiff.core.denoiser import onnx_backend
from blender_motiondiff.core.diffusion import crew as crews
from blender_motiondiff.core.diffusion.generate import TOGETHER, generate

ROOT = Path(__file__).resolve().parents[2]
MANY = 2 * TOGETHER + 1


@pytest.fixture(scope="module")
def denoiser():
    return onnx_backend.load(threads=1)


@pytest.fixture(scope="module")
def crew():
    made = crews.hire(threads=2)
    yield made
    made.executor.shutdown(cancel_futures=True)


def own_pid(number):
    return number, os.getpid()


def test_one_core_has_no_helpers_and_many_have_no_more_than_the_most():
    assert crews.hire(threads=1) is None
    for threads, helpers in ((2, 1), (4, 3), (64, crews.MOST)):
        made = crews.hire(threads)
        made.executor.shutdown()
        assert made.helpers == helpers


def test_where_no_process_can_be_had_all_is_done_here(monkeypatch):
    def refused(*args):
        raise PermissionError("no semaphores here")

    monkeypatch.setattr(crews, "ProcessPoolExecutor", refused)
    assert crews.hire(threads=4) is None


def test_work_is_shared_and_comes_back_in_order(crew):
    heard = []
    done = crews.shared_out(crew, own_pid, [(k,) for k in range(5)], heard.append)
    assert [number for number, _ in done] == list(range(5))
    assert [pid == os.getpid() for _, pid in done] == [True, False, True, False, True]
    assert heard == [1, 2, 3]


def test_takes_are_the_same_with_and_without_helpers(denoiser, crew):
    request = one(45, 1, MANY)
    alone, shared = generate(request, denoiser), generate(request, denoiser, crew=lambda: crew)
    assert len(alone) == len(shared) == MANY
    for mine, theirs in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(mine.motions[0].rotations, theirs.motions[0].rotations)
        np.testing.assert_array_equal(mine.motions[0].root, theirs.motions[0].root)
        np.testing.assert_array_equal(mine.contacts, theirs.contacts)
        assert {**mine.report, "seconds": 0} == {**theirs.report, "seconds": 0}


def test_few_takes_call_nobody(denoiser):
    def crew():
        raise AssertionError("nobody is needed")

    assert len(generate(one(45, 1, TOGETHER), denoiser, crew=crew)) == TOGETHER


def test_a_helper_that_dies_leaves_its_work_to_this_process(denoiser):
    crew = crews.hire(threads=2)
    ((_, pid),) = crews.shared_out(crew, own_pid, [(0,), (1,)], int)[1:]
    os.kill(pid, signal.SIGTERM)
    with pytest.raises(BrokenExecutor):
        crew.executor.submit(time.sleep, 5).result()
    crews.call_in(crew)
    assert len(generate(one(45, 1, MANY), denoiser, crew=lambda: crew)) == MANY


def test_who_stops_waits_for_nobody(crew):
    def stop(done):
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        crews.shared_out(crew, time.sleep, [(0.01,), (1.0,), (0.01,), (1.0,), (0.01,), (1.0,)], stop)
    assert time.monotonic() - begun < 0.9


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_helpers_end_with_the_process_that_they_help_however_it_ends():
    script = textwrap.dedent("""
        import os, time
        from blender_motiondiff.core.diffusion import crew
        from tests.core.test_crew import own_pid
        if __name__ == "__main__":
            made = crew.hire(2)
            print(crew.shared_out(made, own_pid, [(0,), (1,)], int)[1][1], flush=True)
            time.sleep(60)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    ) as process:
        helper = int(process.stdout.readline())
        process.kill()
    until = time.monotonic() + 10
    while _alive(helper):
        assert time.monotonic() < until, "the helper goes on without the process that it helps"
        time.sleep(0.05)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
