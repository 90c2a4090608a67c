"""One broker under test: how to make it, restart its server, and look at what reaches a handler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import (
    Ack,
    AsyncPublisher,
    Broker,
    Delivery,
    Handle,
    Outgoing,
    PublishError,
    Subscription,
    Verdict,
)
from shared.broker.rabbitmq import RabbitBroker
from shared.topology import Queue, Topology

WORK, OTHER = "work", "other"
LEASE = 2.0  # seconds, for the embedded queue
HEARTBEAT = 2  # seconds; RabbitMQ gives a silent connection up after two to three

Kind = Literal["rabbitmq", "embedded"]


def topology(prefix: str) -> Topology:
    """Two queues, a ladder of one and two seconds, few attempts and deliveries."""
    queues = (Queue(WORK, ("work.wanted",)), Queue(OTHER, ("other.wanted",)))
    return Topology(queues, prefix=prefix, ladder=(1, 2), max_attempts=3, delivery_limit=3)


def connect(kind: Kind, address: str, prefix: str) -> Broker:
    """A broker of `kind` on the topology of `prefix`."""
    if kind == "rabbitmq":
        return RabbitBroker(f"{address}?heartbeat={HEARTBEAT}", topology(prefix))
    return EmbeddedBroker(address, topology(prefix), lease=LEASE)


def message(name: str, route: str = "work.wanted", body: bytes = b"{}") -> Outgoing:
    """A message whose id is `name`."""
    return Outgoing(route, body, name, correlation_id=f"because-{name}")


@dataclass(slots=True)
class Seen:
    """A handler that remembers every delivery and answers as `answer` says."""

    answer: Callable[[Delivery], Verdict] = field(default=lambda _: Ack())
    deliveries: list[tuple[float, Delivery]] = field(default_factory=list[tuple[float, Delivery]])

    def handle(self, deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        """What the broker calls."""
        self.deliveries += [(clock.monotonic(), delivery) for delivery in deliveries]
        return [self.answer(delivery) for delivery in deliveries]

    def names(self) -> list[str]:
        """The ids of what came, in order."""
        return [delivery.message_id for _, delivery in self.deliveries]

    def times(self, name: str) -> list[float]:
        """When `name` came, in seconds of a clock that never runs backwards."""
        return [at for at, delivery in self.deliveries if delivery.message_id == name]


class OnLoop:
    """A broker whose publishing is done by callers on an event loop, for tests that speak to a `Broker`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._publishers: dict[float, AsyncPublisher] = {}

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """As the port says."""
        asyncio.run_coroutine_threadsafe(self._publish(messages, timeout), self._loop).result()

    def ping(self) -> None:
        """As the port says."""
        asyncio.run_coroutine_threadsafe(self._ping(), self._loop).result()

    def close(self) -> None:
        """Close the publishers and the broker."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._broker.close()

    def __getattr__(self, name: str) -> object:
        """Everything else is the broker's."""
        return getattr(self._broker, name)

    async def _publish(self, messages: tuple[Outgoing, ...], within: float) -> None:
        await self._publisher(within).publish(*messages)

    async def _ping(self) -> None:
        await self._publisher(5.0).ping()

    async def _close(self) -> None:
        for publisher in self._publishers.values():
            await publisher.close()

    def _publisher(self, within: float) -> AsyncPublisher:
        if within not in self._publishers:
            self._publishers[within] = self._broker.on_loop(self._loop, within=within)
        return self._publishers[within]


@dataclass(frozen=True, slots=True)
class Rig:
    """A declared broker and its server."""

    kind: Kind
    address: str
    prefix: str
    broker: Broker
    kill_server: Callable[[], None]
    """Kill -9 the server and return once it runs again."""

    def another(self) -> Broker:
        """A second process's view of the same broker."""
        return connect(self.kind, self.address, self.prefix)

    @contextmanager
    def consuming(
        self, handle: Handle, *, batch: int = 1, workers: int = 1, queue: str = WORK
    ) -> Generator[None]:
        """Consume in the background."""
        stop = threading.Event()
        subscriptions = [Subscription(queue, handle, batch=batch, workers=workers)]
        thread = threading.Thread(target=self.broker.consume, args=(subscriptions, stop))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=30)
            assert not thread.is_alive(), "the consumer did not stop"


def publishes(rig: Rig, name: str = "after") -> bool:
    """Whether the message `name` is confirmed now."""
    try:
        rig.broker.publish(message(name), timeout=5.0)
    except PublishError:
        return False
    return True
