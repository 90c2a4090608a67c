"""Schedules are silent, and the tests after them are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from tests.simulation.campaign import quiet


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Log nothing while a schedule is played."""
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)
