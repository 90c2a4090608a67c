from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import psycopg
import pytest
import requests
import stripe
from psycopg import sql

from services.backoffice.operations.restored import Restoration, WorkersConnected
from services.stock_worker import handlers
from services.stock_worker.deps import Deps
from services.stock_worker.sql_books import SqlBooks
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.database.pool import Database
from shared.messages import SyncRequested
from shared.settings import child_environment
from shared.store import installations
from shared.store.writes import Superseded
from shared.stripe_api.client import StripeApi
from shared.topology import PIPELINE, PRODUCTS, SALES
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.postgres import named
from tests.support.processes import stopping
from tests.support.waiting import until

KEY = "sk_test_simulator"
DEADLINE = 60.0  # seconds


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A fresh simulator."""
    with Simulator.start(port=0) as started:
        yield started


@contextmanager
def opened(url: str, simulator: Simulator, life: str) -> Generator[Shop]:
    """A shop on the database at `url`, as installation `life` where it has no id yet."""
    database = Database(url, name="tests", size=10)
    try:
        with database.transaction() as connection:
            ours = installations.current(connection, life)
        api = StripeApi(KEY, simulator.url, read_timeout=2.0)
        deps = Deps(
            ACCOUNT, SqlBooks(database, ACCOUNT), api, ours.id, frozenset(ours.former), 5, Event(), pace=0
        )
        client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
        yield Shop(simulator.url, deps, database, client)
    finally:
        database.close()


BackUp = Callable[[], str]


@pytest.fixture
def back_up(postgres: str, database_url: str) -> Iterator[BackUp]:
    """Copies the test's database, which nobody may use meanwhile; the copy's address."""
    name = f"backup_{uuid.uuid4().hex[:12]}"

    def copy() -> str:
        model = sql.Identifier(database_url.rpartition("/")[2])
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), model))
        return named(postgres, name)

    yield copy
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


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
    write = shop.deps.stripe.write_metadata
    session = shop.sold(shop.line(product, "M"))
    edits = [number]

    def edited(wanted: ProductId, body: dict[str, str], key: str) -> object:
        if edits:
            shop.dashboard(wanted, stock_M=edits.pop())
        return write(wanted, body, key)

    with monkeypatch.context() as patch:
        patch.setattr(shop.deps.stripe, "write_metadata", edited)
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


def test_fault_19_after_a_restored_backup_every_number_is_right_again(
    database_url: str, back_up: BackUp, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sales, edits and a trampled edit that the backup does not know end in Stripe and in the ledger, each once."""
    with opened(database_url, simulator, "life1") as shop:
        products = [shop.product(sizes="M", stock_M="50") for _ in range(3)]
        shop.book(*(shop.sold(shop.line(product, "M")) for product in products))
    restored_url = back_up()
    with opened(database_url, simulator, "life1") as shop:
        new = live_on(shop, products, monkeypatch)
    with opened(restored_url, simulator, "life1") as shop:
        broker = EmbeddedBroker(restored_url, PIPELINE)
        done = restoration(shop, broker).run()
        assert (done.sessions, done.booked_before, done.products, done.hinted) == (4, 3, 3, True)
        with stock_worker(restored_url, simulator):
            until("the worker to come to rest", lambda: at_rest(shop, broker), DEADLINE)
        broker.close()
        intended = oracle(shop)
        for product in [*products, new]:
            assert shown(shop, product) == ledger(shop, product) == intended[product], product
        assert shop.alerts() == []


