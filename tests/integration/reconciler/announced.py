"""A feed of movements, who tells it, and another program that listens."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

from services.reconciler.announcer import FEED, Announcer
from shared.broker.port import Refused
from shared.database.pool import Connection, Database
from shared.store.movement_feed import Horizon, MovementFeed
from shared.store.movements import Movements
from shared.vocabulary import Movement, MovementKind, ProductId, Size
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.waiting import until

SECONDS = 60
"""Whatever is waited for happens within them."""


def bound(channel: BlockingChannel, exchange: str, pattern: str, **arguments: str | int) -> str:
    """A queue of another program that gets what fits the pattern."""
    name = f"q{uuid.uuid4().hex[:12]}"
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
    channel.queue_bind(name, exchange, pattern)
    return name


def received(channel: BlockingChannel, queue: str) -> list[dict[str, Any]]:
    """What lies in the queue, taken out."""
    found: list[dict[str, Any]] = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None or body is None:
            return found
        found.append({**json.loads(body), "routing_key": method.routing_key})


def first_told(announcer: Announcer, reader: Connection, horizon: Horizon) -> int:
    """How many the first look that told any told; what others do in any database of the server holds it up."""
    told: list[int] = []

    def look() -> bool:
        told.append(announcer.once(reader, horizon))
        return told[-1] > 0

    until("older transactions to end", look, SECONDS)
    return told[-1]


def sell(connection: Connection, product: ProductId, key: str) -> None:
    """One sale, in whatever transaction the connection is in."""
    movement = Movement(ACCOUNT, product, Size(""), -1, MovementKind.SALE, key)
    assert Movements(connection, ACCOUNT).append([movement]) == {key}


def sold(database: Database, product: ProductId, keys: Sequence[str]) -> None:
    """Committed sales, a transaction each."""
    with database.session() as connection:
        for key in keys:
            sell(connection, product, key)


@contextmanager
def announcing(announcer: Announcer) -> Generator[None]:
    """The loop, in the background."""
    stop = Event()
    thread = Thread(target=announcer.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def position(database: Database) -> int:
    """Up to which id the feed has told."""
    return database.run(lambda c: MovementFeed(c, ACCOUNT).position(FEED))


def newest(database: Database) -> int:
    """The greatest id in the ledger."""
    with database.transaction() as connection:
        row = connection.execute("select max(id) from movement").fetchone()
    return int(row[0]) if row else 0


def told(announcer: Announcer, reader: Connection, horizon: Horizon) -> bool:
    """Whether one movement was told; False where the broker takes none."""
    try:
        return announcer.once(reader, horizon) == 1
    except Refused:
        return False
