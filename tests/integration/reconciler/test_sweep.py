from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread

import pytest

from services.reconciler.sweep import Sweep
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, Delivery, Subscription, Verdict
from shared.database.pool import Database
from shared.messages import Message, SyncRequested, decode
from shared.store.products import Products
from shared.topology import PRODUCTS
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT


def _received(broker: EmbeddedBroker, count: int) -> list[Message]:
    """The next `count` messages of the queue of products."""
    found: list[Message] = []
    stop = Event()

    def take(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        found.extend(decode(delivery.body) for delivery in deliveries)
        if len(found) >= count:
            stop.set()
        return [Ack()] * len(deliveries)

    consumer = Thread(target=broker.consume, args=([Subscription(PRODUCTS, take)], stop))
    consumer.start()
    consumer.join(30)
    stop.set()
    consumer.join(10)
    return found


def _dirty(database: Database, product: str, state: str = "tracked") -> None:
    with database.transaction() as connection:
        Products(connection, ACCOUNT).create(ProductId(product), product)
        Products(connection, ACCOUNT).set_state(ProductId(product), state)
        connection.execute(
            "update product set dirty_since = now() - interval '1 minute' where id = %s", (product,)
        )


def test_a_dirty_product_whose_hint_was_lost_is_hinted_again(
    database: Database, queue: EmbeddedBroker
) -> None:
    """A product that has waited too long for its sync is found and put into the queue."""
    _dirty(database, "prod_lost")
    assert Sweep(database, queue, seconds=30).once() == 1
    assert _received(queue, 1) == [SyncRequested(account=ACCOUNT, product=ProductId("prod_lost"))]


@pytest.mark.parametrize("wish", ["take_over", "recover"])
def test_a_quarantined_product_that_a_person_decided_about_is_hinted(
    database: Database, queue: EmbeddedBroker, wish: str
) -> None:
    """A product in quarantine is hinted once somebody took it over or restored a backup."""
    name = f"prod_{wish}"
    _dirty(database, name, "quarantined")
    with database.transaction() as connection:
        connection.execute(
            "update product set take_over = %s, recover = %s where id = %s",
            (wish == "take_over", wish == "recover", name),
        )
    assert Sweep(database, queue, seconds=1).once() == 1
    assert _received(queue, 1) == [SyncRequested(account=ACCOUNT, product=ProductId(name))]


def test_what_is_fresh_or_not_to_be_written_is_left_alone(database: Database, queue: EmbeddedBroker) -> None:
    """A product that became dirty just now, and one that is quarantined or closed, gets no hint."""
    _dirty(database, "prod_fresh")
    _dirty(database, "prod_held", "quarantined")
    _dirty(database, "prod_shut", "closed")
    assert Sweep(database, queue, seconds=3600).once() == 0
    with database.transaction() as connection:
        connection.execute("update product set dirty_since = null where id = 'prod_fresh'")
    assert Sweep(database, queue, seconds=1).once() == 0
