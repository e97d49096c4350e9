"""The worker: loads the network once, then answers requests that come through a pipe until the pipe closes."""

import functools
import io
import os
import queue
import sys
import threading
import time
import traceback
from contextlib import suppress

from ..core import request as requests
from ..core.denoiser.onnx_backend import BackendError
from ..core.denoiser.weights import WeightsError
from . import answers, wire
from .memory import peak_mb

_PROGRESS_PAUSE = 0.05  # seconds between two reports of progress within one stage


class Cancelled(Exception):
    """The job was cancelled; raised out of the generator's progress call."""


def main(weights, threads, begin_helper):
    """Serves with the ONNX back end and the weights of that folder. `begin_helper`: see core.diffusion.crew.hire."""
    source, sink = claim_pipes()
    serve(lambda: load_generator(weights, threads, begin_helper), source, sink)


def load_generator(weights, threads, begin_helper):
    """The generator `(request, progress) -> takes` with its network loaded; helpers come with the first many takes."""
    from ..core.denoiser import onnx_backend
    from ..core.diffusion.crew import hire
    from ..core.diffusion.generate import generate

    denoiser, crew = onnx_backend.load(weights, threads), functools.cache(lambda: hire(threads, begin_helper))
    return lambda request, progress: generate(request, denoiser, progress, crew)


def claim_pipes():
    """Takes standard input and output for messages alone; whatever libraries print goes to standard error."""
    if sys.platform == "win32":
        import msvcrt

        for fd in (0, 1):
            msvcrt.setmode(fd, os.O_BINARY)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr = _Log()
    return source, sink


class _Log(io.TextIOBase):
    """Standard error as a place to print to that never fails: a full disk under the log must not end a generation."""

    def write(self, text):
        with suppress(OSError):
            os.write(2, text.encode(errors="replace"))
        return len(text)


def serve(load, source, sink):
    """Loads the generator, then answers one request after another. Ends with the process."""
    try:
        _serve(load, source, sink)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)  # not by the usual way out, which would wait for the thread that listens


def _serve(load, source, sink):
    inbox, cancelled = queue.Queue(), set()
    threading.Thread(target=_listen, args=(source, inbox, cancelled), daemon=True).start()
    started = time.perf_counter()
    try:
        generate = load()
    except Exception as error:
        wire.write(sink, {"type": "unusable", **_described(error)})
        return
    wire.write(sink, {"type": "ready", "seconds": time.perf_counter() - started})
    while True:
        header = inbox.get()
        reply, arrays = _answer(header, generate, cancelled, sink)
        wire.write(sink, {**reply, "job": header["job"], "worker_peak_mb": peak_mb()}, arrays)


def _listen(source, inbox, cancelled):
    """Passes requests on and notes what is cancelled. When the pipe closes, Blender is gone, and so is this process."""
    try:
        while (message := wire.read(source)) is not None:
            header, _ = message
            if header["type"] == "cancel":
                cancelled.add(header["job"])
            else:
                inbox.put(header)
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def _answer(header, generate, cancelled, sink):
    """One request -> `(reply, arrays)`: its takes, or why there are none."""
    progress, began = _Progress(header["job"], cancelled, sink), time.perf_counter()
    try:
        progress(0.0, "Reading")
        request = requests.validate(requests.from_json(header["request"]))
        plain, arrays = answers.pack(generate(request, progress))
        return {"type": "takes", "takes": plain, "seconds": time.perf_counter() - began}, arrays
    except Cancelled:
        return {"type": "cancelled"}, ()
    except Exception as error:
        return {"type": "failed", **_described(error)}, ()


class _Progress:
    """The generator's progress call: passes it on, not too often, and raises Cancelled when asked to."""

    def __init__(self, job, cancelled, sink):
        self.job, self.cancelled, self.sink = job, cancelled, sink
        self.stage, self.sent = None, 0.0

    def __call__(self, share, stage):
        if self.job in self.cancelled:
            raise Cancelled
        now = time.perf_counter()
        if stage != self.stage or now - self.sent > _PROGRESS_PAUSE:
            self.stage, self.sent = stage, now
            wire.write(self.sink, {"type": "progress", "job": self.job, "share": float(share), "stage": stage})


def _described(error):
    """An error as it is sent: its kind, its text, and whether the text is meant for the user."""
    traceback.print_exc()
    known = isinstance(error, (requests.RequestError, WeightsError, BackendError))
    return {"kind": type(error).__name__, "message": str(error), "for_user": known}
