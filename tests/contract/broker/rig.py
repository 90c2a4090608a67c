"""One broker under test: how to make it, restart its server, and look at what reaches a handler."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, Broker, Delivery, Handle, Outgoing, Subscription, Verdict
from shared.broker.rabbitmq import RabbitBroker
from shared.topology import Queue, Topology

WORK, OTHER = "work", "other"
LEASE = 2.0  # seconds, for the embedded queue
HEARTBEAT = 2  # seconds; RabbitMQ gives a silent connection up after two to three
_LOOK = threading.Event()  # never set: a wait with a deadline between two looks

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


def until(what: str, reached: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return once `reached`; fail after `seconds`."""
    deadline = clock.monotonic() + seconds
    while not reached():
        assert clock.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        _LOOK.wait(0.05)
