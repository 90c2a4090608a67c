"""A simulator whose every answer is held against Stripe's specification."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.stripe_simulator.simulator import Simulator
from tests.contract.stripe_openapi.checked import Checked
from tests.support.openapi import StripeSchemas, stripe_schemas


@pytest.fixture(scope="session")
def schemas() -> StripeSchemas:
    """Stripe's specification, read once."""
    return stripe_schemas()


@pytest.fixture
def stripe(schemas: StripeSchemas) -> Iterator[Checked]:
    """A client of a simulator of its own."""
    with Simulator.start(port=0) as simulator, Checked(simulator.url, schemas) as client:
        yield client
