"""A queue and jobs on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from services.reconciler.jobs import Tools
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE
from shared.vocabulary import account_key

ACCOUNT = account_key(None, livemode=False)


@pytest.fixture
def queue(database_url: str) -> Iterator[EmbeddedBroker]:
    """The queue in the test's database."""
    made = EmbeddedBroker(database_url, PIPELINE)
    made.declare()
    yield made
    made.close()


@pytest.fixture
def tools(database: Database, queue: EmbeddedBroker) -> Tools:
    """What jobs work with; nobody answers as Stripe."""
    return Tools(ACCOUNT, database, queue, StripeApi("sk_test_nobody", "http://127.0.0.1:9"), Event())
