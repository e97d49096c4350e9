"""The worker as a real child process: jobs, cancelling, dying, ending."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.motion import Motion
from blender_motiondiff.worker import client, wire
from blender_motiondiff.worker.job import Job, State

from .conftest import CHILD, a_request, settings_for


def gone(pid, seconds=5.0):
    """Whether the process ends within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def step_until(job, state, seconds=20.0):
    end = time.monotonic() + seconds
    while job.step() != state:
        assert time.monotonic() < end, (job.state, job.message)
        assert job.active or job.state == state, (job.state, job.message)
        time.sleep(0.01)


def test_takes_come_back_with_their_numbers(start):
    job = Job(start(steps=4, step_seconds=0.02), a_request(seed=3, takes=2))
    assert job.state is State.STARTING
    assert job.wait() is State.DONE, job.message
    assert [t.report["number"] for t in job.takes] == [0, 1]
    np.testing.assert_array_equal(job.takes[1].motions[0].root, np.full((31, 3), 3.01))
    assert job.takes[0].motions[0].body.offsets.shape == (22, 3)
    assert job.share == 1.0
    assert job.seconds["worker"] >= 0.08 and job.seconds["load"] >= 0.0
    assert 10 < job.worker_peak_mb < 1000


def test_peak_memory_is_the_workers_own(start):
    ballast = np.ones(100_000_000)  # 800 MB held by this side
    job = Job(start(), a_request())
    assert job.wait() is State.DONE
    assert job.worker_peak_mb < 0.5 * ballast.nbytes / 1e6


def test_the_request_arrives_unchanged(start):
    request = a_request(seed=5, duration=1.3)
    leader = Job(start(), request)
    leader.wait()
    moved = replace(request.characters[0], path=None, motion=leader.takes[0].motions[0])
    duet = replace(request, characters=(moved, replace(request.characters[0], name="B", path=None)))
    job = Job(start(), duet)
    assert job.wait() is State.DONE, job.message
    np.testing.assert_array_equal(job.takes[0].motions[0].root, moved.motion.root)
    np.testing.assert_array_equal(job.takes[0].motions[0].body.offsets, moved.body.offsets)


def test_a_warm_worker_answers_again_from_the_same_process(start):
    worker = start(load_seconds=0.1)
    assert Job(worker, a_request(seed=1)).wait() is State.DONE
    pid = worker.pid
    second = Job(worker, a_request(seed=2))
    assert second.wait() is State.DONE
    assert worker.pid == pid
    assert second.takes[0].motions[0].root[0, 0] == 2.0


def test_what_libraries_print_does_not_reach_the_pipe(start, tmp_path):
    job = Job(start(prints=True), a_request())
    assert job.wait() is State.DONE, job.message
    assert "a library that prints" in (tmp_path / "worker.log").read_text()


def test_cancel_stops_the_job_and_not_the_worker(start):
    worker = start(steps=2000, step_seconds=0.02)
    job = Job(worker, a_request(seed=1))
    step_until(job, State.RUNNING)
    job.cancel()
    assert job.step() is State.CANCELLED
    time.sleep(0.3)
    assert worker.usable()
    assert not job.takes
    quick = Job(worker, a_request(seed=2))
    step_until(quick, State.RUNNING, 10.0)  # the first would have gone on for 40 s
    quick.cancel()


def test_a_late_answer_is_not_taken_for_the_next_one(start):
    worker = start(steps=1, step_seconds=0.4)  # cancelled within its only step: the answer comes all the same
    first = Job(worker, a_request(seed=1))
    step_until(first, State.RUNNING)
    first.cancel()
    second = Job(worker, a_request(seed=2))
    assert second.wait() is State.DONE, second.message
    assert second.takes[0].motions[0].root[0, 0] == 2.0
    assert first.state is State.CANCELLED and not first.takes


