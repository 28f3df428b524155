"""Hypothesis draws the same examples in every run, and a busy machine is no failure."""

import contextlib

import pytest
from hypothesis import settings

from tests import mounts

settings.register_profile("actapprox", derandomize=True, deadline=None, database=None)
settings.load_profile("actapprox")


@pytest.fixture
def mounted(tmp_path):
    """Called with options of mount, gives an empty folder on a file system in memory, for the time of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda options: stack.enter_context(mounts.mounted(tmp_path / "mounted", options))
