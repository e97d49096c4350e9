"""One generation as a state machine: stepped by a timer or by a loop, it is the same job."""

import time
from enum import Enum

from . import answers
from .client import WorkerError, described

_SILENCE = 120.0  # seconds without a word from the worker after which it is given up


class State(Enum):
    """Where a job stands."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job:
    """A request on its way through a worker.

    `state`, `share` (0 to 1) and `stage` say how far it is; `message` why it failed. When it is done there are `takes`
    (core's Take), `worker_peak_mb`, and `seconds`: `worker`, all of its time on the job, and `load`, if it loaded the
    network for it.
    """

    def __init__(self, worker, request, silence=_SILENCE, clock=time.monotonic):
        self.state, self.share, self.stage, self.message = State.STARTING, 0.0, "Starting", ""
        self.takes, self.seconds, self.worker_peak_mb = [], {}, 0.0
        self._worker, self._silence, self._clock = worker, silence, clock
        self._heard = clock()
        self._number = None
        try:
            self._number = worker.submit(request)
        except WorkerError as error:
            self._fail(str(error))

    @property
    def active(self):
        """Whether the job is neither done, failed nor cancelled."""
        return self.state in (State.STARTING, State.RUNNING)

    def step(self):
        """Takes in what the worker said since the last step and returns the state. Never waits."""
        if not self.active:
            return self.state
        try:
            messages = self._worker.poll(self._number)
        except WorkerError as error:
            self._fail(str(error))
            self._worker.kill()
            return self.state
        if messages:
            self._heard = self._clock()
        for header, arrays in messages:
            self._take_in(header, arrays)
        if self.active and self._clock() - self._heard > self._silence:
            self._fail(
                f"The worker has said nothing for {self._silence:.0f} s and was ended. Press the button again; "
                "fewer takes or a shorter clip ask less of it."
            )
            self._worker.kill()
        return self.state

    def cancel(self):
        """Gives the job up; nothing that still comes of it is taken in."""
        if self.active:
            self._worker.cancel(self._number)
            self.state = State.CANCELLED

    def wait(self, pause=0.02):
        """Steps until the job is over and returns the state."""
        while self.active:
            if self.step() in (State.STARTING, State.RUNNING):
                time.sleep(pause)
        return self.state

    def _take_in(self, header, arrays):
        kind = header["type"]
        if kind == "ready":
            self.seconds["load"] = header["seconds"]
        elif kind == "progress":
            self.state, self.share, self.stage = State.RUNNING, header["share"], header["stage"]
        elif kind == "takes":
            self.takes = answers.unpack(header["takes"], arrays)
            self.seconds["worker"] = header["seconds"]
            self.worker_peak_mb = header["worker_peak_mb"]
            self.state, self.share = State.DONE, 1.0
        elif kind == "failed":
            self._fail(described(header, self._worker.settings.log))
        elif kind == "cancelled":
            self.state = State.CANCELLED

    def _fail(self, message):
        self.state, self.message = State.FAILED, message


# --- the one job under way --------------------------------------------------------------------------------------------

_current = None


def begin(worker, request):
    """Starts a job and makes it the one that `running` tells of."""
    global _current
    _current = Job(worker, request)
    return _current


def running():
    """The job under way, or None: asked of the job itself, so that nothing can stay stuck in a file."""
    return _current if _current is not None and _current.active else None
