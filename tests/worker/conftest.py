"""Workers with a generator made for tests, in real child processes."""

import json
import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from blender_motiondiff.core.request import Character, Path, Request
from blender_motiondiff.core.skeleton import average_body
from blender_motiondiff.worker import client

CHILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")


def settings_for(manner, log):
    """Settings of a worker that behaves as `manner`, a dict, says."""
    return client.Settings(
        python=sys.executable,
        arguments=("-I",),
        sites=(),
        weights=json.dumps(manner),
        threads=1,
        log=str(log),
        boot=CHILD,
    )


def a_request(seed=0, takes=1, duration=1.0):
    """A request of one character along a straight path."""
    path = Path(np.array([0.0, duration]), np.array([[0.0, 0.0], [0.0, -1.0]]))
    return Request((Character("A", average_body(), path=path),), duration, seed=seed, takes=takes)


@pytest.fixture
def start(tmp_path):
    """A function manner -> Worker; all are ended after the test."""
    workers = []

    def make(log=None, **manner):
        workers.append(client.Worker(settings_for(manner, tmp_path / "worker.log" if log is None else log)))
        return workers[-1]

    yield make
    for worker in workers:
        worker.kill()


def with_python(worker_settings, python):
    """The same settings with another interpreter."""
    return replace(worker_settings, python=python)
