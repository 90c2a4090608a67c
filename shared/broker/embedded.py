"""The broker port on PostgreSQL, by PGMQ's plain SQL: nothing to install beside the database."""

from __future__ import annotations

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from shared.broker import embedded_parking as parking
from shared.broker import embedded_store as store
from shared.broker.embedded_consumer import Consumer
from shared.broker.embedded_publisher import LoopPublisher, Publisher
from shared.broker.port import BrokerDown, Depth, Outgoing, Parked, Subscription
from shared.database.pool import Connection, Database
from shared.outcomes import Outage
from shared.topology import Topology

T = TypeVar("T")

LEASE: Final = 20.0
"""Seconds a message stays hidden after the last sign of life of the consumer that has it."""
SPARE: Final = 4  # connections beside the workers': publisher, listener, renewer, a look from outside


_NOT_THERE: Final = "the queue does not exist in this database"


class EmbeddedBroker:
    """A `Broker` in the database at `dsn`. Nothing is connected before it is used."""

    def __init__(self, dsn: str, topology: Topology, *, lease: float = LEASE) -> None:
        self._dsn = dsn
        self._names = store.Names(topology)
        self._lease = lease
        self._database = Database(dsn, name="stocksync queue", size=SPARE)
        self._publisher = Publisher(self._database, self._names)

    def declare(self) -> None:
        """Make the queues; harmless to repeat. Raises BrokerDown."""
        self._ask(lambda connection: store.declare(connection, self._names))

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish durably; return once all are committed, or raise PublishError within `timeout` seconds."""
        self._publisher.send(messages, timeout)

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> LoopPublisher:
        """A publisher for the callers on `loop`, with a thread of its own; to be closed before this broker."""
        return LoopPublisher((self._database, self._names), self.ping, loop, within)

    def consume(self, subscriptions: Sequence[Subscription], stop: threading.Event) -> None:
        """Serve the subscriptions until `stop` is set; finishes what is in hand."""
        workers = sum(subscription.workers for subscription in subscriptions)
        database = Database(self._dsn, name="stocksync queue consumer", size=workers + SPARE)
        try:
            Consumer(database, self._names, subscriptions, self._lease).run(stop)
        finally:
            database.close()

    def depth(self, queue: str) -> Depth:
        """How much lies where; raises BrokerDown."""
        return self._ask(lambda connection: store.depth(connection, self._names, queue))

    def dead_letters(self, queue: str, limit: int = 50) -> list[Parked]:
        """The oldest parked messages, left where they are; raises BrokerDown."""
        return self._ask(lambda connection: parking.parked(connection, self._names, queue, limit))

    def replay(self, queue: str, *, limit: int = 1000, only: Collection[str] | None = None) -> int:
        """Move parked messages back, attempts reset; how many. Raises BrokerDown."""
        return self._ask(lambda c: parking.replay(c, self._names, queue, limit=limit, only=only))

    def drop(self, queue: str, only: Collection[str]) -> int:
        """Throw these parked messages away; how many. Raises BrokerDown."""
        return self._ask(lambda connection: parking.drop(connection, self._names, queue, only))

    def ping(self) -> None:
        """Return if a publish could be committed now; raises BrokerDown."""
        if self._ask(self._missing):
            raise BrokerDown(_NOT_THERE)

    def close(self) -> None:
        """Let go of all connections."""
        self._publisher.close()
        self._database.close()

    def _missing(self, connection: Connection) -> int:
        store.notify(connection, self._names.channel(self._names.topology.queues[0].name))
        return store.missing(connection, self._names)

    def _ask(self, work: Callable[[Connection], T]) -> T:
        try:
            return self._database.run(work)
        except Outage as outage:
            raise BrokerDown(str(outage)) from None
        except store.NOT_DECLARED:
            raise BrokerDown(_NOT_THERE) from None
