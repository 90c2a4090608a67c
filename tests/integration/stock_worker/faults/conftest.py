"""One database, one simulator and one recording for the whole campaign."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import psycopg
import pytest
import stripe
from psycopg import sql

from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared.database.pool import Database
from shared.stripe_api.client import StripeApi
from tests.integration.stock_worker.conftest import KEY
from tests.integration.stock_worker.faults.campaign import Campaign
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.postgres import TEMPLATE, named

NAME = "single_faults"


@pytest.fixture(scope="module")
def campaign(postgres: str) -> Iterator[Campaign]:
    """The scenarios, recorded; their products keep apart in one database."""
    ours, template = sql.Identifier(NAME), sql.Identifier(TEMPLATE)
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(sql.SQL("create database {} template {}").format(ours, template))
        yield from _on(named(postgres, NAME))
        server.execute(sql.SQL("drop database {} with (force)").format(ours))


def _on(dsn: str) -> Iterator[Campaign]:
    pool = Database(dsn, name="people")
    with Simulator.start(port=0) as simulator, psycopg.connect(dsn, autocommit=True) as admin:
        api = StripeApi(KEY, simulator.url)
        deps = Deps(ACCOUNT, SqlBooks(pool, ACCOUNT), api, "testing", frozenset(), 0, Event(), pace=0)
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        campaign = Campaign(Shop(simulator.url, deps, pool, client), dsn, admin)
        campaign.record()
        yield campaign
    pool.close()
