"""The broker port on RabbitMQ 3.10 to 4.x: quorum queues, publisher confirms, a ladder of waiting queues."""

from __future__ import annotations

import os
import threading
from asyncio import AbstractEventLoop
from collections.abc import Collection, Sequence

from shared.broker import rabbitmq_parking as parking
from shared.broker.port import BrokerDown, Depth, Outgoing, Parked, PublishError, Subscription
from shared.broker.rabbitmq_consumer import Consumer
from shared.broker.rabbitmq_envelope import fresh
from shared.broker.rabbitmq_flight import PING, Returned
from shared.broker.rabbitmq_publisher import LoopPublisher, Publisher
from shared.broker.rabbitmq_renewal import Renewal
from shared.broker.rabbitmq_topology import Names, declare
from shared.topology import Topology

PING_TIMEOUT = 2.0  # seconds


class RabbitBroker:
    """A `Broker` at an AMQP URL. Nothing is connected before it is used, so it may be made before a fork."""

    def __init__(self, url: str, topology: Topology) -> None:
        self._url = url
        self._names = Names(topology)
        self._renewal = Renewal(self.declare)
        self._lock = threading.Lock()
        self._publisher: Publisher | None = None
        self._owner = 0

    def declare(self) -> None:
        """Build the topology; raises TopologyConflict where something different stands, or BrokerDown."""
        with parking.visit(self._url) as channel:
            declare(channel, self._names)

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish durably; return once all are confirmed, or raise PublishError within `timeout` seconds."""
        exchange = self._names.exchange
        self._publishing().send([fresh(exchange, message) for message in messages], timeout)

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> LoopPublisher:
        """A publisher for the callers on `loop`, with a connection of its own there."""
        return LoopPublisher((self._url, self._names.exchange), self._renewal, loop, within=within)

    def consume(self, subscriptions: Sequence[Subscription], stop: threading.Event) -> None:
        """Serve the subscriptions until `stop` is set; finishes what is in hand."""
        Consumer(self._url, self._names, self._publishing(), subscriptions).run(stop)

    def depth(self, queue: str) -> Depth:
        """How much lies where (`ready` without what consumers have in hand); raises BrokerDown."""
        with parking.visit(self._url) as channel:
            return parking.depth(channel, self._names, queue)

    def dead_letters(self, queue: str, limit: int = 50) -> list[Parked]:
        """The oldest parked messages, left where they are; raises BrokerDown."""
        with parking.visit(self._url) as channel:
            return parking.dead_letters(channel, self._names, queue, limit)

    def replay(self, queue: str, *, limit: int = 1000, only: Collection[str] | None = None) -> int:
        """Move parked messages back, attempts reset; how many. Raises BrokerDown or PublishError."""
        with parking.visit(self._url) as channel:
            return parking.replay(
                channel, self._publishing(), self._names, parking.Wanted(queue, limit, only)
            )

    def drop(self, queue: str, only: Collection[str]) -> int:
        """Throw these parked messages away; how many. Raises BrokerDown."""
        with parking.visit(self._url) as channel:
            return parking.drop(channel, self._names, queue, only)

    def ping(self) -> None:
        """Return if a publish could be confirmed now; raises BrokerDown."""
        try:
            self.publish(PING, timeout=PING_TIMEOUT)
        except Returned:
            return
        except PublishError as error:
            raise BrokerDown(str(error)) from None

    def close(self) -> None:
        """Let go of the publishing connection within seconds."""
        with self._lock:
            publisher, self._publisher = self._publisher, None
        if publisher is not None and self._owner == os.getpid():
            publisher.close()

    def _publishing(self) -> Publisher:
        if (publisher := self._publisher) is not None and self._owner == os.getpid():
            return publisher
        with self._lock:
            if self._publisher is None or self._owner != os.getpid():  # threads do not survive a fork
                self._publisher, self._owner = Publisher(self._url, self._renewal), os.getpid()
            return self._publisher
