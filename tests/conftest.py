"""Helpers for all tests."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)


def pytest_sessionfinish(session, exitstatus):
    session.config.stash_exit = int(exitstatus)


def pytest_unconfigure(config):
    # A process that has generated a Rigify rig never leaves by itself in bpy 4.5, so it is left here.
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(getattr(config, "stash_exit", 1))
