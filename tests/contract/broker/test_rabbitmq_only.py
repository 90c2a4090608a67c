from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pika
import pytest

from shared.broker.port import Ack, Delivery, Refused, Verdict
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.rabbitmq_flight import Flight
from shared.broker.rabbitmq_topology import TopologyConflict
from tests.contract.broker.rig import WORK, Rig, message, topology
from tests.support.waiting import until


def test_fault_62_a_different_declaration_is_loud(rabbit: Rig) -> None:
    """A version with other queue arguments refuses to start, and the running one goes on."""
    other = RabbitBroker(rabbit.address, dataclasses.replace(topology(rabbit.prefix), delivery_limit=7))
    with pytest.raises(TopologyConflict, match="delivery-limit"):
        other.declare()
    other.close()
    rabbit.broker.publish(message("fine"))
    assert rabbit.broker.depth(WORK).ready == 1


def test_fault_48_a_full_queue_refuses(rabbit: Rig) -> None:
    """Over its limit the queue says no, and the publisher says Refused."""
    prefix = f"{rabbit.prefix}f"
    full = RabbitBroker(rabbit.address, topology(prefix))
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.address))
    channel = connection.channel()
    channel.exchange_declare(prefix, "direct", durable=True)
    arguments = {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 1}
    channel.queue_declare(f"{prefix}.{WORK}", durable=True, arguments=arguments)
    channel.queue_bind(f"{prefix}.{WORK}", prefix, "work.wanted")
    with pytest.raises(Refused):
        fill(full)
    connection.close()
    full.close()


def fill(broker: RabbitBroker) -> None:
    """Publish one message after the other: a quorum queue refuses once it has counted what it took."""
    for n in range(50):
        broker.publish(message(f"m{n}"))


def test_fault_54_messages_that_came_back_are_handled_one_at_a_time(rabbit: Rig) -> None:
    """What another consumer left unanswered is not handled beside anything else; new messages are, before and after."""
    rabbit.broker.publish(*[message(f"back{n}") for n in range(6)])
    connection = pika.BlockingConnection(pika.URLParameters(rabbit.address))
    channel = connection.channel()
    for _ in range(6):
        channel.basic_get(f"{rabbit.prefix}.{WORK}")
    crowds: dict[str, int] = {}

    def handle(deliveries: Sequence[Delivery]) -> list[Verdict]:
        crowds.update((delivery.message_id, len(deliveries)) for delivery in deliveries)
        return [Ack() for _ in deliveries]

    with rabbit.consuming(handle, batch=10):
        rabbit.broker.publish(*[message(f"new{n}") for n in range(4)])
        until("the new ones", lambda: len(crowds) == 4)
        connection.close()
        until("those that came back", lambda: len(crowds) == 10)
        assert {crowds[f"back{n}"] for n in range(6)} == {1}
        rabbit.broker.publish(message("last"))
        until("the last", lambda: "last" in crowds)


def test_an_error_on_the_io_thread_does_not_end_it(rabbit: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks inside the publisher costs its connection, not the process's ability to publish."""

    def broken(flight: Flight) -> None:
        monkeypatch.undo()
        raise ValueError(type(flight).__name__)

    rabbit.broker.publish(message("before"))
    monkeypatch.setattr(Flight, "drain", broken)
    rabbit.broker.publish(message("delayed"))
    rabbit.broker.publish(message("after"))
    assert rabbit.broker.depth(WORK).ready == 3
