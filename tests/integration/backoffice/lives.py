"""The lives of a shop: before its database was restored from a backup, and after."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event

import pytest
import requests
import stripe

from services.backoffice.operations.restored import Restoration
from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.settings import child_environment
from shared.store import installations
from shared.stripe_api.client import StripeApi
from shared.topology import PRODUCTS, SALES
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop, edit_before_write
from tests.support.processes import stopping

KEY = "sk_test_simulator"


@contextmanager
def opened(url: str, simulator: Simulator, life: str) -> Generator[Shop]:
    """A shop on the database at `url`, as installation `life` where it has no id yet."""
    database = Database(url, name="tests", size=10)
    try:
        with database.transaction() as connection:
            ours = installations.current(connection, life)
        api = StripeApi(KEY, simulator.url)
        deps = Deps(
            ACCOUNT, SqlBooks(database, ACCOUNT), api, ours.id, frozenset(ours.former), 5, Event(), pace=0
        )
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        yield Shop(simulator.url, deps, database, client)
    finally:
        database.close()


@contextmanager
def stock_worker(url: str, simulator: Simulator) -> Generator[None]:
    """A stock worker of its own process."""
    started = subprocess.Popen(
        [sys.executable, "-m", "services.stock_worker"],
        env=child_environment(
            DATABASE_URL=url,
            AMQP_URL=None,
            STRIPE_API_KEY=None,
            STRIPE_API_BASE=simulator.url,
            LOG_LEVEL="WARNING",
        ),
    )
    with stopping(started):
        yield


def restoration(shop: Shop, broker: EmbeddedBroker) -> Restoration:
    """The operation on the shop's database."""
    api = StripeApi(KEY, shop.url)
    return Restoration(shop.database, broker, api, ACCOUNT)


def at_rest(shop: Shop, broker: EmbeddedBroker) -> bool:
    """Whether no message waits and no product is dirty."""
    with shop.database.transaction() as connection:
        row = connection.execute("select count(*) from product where dirty_since is not null").fetchone()
    waiting = [broker.depth(queue) for queue in (SALES, PRODUCTS)]
    return row == (0,) and all(not (depth.ready or depth.waiting or depth.dead) for depth in waiting)


def ledger(shop: Shop, product: ProductId) -> dict[str, int]:
    """The balances by size."""
    with shop.database.transaction() as connection:
        rows = connection.execute("select size, on_hand from variant where product_id = %s", (product,))
        return {str(size): int(units) for size, units in rows}


def shown(shop: Shop, product: ProductId) -> dict[str, int]:
    """What Stripe shows by size."""
    return {size: int(units) for size, units in shop.stock(product).items()}


def oracle(shop: Shop) -> dict[str, dict[str, int]]:
    """What people and sales meant the stock to be, by product and size."""
    answer = requests.get(f"{shop.url}/_oracle", timeout=30)
    answer.raise_for_status()
    return answer.json()["stock"]


def trample(shop: Shop, product: ProductId, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Sell one; a person types `number` between the look that follows and its write."""
    session = shop.sold(shop.line(product, "M"))
    with monkeypatch.context() as patch:
        edit_before_write(shop, product, patch, lambda: shop.dashboard(product, stock_M=number))
        shop.book(session)


def live_on(shop: Shop, products: list[ProductId], monkeypatch: pytest.MonkeyPatch) -> ProductId:
    """What the backup does not know: sales, edits, one of them trampled, and a product; the new product."""
    shirt, scarf, quiet = products
    shop.book(shop.sold(shop.line(shirt, "M", 2), shop.line(scarf, "M")))
    shop.changed(shirt)
    shop.dashboard(shirt, stock_M="30")
    shop.book(shop.sold(shop.line(shirt, "M", 3)))
    trample(shop, scarf, monkeypatch, "70")
    shop.dashboard(quiet, stock_M="44")
    new = shop.product(sizes="M", stock_M="20")
    shop.book(shop.sold(shop.line(new, "M", 6)))
    return new
