"""What somebody deletes in RabbitMQ while we run is declared again, by whoever misses it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from structlog.testing import capture_logs

from shared.broker.port import BrokerDown, DeadLetter, RetryIn, Verdict
from shared.outcomes import Outage
from tests.contract.broker.rig import WORK, Rig, Seen, message, publishes
from tests.support.waiting import until


@contextmanager
def channel(rig: Rig) -> Generator[BlockingChannel]:
    """A person's way in."""
    with pika.BlockingConnection(pika.URLParameters(rig.address)) as connection:
        yield connection.channel()


def delete(rig: Rig, *queues: str) -> None:
    """Take queues of the work queue's family away."""
    with channel(rig) as person:
        for name in queues:
            person.queue_delete(f"{rig.prefix}.{WORK}{name}")


def test_fault_60_a_queue_deleted_under_its_consumer_is_made_again(rabbit: Rig) -> None:
    """The consumer misses it, declares it and goes on; the log says what was missing."""
    seen = Seen()
    with capture_logs() as said, rabbit.consuming(seen.handle):
        rabbit.broker.publish(message("before"))
        until("the first", lambda: seen.names() == ["before"])
        delete(rabbit, "")
        until("the queue to be made", lambda: "broker_topology_renewed" in [line["event"] for line in said])
        rabbit.broker.publish(message("after"))
        until("the second", lambda: "after" in seen.names())
    lost = [line for line in said if line["event"] == "broker_lost" and line["link"] == "consumer"]
    assert any(line["code"] == 404 and "no queue" in line["reason"] for line in lost)


def test_fault_60_what_can_not_be_made_again_is_asked_for_ever_more_rarely(rabbit: Rig) -> None:
    """Where another exchange stands in the way, the pauses between connections grow."""
    with channel(rabbit) as person:
        person.exchange_delete(rabbit.prefix)
        person.exchange_declare(rabbit.prefix, "fanout", durable=True)
        person.queue_delete(f"{rabbit.prefix}.{WORK}")
    with capture_logs() as said, rabbit.consuming(Seen().handle):
        until("four losses", lambda: len(pauses(said)) >= 4)
    assert pauses(said)[3] > 1.0
    with channel(rabbit) as person:
        person.exchange_delete(rabbit.prefix)


def pauses(said: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds until each next connection of the consumer."""
    return [line["pause"] for line in said if line["event"] == "broker_lost" and line["link"] == "consumer"]


@pytest.mark.parametrize(
    ("queue", "verdict"), [(".dead", DeadLetter("no use")), (".retry.1000", RetryIn(1, "later"))]
)
def test_fault_60_a_message_waits_for_the_place_it_is_to_go_to(
    queue: str, verdict: Verdict, rabbit: Rig
) -> None:
    """A deleted dead-letter queue or rung is made again, and the message in hand goes there."""
    answer = threading.Event()

    def handle(deliveries: Sequence[object]) -> list[Verdict]:
        answer.wait(20)
        return [verdict for _ in deliveries]

    rabbit.broker.publish(message("moved"))
    with rabbit.consuming(handle):
        until("the message to be in hand", lambda: rabbit.broker.depth(WORK).ready == 0)
        delete(rabbit, queue)
        answer.set()
        until("the message to be moved", lambda: waits_or_is_dead(rabbit))


def waits_or_is_dead(rig: Rig) -> bool:
    """Whether a message lies behind the work queue."""
    try:
        depth = rig.broker.depth(WORK)
    except Outage:
        return False
    return depth.waiting + depth.dead > 0


@pytest.mark.parametrize("missing", ["exchange", "queue"])
def test_fault_60_a_publisher_has_what_is_missing_made_again(missing: str, rabbit_publishing: Rig) -> None:
    """Nothing is accepted meanwhile, and no consumer has to run for it."""
    rabbit_publishing.broker.publish(message("before"))
    with channel(rabbit_publishing) as person:
        if missing == "exchange":
            person.exchange_delete(rabbit_publishing.prefix)
    if missing == "queue":
        delete(rabbit_publishing, "")
    assert not publishes(rabbit_publishing, "lost")
    until("a confirm", lambda: publishes(rabbit_publishing, "after"))
    until("it to be in the queue", lambda: rabbit_publishing.broker.depth(WORK).ready >= 1)


def test_a_ping_without_the_exchange_is_no_success(rabbit_publishing: Rig) -> None:
    """Only a ping that comes back shows that a message would be confirmed."""
    rabbit_publishing.broker.ping()
    with channel(rabbit_publishing) as person:
        person.exchange_delete(rabbit_publishing.prefix)
    with pytest.raises(BrokerDown):
        rabbit_publishing.broker.ping()
    until("the exchange to be back", lambda: pings(rabbit_publishing))


def pings(rig: Rig) -> bool:
    """Whether a publish could be confirmed now."""
    try:
        rig.broker.ping()
    except BrokerDown:
        return False
    return True