def test_two_jobs_each_get_their_own_answer(start):
    worker = start(steps=2, step_seconds=0.05)
    numbers = [worker.submit(a_request(seed=s)) for s in (1, 2)]
    answers = {}
    end = time.monotonic() + 10
    while len(answers) < 1 and time.monotonic() < end:
        for header, arrays in worker.poll(numbers[1]):
            assert header.get("job", numbers[1]) == numbers[1]
            if header["type"] == "takes":
                answers[numbers[1]] = arrays
        time.sleep(0.01)
    assert answers[numbers[1]][2][0, 0] == 2.0


def test_killed_midway_it_is_reported_and_a_new_one_works(start, tmp_path):
    worker = start(steps=200, step_seconds=0.02)
    job = Job(worker, a_request())
    step_until(job, State.RUNNING)
    os.kill(worker.pid, signal.SIGKILL)
    assert job.wait() is State.FAILED
    assert "ended unexpectedly" in job.message and "Press the button again" in job.message
    assert str(tmp_path / "worker.log") in job.message
    assert not worker.usable()
    assert Job(start(), a_request()).wait() is State.DONE


def test_dying_by_itself_is_reported_with_its_exit_status(start):
    job = Job(start(dies_at=1), a_request())
    assert job.wait() is State.FAILED
    assert "exit status 7" in job.message


def test_a_takes_message_just_before_death_still_counts(start):
    worker = start()
    job = Job(worker, a_request(seed=4))
    end = time.monotonic() + 10
    while worker._inbox.qsize() < 4 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(worker.pid, signal.SIGKILL)
    assert gone(worker.pid)
    time.sleep(0.1)
    assert job.wait() is State.DONE, job.message


def test_refusals_of_the_core_pass_through_word_for_word(start):
    job = Job(start(refuses=True), a_request())
    assert job.wait() is State.FAILED
    assert job.message == "The clip asks for the impossible. Ask for less."


def test_an_invalid_request_is_refused_by_the_worker(start):
    job = Job(start(), a_request(takes=99))
    assert job.wait() is State.FAILED
    assert job.message.startswith("takes: 99 takes were asked for")


def test_other_errors_name_themselves_and_the_log(start, tmp_path):
    worker = start(stumbles=True)
    job = Job(worker, a_request())
    assert job.wait() is State.FAILED
    assert "ZeroDivisionError: division by zero" in job.message and "worker.log" in job.message
    assert "Traceback" in (tmp_path / "worker.log").read_text()
    assert worker.usable()


def test_errors_at_loading_pass_through(start):
    worker = start(load_error="weights")
    job = Job(worker, a_request())
    assert job.wait() is State.FAILED
    assert "the file is too short" in job.message
    assert not worker.usable()


def test_silence_is_ended(start):
    worker = start(steps=2, step_seconds=30)
    job = Job(worker, a_request(), silence=0.8)
    assert job.wait() is State.FAILED
    assert "said nothing" in job.message
    assert gone(worker.pid)


def test_a_stopped_worker_never_blocks_this_side(start):
    worker = start(load_seconds=0.1)
    assert Job(worker, a_request()).wait() is State.DONE
    os.kill(worker.pid, signal.SIGSTOP)
    began = time.monotonic()
    long = a_request(duration=59.0)
    rotations = np.zeros((long.frames, 22, 4))
    motion = Motion(np.zeros((long.frames, 3)), rotations, long.characters[0].body)
    large = replace(long, characters=(replace(long.characters[0], motion=motion),))
    jobs = [Job(worker, large) for _ in range(3)]  # more than a pipe holds
    for job in jobs:
        job.step()
        job.cancel()
    assert time.monotonic() - began < 5.0
    worker.stop()
    assert gone(worker.pid, 0.5)


def test_a_worker_stuck_in_a_cancelled_job_is_replaced(start, monkeypatch):
    worker = start(steps=2, step_seconds=30)
    job = Job(worker, a_request())
    step_until(job, State.RUNNING)
    job.cancel()
    assert worker.usable()
    monkeypatch.setattr(client, "_CANCELLING", 0.1)
    time.sleep(0.2)
    assert not worker.usable()


