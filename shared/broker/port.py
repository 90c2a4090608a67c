"""What the pipeline asks of a message queue; adapters are `rabbitmq` and `embedded`."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Protocol

from shared.outcomes import Outage


class PublishError(Outage):
    """A message was not confirmed: it may or may not be in the queue. Publish again; doubles are harmless."""


class Unroutable(PublishError):
    """No queue is bound to the routing key."""


class Refused(PublishError):
    """The broker said no: the queue is full or the broker is in alarm."""


class Unconfirmed(PublishError):
    """No confirm came within the deadline, or the connection was lost."""


class BrokerDown(Outage):
    """The broker can't be reached."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish; `route` is its routing key."""

    route: str
    body: bytes
    message_id: str
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message in a handler's hands; `attempt` counts from 1 and only grows by RetryIn."""

    queue: str
    body: bytes
    message_id: str
    correlation_id: str
    attempt: int
    first_seen: datetime


@dataclass(frozen=True, slots=True)
class Ack:
    """Handled: forget the message."""


@dataclass(frozen=True, slots=True)
class RetryIn:
    """Deliver again after about `seconds` (rounded up to a rung of the ladder where the broker needs it)."""

    seconds: float
    reason: str
    counts: bool = True  # whether this was an attempt


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Park the message with its reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Return:
    """Give the message back untouched: this process is stopping."""


Verdict = Ack | RetryIn | DeadLetter | Return
Handle = Callable[[Sequence[Delivery]], Sequence[Verdict]]
"""Takes 1 to `batch` deliveries, answers one verdict for each; never raises."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One queue, what handles it, how many messages a call takes, and how many calls run at once."""

    queue: str
    handle: Handle
    batch: int = 1
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Parked:
    """One dead letter."""

    queue: str
    message_id: str
    correlation_id: str
    body: bytes
    reason: str
    attempts: int
    first_seen: datetime
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of one queue: ready or in hand, waiting for a retry (of this queue), parked."""

    ready: int
    waiting: int
    dead: int


class AsyncPublisher(Protocol):
    """Publishes durably for the callers of one event loop, on whose thread all of this is called."""

    def publish(self, *messages: Outgoing) -> Future[None]:
        """Done once ALL are confirmed; fails with PublishError within the time agreed."""
        ...

    async def ping(self) -> None:
        """Return if a publish could be confirmed now; raises BrokerDown."""
        ...

    async def close(self) -> None:
        """Let go within a few seconds, whatever state the broker is in."""
        ...


class Broker(Protocol):
    """A durable queue with confirms, delays and dead letters; thread-safe but for `consume` and `on_loop`."""

    def declare(self) -> None:
        """Build the topology; harmless to repeat, an error where something else stands in its place."""
        ...

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish durably and return once ALL are confirmed; raises PublishError within `timeout` seconds."""
        ...

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> AsyncPublisher:
        """A publisher that answers callers `within` seconds; made on the loop's thread."""
        ...

    def consume(self, subscriptions: Sequence[Subscription], stop: Event) -> None:
        """Serve the subscriptions until `stop` is set, reconnecting as needed; finishes what is in hand."""
        ...

    def depth(self, queue: str) -> Depth:
        """How much lies where; raises BrokerDown."""
        ...

    def dead_letters(self, queue: str, limit: int = 50) -> list[Parked]:
        """The oldest parked messages, left where they are."""
        ...

    def replay(self, queue: str, *, limit: int = 1000, only: Collection[str] | None = None) -> int:
        """Move parked messages (`only` these message ids) back to their queue, attempts reset; how many."""
        ...

    def drop(self, queue: str, only: Collection[str]) -> int:
        """Throw the parked messages with `only` these message ids away; how many."""
        ...

    def ping(self) -> None:
        """Return if a publish could be confirmed now; raises BrokerDown."""
        ...

    def close(self) -> None:
        """Let go of all connections within a few seconds, whatever state the broker is in."""
        ...
