"""A shop of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
import stripe

from services.stock_worker.deps import Deps
from services.stock_worker.refunds import Desk
from services.stock_worker.returns import Policy
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, PATIENCE, Shop

KEY = "sk_test_shop"


@pytest.fixture
def shop(database: Database) -> Iterator[Shop]:
    """A shop on a fresh simulator and a fresh database."""
    with Simulator.start(port=0) as simulator:
        api = StripeApi(KEY, simulator.url, read_timeout=PATIENCE)
        deps = Deps(ACCOUNT, SqlBooks(database, ACCOUNT), api, "testing", frozenset(), 5, Event(), pace=0)
        yield Shop(
            simulator.url, deps, database, stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        )


@pytest.fixture
def mug(shop: Shop) -> ProductId:
    """A mug that was sold once, so that our marker stands in Stripe: 9 left."""
    product = shop.product(stock="10")
    shop.book(shop.sold(shop.line(product, "", 1)))
    assert shop.stock(product) == {"": "9"}
    return product


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes, one of each."""
    product = shop.product(sizes="S,M", stock_S="1", stock_M="1")
    shop.sync(product)
    return product


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """What refunds are handled with."""
    return Desk(ACCOUNT, shop.database, StripeApi("sk_test_shop", shop.url), Policy.PROPOSE)
