"""Processes that finish takes beside this one; threads would wait for each other, as NumPy's calls hold Python's lock.

Standard library throughout (concurrent.futures). What is sent are this program's own objects, to its own processes.
"""

import multiprocessing
import os
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

# A helper that died, and systems that give no process or no semaphore to share: all is done here then.
UNAVAILABLE = (BrokenExecutor, OSError, ImportError, NotImplementedError)
MOST = 3  # helpers: each holds some 60 MB, and a batch has few parts


@dataclass(frozen=True)
class Crew:
    """This process and its `helpers`, which start with the first work they get."""

    executor: ProcessPoolExecutor
    helpers: int


def ends_with_parent():
    """Ends a helper, which runs this, as soon as the process that it helps is gone, however that ended."""
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(0)), daemon=True).start()


def hire(threads, begin=ends_with_parent):
    """A Crew for a processor of which `threads` cores may be used; None for a single one, or where there can be none.

    `begin()` is the first thing that a helper runs.
    """
    helpers = min(MOST, threads - 1)
    if helpers < 1:
        return None
    with suppress(*UNAVAILABLE):
        return Crew(ProcessPoolExecutor(helpers, multiprocessing.get_context("spawn"), begin), helpers)


def call_in(crew):
    """Has the helpers start, without waiting for them."""
    with suppress(*UNAVAILABLE):
        crew.executor.submit(os.getpid)


def shared_out(crew, function, parts, tell):
    """`function(*part)` of all `parts`, in order. Helpers have their share; what a dead one leaves is done here.

    `crew`: None does all of it here. `tell(done)` hears how many parts were done here, and may raise to stop.
    """
    given, done = {}, {}
    try:
        for i, part in enumerate(parts if crew is not None else ()):
            if i % (crew.helpers + 1):
                given[i] = _submitted(crew, function, part)
        for i, part in enumerate(parts):
            if given.get(i) is None:
                done[i] = function(*part)
                tell(len(done))
        return [done[i] if i in done else _result(given[i], function, part) for i, part in enumerate(parts)]
    finally:
        for future in filter(None, given.values()):
            future.cancel()


def _submitted(crew, function, part):
    try:
        return crew.executor.submit(function, *part)
    except UNAVAILABLE:
        return None


def _result(future, function, part):
    try:
        return future.result()
    except BrokenExecutor:
        return function(*part)
