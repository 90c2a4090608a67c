"""What every test of the notifier may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.notifier.post_office import PostOffice, opened


@pytest.fixture
def office() -> Iterator[PostOffice]:
    """A post office that takes every mail."""
    with opened() as office:
        yield office
