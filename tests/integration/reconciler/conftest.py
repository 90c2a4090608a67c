"""A queue, jobs and a shop on the test's own database."""

from __future__ import annotations

from threading import Event

import pytest

from services.reconciler.jobs import Tools
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.vocabulary import ProductId, account_key
from tests.integration.reconciler.missed import Scene, open_scene

ACCOUNT = account_key(None, livemode=False)


@pytest.fixture
def tools(database: Database, queue: EmbeddedBroker) -> Tools:
    """What jobs work with; nobody answers as Stripe."""
    return Tools(ACCOUNT, database, queue, StripeApi("sk_test_nobody", "http://127.0.0.1:9"), Event())


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
