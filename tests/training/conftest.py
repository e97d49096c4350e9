"""Training's tests need torch; those on recorded clips need the data folder as well."""

import os

import pytest


@pytest.fixture(scope="session")
def data():
    folder = os.environ.get("MOTIONDIFF_DATA")
    if not folder:
        pytest.skip("MOTIONDIFF_DATA names no folder of recorded clips")
    return folder