def test_stop_ends_the_process_even_midway(start):
    worker = start(steps=200, step_seconds=0.05)
    job = Job(worker, a_request())
    step_until(job, State.RUNNING)
    worker.stop()
    assert worker._process.returncode == 0  # by itself, not killed
    assert not any(t.is_alive() for t in worker._threads)


def test_warm_keeps_one_worker_and_replaces_it_when_settings_change(tmp_path):
    settings = settings_for({}, tmp_path / "log")
    try:
        first = client.warm(settings)
        Job(first, a_request()).wait()
        assert client.warm(settings) is first
        other = client.warm(replace(settings, threads=2))
        assert other is not first and gone(first.pid, 0.1)
        Job(other, a_request()).wait()
        os.kill(other.pid, signal.SIGKILL)
        other._process.wait(5)
        assert client.warm(replace(settings, threads=2)) is not other
    finally:
        client.stop_warm()


def test_changed_weights_change_the_stamp(tmp_path):
    assert client.stamp_of(tmp_path / "nowhere") == ()
    (tmp_path / "w").write_bytes(b"1234")
    before = client.stamp_of(tmp_path)
    (tmp_path / "w").write_bytes(b"123")
    assert client.stamp_of(tmp_path) != before


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_the_child_ends_with_its_parent(tmp_path, how):
    script = textwrap.dedent(f"""
        import sys, time, os
        sys.path[:0] = {[os.path.dirname(os.path.dirname(os.path.dirname(CHILD)))]!r}
        from tests.worker.conftest import a_request, settings_for
        from blender_motiondiff.worker import client
        from blender_motiondiff.worker.job import Job, State
        worker = client.warm(settings_for({{"steps": 2000, "step_seconds": 0.02}}, {str(tmp_path / "log")!r}))
        job = Job(worker, a_request())
        while job.step() is not State.RUNNING: time.sleep(0.01)
        print(worker.pid, flush=True)
        if {how == "kill"}: time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    if how == "kill":
        parent.kill()
    parent.wait(20)
    parent.stdout.close()
    assert gone(pid)


def test_a_python_that_is_not_there_is_named(tmp_path):
    settings = replace(settings_for({}, tmp_path / "log"), python=str(tmp_path / "python3.9"))
    job = Job(client.Worker(settings), a_request())
    assert job.state is State.FAILED
    assert str(tmp_path / "python3.9") in job.message and "Preferences" in job.message


def test_a_python_that_is_no_python_is_reported(tmp_path):
    settings = replace(settings_for({}, tmp_path / "log"), python="/bin/true")
    job = Job(client.Worker(settings), a_request())
    assert job.wait() is State.FAILED
    assert "ended unexpectedly (exit status 0" in job.message


def test_rubbish_in_the_pipe_is_no_answer(tmp_path):
    echo = tmp_path / "echo.py"
    echo.write_text("print('hello, I am not a worker')")
    job = Job(client.Worker(replace(settings_for({}, tmp_path / "log"), boot=str(echo))), a_request())
    assert job.wait() is State.FAILED
    assert "ended unexpectedly" in job.message


def test_a_log_that_cant_be_written_stops_nothing(start, tmp_path):
    assert Job(start(log=tmp_path / "no" / "such" / "folder" / "log"), a_request()).wait() is State.DONE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_under_the_log_stops_nothing(start):
    assert Job(start(log="/dev/full", prints=True), a_request()).wait() is State.DONE


def test_a_closed_inbox_is_not_mistaken_for_silence(start):
    worker = start()
    assert Job(worker, a_request()).wait() is State.DONE
    worker.stop()
    with pytest.raises(client.WorkerError):
        worker.poll(-1)


def test_messages_are_plain(start):
    """Nothing that is unpickled can come through: the wire's module does not even know pickle."""
    assert not {"pickle", "marshal"} & set(vars(wire))
