from __future__ import annotations

import dataclasses

import pika
import pytest

from shared.broker.port import Refused
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.rabbitmq_topology import TopologyConflict
from tests.contract.broker.rig import WORK, Rig, message, topology


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
