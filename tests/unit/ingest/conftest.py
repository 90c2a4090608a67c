"""A webhook door, and the broker behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ingest.support import Client, MemoryBroker, door


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture
def client(broker: MemoryBroker, tmp_path: Path) -> Iterator[Client]:
    with door(broker, tmp_path) as client:
        yield client
