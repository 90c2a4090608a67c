from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from services.backoffice.operations.restored import WorkersConnected
from services.stock_worker import handlers
from services.stripe_simulator.simulator import Simulator
from shared.broker.embedded import EmbeddedBroker
from shared.messages import SyncRequested
from shared.store import installations
from shared.store.writes import Superseded
from shared.topology import PIPELINE
from tests.integration.backoffice.lives import (
    at_rest,
    ledger,
    live_on,
    opened,
    oracle,
    restoration,
    shown,
    stock_worker,
)
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.support.postgres import named
from tests.support.waiting import until

DEADLINE = 60.0  # seconds


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A fresh simulator."""
    with Simulator.start(port=0) as started:
        yield started


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
