"""Blender's own NumPy may be built without BLAS: the kinematic solve must not depend on it.

Building such a NumPy takes a quarter of an hour, so any NumPy is made one instead: a small library of plain loops
(no_blas.c, in the order of NumPy's own loops for builds without BLAS), loaded before NumPy's libraries, takes the place
of every real matrix product, matrix-vector product, dot product and linear solve that NumPy hands to BLAS and LAPACK.
It counts its calls, so that the test fails where it is not used. Timed in processor time on one thread, each in a
process of its own; what is compared is the ratio of the two.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
SLOWEST = 1.5  # times the stage with BLAS; measured 1.0 to 1.1

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None,
    reason="plain loops can be put before NumPy's BLAS on Linux with a C compiler only",
)


def timed(**environment):
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.timed_solve"], cwd=HERE.parents[1], capture_output=True, text=True,
        env={**os.environ, **one, **environment}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    library = tmp_path_factory.mktemp("blas") / "no_blas.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "no_blas.c"], check=True)
    runs = [(timed(), timed(LD_PRELOAD=str(library))) for _ in range(2)]
    return tuple(quickest(two) for two in zip(*runs, strict=True))


def quickest(runs):
    """The first of several runs, with the least seconds of each stage: other work on the machine only adds to them."""
    return runs[0] | {"seconds": {k: min(r["seconds"][k] for r in runs) for k in runs[0]["seconds"]}}


def test_the_plain_loops_are_what_runs_and_they_are_right(both):
    with_blas, without = both
    assert with_blas["calls"] is None and without["calls"] > 1000
    assert with_blas["sound"] < 1e-9 and without["sound"] < 1e-9


def test_the_same_motion_comes_out_without_blas(both):
    with_blas, without = (np.array(run["places"]) for run in both)
    assert with_blas.shape[-2:] == (22, 3) and np.abs(with_blas - without).max() < 1e-3


@pytest.mark.parametrize("stage", ["solve", "steering", "feet"])
def test_a_stage_is_about_as_quick_without_blas(both, stage):
    with_blas, without = (run["seconds"] for run in both)
    assert without[stage] < SLOWEST * with_blas[stage]


def test_a_whole_generation_is_about_as_quick_without_blas(both):
    with_blas, without = (run["seconds"] for run in both)
    assert without["whole"] < SLOWEST * with_blas["whole"]
