"""A shop with a history for each module of tests, and the `stocksync` command on its database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from threading import Event

import pytest
import stripe

from services.backoffice.operations.reports.stock import Ledger
from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.command import Command, stocksync
from tests.support.postgres import fresh_database

KEY = "sk_test_shop"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a module's shop keeps its books."""

    shop: Shop
    dsn: str

    @property
    def ledger(self) -> Ledger:
        """The ledger as the back office reads it; low from 5 units on."""
        return Ledger(self.shop.database, ACCOUNT, 5)


@pytest.fixture(scope="module")
def place(postgres: str) -> Iterator[Place]:
    """A simulator and a database that the module shares."""
    with fresh_database(postgres) as dsn, Simulator.start(port=0) as simulator:
        database = Database(dsn, name="tests", size=20)
        api = StripeApi(KEY, simulator.url)
        deps = Deps(ACCOUNT, SqlBooks(database, ACCOUNT), api, "testing", frozenset(), 5, Event(), pace=0)
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        yield Place(Shop(simulator.url, deps, database, client), dsn)
        database.close()


@pytest.fixture(scope="module")
def shop(place: Place) -> Shop:
    """The module's shop."""
    return place.shop


@pytest.fixture(scope="module")
def command(place: Place) -> Command:
    """Runs `stocksync` on the shop."""
    return partial(stocksync, DATABASE_URL=place.dsn, STRIPE_API_BASE=place.shop.url, COLUMNS="160")


@pytest.fixture(scope="module")
def unstocked(postgres: str) -> Iterator[Ledger]:
    """The ledger of a shop that has just begun."""
    with fresh_database(postgres) as dsn:
        database = Database(dsn, name="tests", size=2)
        yield Ledger(database, ACCOUNT, 5)
        database.close()
