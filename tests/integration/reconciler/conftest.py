"""A queue, jobs and a shop on the test's own database."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from services.reconciler.jobs import Tools
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.vocabulary import ProductId
from tests.integration.reconciler.missed import NOWHERE, SALES_ONLY, Scene, open_scene
from tests.integration.reconciler.stage import Stage, built
from tests.integration.stock_worker.shop import ACCOUNT


@pytest.fixture
def tools(database: Database, queue: EmbeddedBroker) -> Tools:
    """What jobs work with; nobody answers as Stripe."""
    return Tools(ACCOUNT, database, queue, StripeApi("sk_test_nobody", "http://127.0.0.1:9"), Event())


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator whose webhooks of sales are refused by whoever is at the address, once each."""
    secret = "whsec_" + "0123456789abcdef" * 2
    options: dict[str, Any] = {"webhook_url": NOWHERE, "webhook_events": SALES_ONLY, "retry_delays": ()}
    with Simulator.start(port=0, webhook_secret=secret, **options) as started:
        yield started


@pytest.fixture
def scene(simulator: Simulator, database: Database, queue: EmbeddedBroker) -> Scene:
    """A shop on a database that has been here for a month, at the module's own simulator."""
    return open_scene(simulator, database, queue)


@pytest.fixture
def shirt(scene: Scene) -> ProductId:
    """A shirt that is known: a thousand in size M."""
    product = scene.shop.product(sizes="M", stock_M="1000")
    scene.shop.sync(product)
    return product


@pytest.fixture
def stage(database: Database, queue: EmbeddedBroker) -> Iterator[Stage]:
    """A shop, its stock worker, and jobs."""
    with built(database, queue) as made:
        yield made
