"""What stands in RabbitMQ: exchange, work queues, retry ladder and dead letters, with names and arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker
from pika.exchange_type import ExchangeType

from shared import logs
from shared.topology import Queue, Topology

Arguments = Mapping[str, str | int]

NOT_FOUND, DIFFERENT_DECLARATION = 404, 406
UNLIMITED_DELIVERIES = (
    1_000_000_000  # where looking at a message must not use it up; 3.x knows no -1, 4.x limits to 20
)

log = logs.get(__name__)


class TopologyConflict(RuntimeError):
    """Something else stands where this version wants to build; RabbitMQ's text says what differs."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One durable queue, its arguments and the routing keys bound to it."""

    name: str
    arguments: Arguments
    routes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of a topology are called in the broker."""

    topology: Topology

    @property
    def exchange(self) -> str:
        """The one exchange that messages are published to."""
        return self.topology.prefix

    def work(self, queue: str) -> str:
        """The work queue."""
        return f"{self.topology.prefix}.{queue}"

    def dead(self, queue: str) -> str:
        """The queue of its dead letters."""
        return f"{self.work(queue)}.dead"

    def rung(self, queue: str, seconds: float) -> str:
        """The shortest rung of its retry ladder that waits at least `seconds`, else the longest."""
        ladder = self.topology.ladder
        delay = next((rung for rung in ladder if rung >= seconds), ladder[-1])
        return f"{self.work(queue)}.retry.{delay * 1000}"

    def rungs(self, queue: str) -> list[str]:
        """All rungs of its ladder, shortest first."""
        return [self.rung(queue, seconds) for seconds in self.topology.ladder]

    def queues(self) -> Iterator[Declared]:
        """Every queue, those that others lead to first."""
        for queue in self.topology.queues:
            yield from self._family(queue)

    def _family(self, queue: Queue) -> Iterator[Declared]:
        yield Declared(self.dead(queue.name), _quorum({"x-delivery-limit": UNLIMITED_DELIVERIES}))
        # RabbitMQ parks a message when it comes back for the (limit + 1)th time.
        limit = {"x-delivery-limit": self.topology.delivery_limit - 1}
        yield Declared(self.work(queue.name), _quorum(limit, leads_to=self.dead(queue.name)), queue.routes)
        for seconds in self.topology.ladder:
            wait = {"x-message-ttl": seconds * 1000}
            yield Declared(self.rung(queue.name, seconds), _quorum(wait, leads_to=self.work(queue.name)))


def _quorum(arguments: Arguments, leads_to: str | None = None) -> Arguments:
    kind: Arguments = {"x-queue-type": "quorum", "x-overflow": "reject-publish"}
    if leads_to is None:
        return {**kind, **arguments}
    onward = {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": leads_to,
        "x-dead-letter-strategy": "at-least-once",
    }
    return {**kind, **onward, **arguments}


def declare(channel: BlockingChannel, names: Names) -> None:
    """Build everything; harmless to repeat; raises TopologyConflict where something different stands."""
    try:
        channel.exchange_declare(names.exchange, ExchangeType.direct, durable=True)
        for queue in names.queues():
            channel.queue_declare(queue.name, durable=True, arguments=dict(queue.arguments))
            for route in queue.routes:
                channel.queue_bind(queue.name, names.exchange, route)
    except ChannelClosedByBroker as error:
        if error.reply_code != DIFFERENT_DECLARATION:
            raise
        log.error("broker_topology_conflict", conflict=error.reply_text)  # noqa: TRY400 - the text says it all
        raise TopologyConflict(error.reply_text) from None