def test_a_second_run_changes_no_number(
    database_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation may be run again: another id, the same numbers."""
    with opened(database_url, simulator, "life1") as shop:
        products = [shop.product(sizes="M", stock_M="50") for _ in range(3)]
        shop.book(*(shop.sold(shop.line(product, "M")) for product in products))
        live_on(shop, products, monkeypatch)
        shop.changed(products[1])
        broker = EmbeddedBroker(database_url, PIPELINE)
        first = restoration(shop, broker).run()
        second = restoration(shop, broker).run(datetime.now(UTC) - timedelta(hours=1))
        broker.close()
        assert first.installation != second.installation
        with shop.database.transaction() as connection:
            ours = installations.current(connection, "unused")
        assert (ours.id, ours.former) == (second.installation, ["life1", first.installation])
        shop.deps = replace(shop.deps, installation=ours.id, former=frozenset(ours.former))
        before = [shown(shop, product) for product in products]
        for product in products:
            shop.sync(product)
        intended = oracle(shop)
        assert [shown(shop, p) for p in products] == before == [intended[p] for p in products]


def test_fault_19_nothing_is_done_while_a_stock_worker_is_connected(
    database_url: str, simulator: Simulator
) -> None:
    """A running stock worker would go on writing under the old id: the operation refuses and changes nothing."""
    with opened(database_url, simulator, "life1") as shop:
        broker = EmbeddedBroker(database_url, PIPELINE)

        def connected() -> bool:
            with shop.database.transaction() as connection:
                return installations.others_connected(connection, "stocksync stock_worker") > 0

        with stock_worker(database_url, simulator):
            until("the worker to connect", connected, DEADLINE)
            with pytest.raises(WorkersConnected, match="wait five minutes"):
                restoration(shop, broker).run()
        with shop.database.transaction() as connection:
            assert installations.current(connection, "unused").id == "life1"
        until("its connections to end", lambda: not connected(), DEADLINE)
        assert restoration(shop, broker).run().products == 0
        broker.close()


def test_fault_19_a_worker_that_was_not_stopped_changes_nothing_and_ends(
    database_url: str, simulator: Simulator
) -> None:
    """A worker that held no connection when the id changed notices at its next look, writes nothing, and stops."""
    with opened(database_url, simulator, "life1") as shop:
        product = shop.product(sizes="M", stock_M="50")
        shop.sync(product)
        shop.sold(shop.line(product, "M"))
        broker = EmbeddedBroker(database_url, PIPELINE)
        restoration(shop, broker).run()
        broker.close()
        before = shown(shop, product)
        with pytest.raises(Superseded):
            handlers.on_product(SyncRequested(account=ACCOUNT, product=product), shop.deps)
        assert shop.deps.stop.is_set()
        assert shown(shop, product) == before
        with shop.database.transaction() as connection:
            assert connection.execute("select recover from product").fetchall() == [(True,)]


@pytest.mark.parametrize("told", [True, False])
def test_a_backup_that_is_restored_twice_is_told_of_the_life_in_between(
    told: bool,
    database_url: str,
    back_up: BackUp,
    simulator: Simulator,
) -> None:
    """What was written between two restorations is read back where people name that life; else it is quarantined."""
    with opened(database_url, simulator, "life1") as shop:
        product = shop.product(sizes="M", stock_M="50")
        shop.book(shop.sold(shop.line(product, "M")))
    restored_url = back_up()
    with opened(database_url, simulator, "life1") as shop:
        between = _restored(shop, database_url, [])
        session = shop.sold(shop.line(product, "M", 2))
        shop.book(session)
        assert shop.metadata(product)["stock_rev"].startswith(f"1:{between}:")
    with opened(restored_url, simulator, "life1") as shop:
        _restored(shop, restored_url, [between] if told else [])
        shop.book(session)
        shop.sync(product)
        assert [kind for kind, _ in shop.alerts()] == ([] if told else ["quarantine"])
        if told:
            assert shown(shop, product) == ledger(shop, product) == oracle(shop)[product] == {"M": 47}


def _restored(shop: Shop, url: str, also: list[str]) -> str:
    """Say that the shop's database was restored, and work on as what it is then; its new id."""
    broker = EmbeddedBroker(url, PIPELINE)
    done = restoration(shop, broker).run(also=also)
    broker.close()
    with shop.database.transaction() as connection:
        ours = installations.current(connection, "unused")
    shop.deps = replace(shop.deps, installation=ours.id, former=frozenset(ours.former))
    return done.installation
