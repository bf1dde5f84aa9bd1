"""What tests of cohorts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .forks import Runs


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    """Where runs of `freqig cohort` come from that start at once."""
    with Runs() as runs:
        yield runs
