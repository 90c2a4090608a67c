from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared import clock
from shared.broker.port import BrokerDown, PublishError, Refused
from tests.contract.broker.rig import Rig, Seen, message, publishes
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until


@pytest.fixture
def alarmed(rabbit_publishing: Rig, rabbitmq: RabbitNode) -> Iterator[Rig]:
    """RabbitMQ with one message in its queue and its memory alarm ringing."""
    rabbit = rabbit_publishing
    rabbit.broker.publish(message("before"))
    rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1MB")
    yield rabbit
    rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1GB")
    until("the alarm to end", lambda: publishes(rabbit))


def refused(rig: Rig) -> bool:
    """Whether the broker says no by itself, before the deadline."""
    try:
        rig.broker.publish(message("too much"), timeout=5.0)
    except Refused:
        return True
    return False


def test_fault_49_an_alarm_refuses_publishers_at_once(alarmed: Rig) -> None:
    """A broker in alarm says no within the deadline and is not reported as healthy."""
    until("the first refusal", lambda: refused(alarmed))
    started = clock.monotonic()
    with pytest.raises(Refused):
        alarmed.broker.publish(message("too much"), timeout=20.0)
    assert clock.monotonic() - started < 10
    with pytest.raises(BrokerDown):
        alarmed.broker.ping()


def test_fault_49_consumers_go_on_through_an_alarm(alarmed: Rig) -> None:
    """What is in the queue is handled and acknowledged while publishers are refused."""
    until("the first refusal", lambda: refused(alarmed))
    seen = Seen()
    with alarmed.consuming(seen.handle):
        until("the message", lambda: "before" in seen.names())


def test_fault_49_closing_cannot_hang_in_an_alarm(alarmed: Rig) -> None:
    """A process lets go of a broker in alarm within seconds."""
    until("the first refusal", lambda: refused(alarmed))
    other = alarmed.another()
    with pytest.raises(PublishError):
        other.publish(message("too much"), timeout=2.0)
    started = clock.monotonic()
    other.close()
    assert clock.monotonic() - started < 15
