"""Looking into RabbitMQ's queues, moving dead letters back or throwing them away, each over a connection of its own."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import cast

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError
from pika.spec import Basic, BasicProperties

from shared.broker import rabbitmq_envelope as envelopes
from shared.broker.port import BrokerDown, Depth, Parked
from shared.broker.rabbitmq_link import parameters
from shared.broker.rabbitmq_publisher import Publisher
from shared.broker.rabbitmq_topology import Names

AT_ONCE = 200  # dead letters replayed per round of confirms
REPLAY_TIMEOUT = 30.0  # seconds per round

Got = tuple[Basic.GetOk, BasicProperties, bytes]


@contextmanager
def visit(url: str) -> Generator[BlockingChannel]:
    """A channel for a few calls; raises BrokerDown where the broker is away or goes away meanwhile."""
    try:
        connection = pika.BlockingConnection(parameters(url))
        try:
            yield connection.channel()
        finally:
            with suppress(AMQPError):  # gone already
                connection.close()
    except (AMQPError, OSError) as error:
        raise BrokerDown(type(error).__name__) from None


def depth(channel: BlockingChannel, names: Names, queue: str) -> Depth:
    """What lies where; AMQP tells of ready messages only, not of those in a consumer's hands."""

    def count(name: str) -> int:
        return int(channel.queue_declare(name, passive=True).method.message_count or 0)

    waiting = sum(count(rung) for rung in names.rungs(queue))
    return Depth(ready=count(names.work(queue)), waiting=waiting, dead=count(names.dead(queue)))


def dead_letters(channel: BlockingChannel, names: Names, queue: str, limit: int) -> list[Parked]:
    """The oldest ones; they go back to their places when the visit ends."""
    found = (
        envelopes.dead_letter(queue, body, properties, names.topology.delivery_limit)
        for _, properties, body in _dead(channel, names.dead(queue), limit)
    )
    return sorted(found, key=lambda letter: letter.parked_at)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters to move: of `queue`, at most `limit`, only these ids (None: any)."""

    queue: str
    limit: int
    only: Collection[str] | None


def replay(channel: BlockingChannel, publisher: Publisher, names: Names, wanted: Wanted) -> int:
    """Move dead letters back; one leaves its place only after its copy is confirmed. Raises PublishError."""
    target, chosen = names.work(wanted.queue), _chosen(channel, names.dead(wanted.queue), wanted.only)
    moved = 0
    while some := list(islice(chosen, min(AT_ONCE, wanted.limit - moved))):
        copies = [envelopes.replayed(target, body, properties) for _, properties, body in some]
        publisher.send(copies, REPLAY_TIMEOUT)
        for method, _, _ in some:
            channel.basic_ack(method.delivery_tag or 0)
        moved += len(some)
    return moved


def drop(channel: BlockingChannel, names: Names, queue: str, only: Collection[str]) -> int:
    """Throw dead letters away; how many."""
    dropped = 0
    for method, _, _ in _chosen(channel, names.dead(queue), only):
        channel.basic_ack(method.delivery_tag or 0)
        dropped += 1
    return dropped


def _chosen(channel: BlockingChannel, queue: str, only: Collection[str] | None) -> Iterator[Got]:
    """Those with `only` these ids (None: any) that are there now, and no further.

    What fails again must not go round and round.
    """
    present = int(channel.queue_declare(queue, passive=True).method.message_count or 0)
    return (got for got in _dead(channel, queue, present) if only is None or got[1].message_id in only)


def _dead(channel: BlockingChannel, queue: str, limit: int) -> Iterator[Got]:
    for _ in range(limit):
        got = cast("Got | tuple[None, None, None]", channel.basic_get(queue))
        if got[0] is None:
            return
        yield got
