"""What publishers keep, and whether they come back, while there is no RabbitMQ at all."""

from __future__ import annotations

import asyncio
import threading
from typing import NoReturn

import pytest
from pika.connection import Connection

from shared.broker import rabbitmq_link
from shared.broker.port import Unconfirmed
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.rabbitmq_publisher import LoopPublisher, Publisher
from tests.contract.broker.rig import Rig, message, publishes, topology
from tests.support.waiting import until

NOWHERE = "amqp://127.0.0.1:1/%2F"


def waiting(publisher: Publisher | LoopPublisher) -> int:
    """How many calls it holds for later."""
    return len(publisher._flight.todo)  # pyright: ignore[reportPrivateUsage] - what is kept shows nowhere else


def test_fault_43_an_event_loops_publisher_forgets_what_nobody_waits_for() -> None:
    """With no broker, publishes fail at their deadline and leave nothing behind."""

    async def publish() -> int:
        publisher = broker.on_loop(asyncio.get_running_loop(), within=0.2)
        futures = [publisher.publish(message(f"m{n}")) for n in range(300)]
        assert waiting(publisher) == 300
        ended = await asyncio.gather(*futures, return_exceptions=True)
        assert {type(error) for error in ended} == {Unconfirmed}
        left = waiting(publisher)
        await publisher.close()
        return left

    broker = RabbitBroker(NOWHERE, topology("away"))
    assert asyncio.run(publish()) == 0


def test_fault_43_a_publisher_for_threads_forgets_what_nobody_waits_for() -> None:
    """With no broker, publishes fail at their deadline and leave nothing behind."""

    def publish(caller: int) -> None:
        with pytest.raises(Unconfirmed):
            broker.publish(message(f"m{caller}"), timeout=0.5 + caller / 100)

    broker = RabbitBroker(NOWHERE, topology("away"))
    callers = [threading.Thread(target=publish, args=(n,)) for n in range(30)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    publisher = broker._publishing()  # pyright: ignore[reportPrivateUsage] - what is kept shows nowhere else
    until("nothing to be left", lambda: waiting(publisher) == 0)
    broker.close()


@pytest.mark.parametrize("where", ["__init__", "_on_connection_start", "_on_connection_open_ok"])
def test_an_error_while_connecting_costs_one_attempt(
    where: str, rabbit_publishing: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks before the connection stands, the next attempt is made, on a thread and on an event loop."""
    broken = threading.Event()

    def fail(*_: object, **__: object) -> NoReturn:
        monkeypatch.undo()
        broken.set()
        raise ValueError(where)

    monkeypatch.setattr(rabbitmq_link, "GIVEN_UP", 2.0)
    monkeypatch.setattr(Connection, where, fail)
    until("a confirm", lambda: publishes(rabbit_publishing), 30)
    assert broken.is_set()
