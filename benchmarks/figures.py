"""What a measurement is: several runs after a warm-up, their median and spread, and what was asked for."""

import time
from dataclasses import dataclass

import numpy as np

SETTLING = 0.02  # seconds
_clock = time.perf_counter


def use_processor_time():
    """From now on the process's processor time is measured: meaningful with one thread, whatever else runs."""
    global _clock
    _clock = time.process_time


def now():
    """Seconds of the clock that is measured with."""
    return _clock()


@dataclass(frozen=True)
class Figure:
    """One line of the table: `values` of several runs in `unit`; `limit`: at most this (`least`: at least)."""

    name: str
    values: tuple
    unit: str
    limit: float | None = None
    least: bool = False
    note: str = ""

    @property
    def median(self):
        """The median of the runs."""
        return float(np.median(self.values))

    @property
    def spread(self):
        """The runs' lower and upper quartile."""
        return tuple(float(v) for v in np.percentile(self.values, (25, 75)))

    @property
    def met(self):
        """Whether the limit is kept; None without one."""
        if self.limit is None:
            return None
        return self.median >= self.limit if self.least else self.median <= self.limit

    def as_dict(self):
        """The figure as it stands in the report."""
        low, high = self.spread
        return {
            "value": self.median, "quartiles": [low, high], "runs": len(self.values), "unit": self.unit,
            "limit": self.limit, "at_least": self.least, "met": self.met, "note": self.note,
        }  # fmt: skip


def seconds(task):
    """How long one call takes."""
    begun = now()
    task()
    return now() - begun


def settled_seconds(task):
    """How long a call takes once threads of what ran before sleep: OpenMP's go on spinning, and take its core.

    The wait is a busy one: after a sleep the processor itself is slow for a while.
    """
    until = time.perf_counter() + SETTLING
    while time.perf_counter() < until:
        pass
    return seconds(task)


def in_turn(tasks, runs, warm_up=1):
    """Seconds `[runs]` of each task of a dict. They take turns, so that what else the machine does hits all alike."""
    for _ in range(warm_up):
        for task in tasks.values():
            task()
    rows = [[settled_seconds(task) for task in tasks.values()] for _ in range(runs)]
    return dict(zip(tasks, np.array(rows).T, strict=True))


def milliseconds(values):
    """Seconds as a tuple of milliseconds."""
    return tuple(1e3 * np.asarray(values))
