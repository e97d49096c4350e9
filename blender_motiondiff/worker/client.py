"""Blender's side of the worker: starts it, sends it requests, hears its answers, ends it.

Two threads a worker move bytes between its pipes and queues, so that nothing here ever waits for it; they touch no
Blender data.
"""

import atexit
import itertools
import os
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from ..core import request as requests
from . import wire

_BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
_ENDING = 2.0  # seconds that a worker has to end by itself before it is killed
_CANCELLING = 5.0  # seconds that a cancelled job has to stop before its worker is replaced


class WorkerError(RuntimeError):
    """The worker can't be started or is gone; the message names the cause and the remedy."""


@dataclass(frozen=True)
class Settings:
    """How a worker is started. Two workers with equal settings give the same answers."""

    python: str  # path of the interpreter
    arguments: tuple[str, ...]  # its own options
    sites: tuple[str, ...]  # folders with packages that it shall find
    weights: str  # folder
    threads: int
    log: str  # file for its standard error, '' for none
    boot: str = _BOOT  # the script that it runs
    stamp: tuple = ()  # sizes and dates of the weights' files: changed weights want a new worker


def stamp_of(folder):
    """Names, sizes and dates of the files in a folder; empty where there is none."""
    try:
        with os.scandir(folder) as entries:
            found = [(e.name, e.stat()) for e in entries if e.is_file()]
    except OSError:
        return ()
    return tuple(sorted((name, s.st_size, s.st_mtime_ns) for name, s in found))


class Worker:
    """One worker process. Started with the first request, warm until `stop`; a dead one is not revived."""

    _jobs = itertools.count(1)  # never given twice in a session, so no answer can pass for another job's

    def __init__(self, settings):
        self.settings = settings
        self._process = None
        self._outbox = queue.SimpleQueue()
        self._inbox = queue.SimpleQueue()
        self._threads = ()
        self._open = {}  # job -> when it was cancelled, None if it was not; all that were not answered yet

    @property
    def pid(self):
        """Process number, None before the first request."""
        return self._process.pid if self._process else None

    def usable(self):
        """Whether a request may be sent: not dead, and not stuck in a job that was cancelled long ago."""
        if self._process is None:
            return True
        stuck = any(at is not None and time.monotonic() - at > _CANCELLING for at in self._open.values())
        return self._process.poll() is None and not stuck

    def submit(self, request):
        """Sends a request (core's Request) and returns the number of its job. Raises WorkerError."""
        if self._process is None:
            self._start()
        job = next(self._jobs)
        self._open[job] = None
        self._outbox.put({"type": "generate", "job": job, "request": requests.to_json(request)})
        return job

    def cancel(self, job):
        """Asks the worker to drop a job. Its answer, if one comes, will not be returned by `poll` of another."""
        if self._open.get(job, 0) is None:
            self._open[job] = time.monotonic()
            self._outbox.put({"type": "cancel", "job": job})

    def poll(self, job):
        """The messages for `job` that came since the last call, as a list of `(header, arrays)`; never waits.

        Messages of other jobs are dropped. Raises WorkerError when the worker is gone or can't serve.
        """
        out = []
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                return out
            if message is None:
                if any(m[0]["type"] != "progress" for m in out):
                    self._inbox.put(None)  # the answer came before the end: hand that out first
                    return out
                raise WorkerError(self._obituary())
            header = message[0]
            if header["type"] == "unusable":
                raise WorkerError(described(header, self.settings.log))
            if header["type"] in ("takes", "failed", "cancelled"):
                self._open.pop(header["job"], None)
            if header.get("job", job) == job:
                out.append(message)

    def stop(self):
        """Ends the process and waits until it is gone."""
        if self._process is None:
            return
        self._outbox.put(None)  # closes its input, at which it ends
        try:
            self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(_ENDING)

    def kill(self):
        """Ends the process at once."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def _start(self):
        s = self.settings
        command = [s.python, *s.arguments, s.boot, s.weights, str(s.threads), *s.sites]
        threads = str(s.threads)
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": "1"}
        windows = sys.platform == "win32"
        # Without a console window there; elsewhere beyond the reach of a Ctrl C that is meant for Blender.
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW} if windows else {"start_new_session": True}
        log = _open_log(s.log)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment, **apart
            )
        except OSError as error:
            raise WorkerError(
                f"The worker's Python could not be started: {s.python} ({error.strerror}). Choose another under "
                "Preferences > Add-ons > MotionDiff, or leave that field empty to use Blender's own."
            ) from error
        finally:
            if log != subprocess.DEVNULL:
                log.close()
        self._threads = (
            threading.Thread(target=_send, args=(self._process.stdin, self._outbox), daemon=True),
            threading.Thread(target=_hear, args=(self._process.stdout, self._inbox), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def _obituary(self):
        try:
            code = self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:  # it closed its pipe but lives on: of no use either way
            self._process.kill()
            code = self._process.wait()
        last = _last_line(self.settings.log)
        place = f" Its log is {self.settings.log}." if self.settings.log else ""
        return (
            f"The worker that generates the motion ended unexpectedly (exit status {code}"
            f"{': ' + last if last else ''}). Press the button again to start a new one.{place}"
        )


def described(header, log):
    """The text for the user of an error that the worker sent."""
    if header["for_user"]:
        return header["message"]
    place = f" The details are in {log}." if log else ""
    return f"The worker could not generate the motion ({header['kind']}: {header['message']}).{place}"


def _open_log(path):
    """The log's file, emptied; where it can't be written (no folder, full disk) the worker runs without one."""
    try:
        return open(path, "wb") if path else subprocess.DEVNULL
    except OSError:
        return subprocess.DEVNULL


def _last_line(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return next((line.strip() for line in reversed(lines.readlines()) if line.strip()), "")
    except OSError:
        return ""


def _send(pipe, outbox):
    with suppress(OSError, ValueError), pipe:  # a closed pipe is noticed by the thread that hears
        while (header := outbox.get()) is not None:
            wire.write(pipe, header)


def _hear(pipe, inbox):
    with suppress(OSError, ValueError, wire.WireError), pipe:
        while (message := wire.read(pipe)) is not None:
            inbox.put(message)
    inbox.put(None)


# --- the one warm worker of this Blender ----------------------------------------------------------------------------

_warm = None


def warm(settings):
    """The worker with these settings: the one that runs already if it fits and is usable, else a new one."""
    global _warm
    if _warm is not None and (_warm.settings != settings or not _warm.usable()):
        stop_warm()
    if _warm is None:
        _warm = Worker(settings)
        atexit.register(stop_warm)
    return _warm


def stop_warm():
    """Ends the warm worker, if there is one, and waits until it is gone."""
    global _warm
    if _warm is not None:
        _warm.stop()
        _warm = None
        atexit.unregister(stop_warm)
