"""Negative controls: with one protection taken out, what it protects from must happen."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pika.channel import Channel

from shared.broker.port import Ack, Delivery, Verdict
from shared.broker.rabbitmq_feed import Feed, Item
from tests.contract.broker.rig import WORK, Rig, message
from tests.contract.broker.test_consume import consumer
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until


def test_fault_47_without_mandatory_a_message_is_lost_in_silence(
    rabbit: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the mandatory flag that makes a missing binding an error."""
    publish: Any = Channel.basic_publish

    def carelessly(channel: Channel, *arguments: object, mandatory: bool) -> None:
        publish(channel, *arguments, mandatory=not mandatory)

    monkeypatch.setattr(Channel, "basic_publish", carelessly)
    rabbit.broker.publish(message("lost", route="nobody.wants"))


def test_fault_45_without_a_deadline_a_frozen_broker_holds_the_caller(
    rabbit: Rig, rabbitmq: RabbitNode
) -> None:
    """It is the deadline that lets a caller go; neither pika nor the kernel does."""
    rabbit.broker.publish(message("before"))
    caller = threading.Thread(target=lambda: rabbit.broker.publish(message("frozen"), timeout=60.0))
    rabbitmq.signal(signal.SIGSTOP)
    try:
        caller.start()
        caller.join(4)
        assert caller.is_alive()
    finally:
        rabbitmq.signal(signal.SIGCONT)
    caller.join(30)
    assert not caller.is_alive()


def test_fault_51_a_handler_on_the_io_thread_loses_the_connection(
    rabbit: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the worker thread that keeps heartbeats going: without it a slow message is delivered twice."""
    seen, never = list[str](), threading.Event()

    def slow(deliveries: Sequence[Delivery]) -> list[Verdict]:
        seen.extend(delivery.message_id for delivery in deliveries)
        if len(seen) == 1:
            never.wait(9)  # as long as the handler that is not disturbed
        return [Ack() for _ in deliveries]

    def on_the_io_thread(feed: Feed, item: Item) -> None:
        feed._in_hand += 1  # pyright: ignore[reportPrivateUsage] - the protection is taken out
        feed.subscription.handle([item.delivery])
        feed.settle([item], [])

    monkeypatch.setattr(Feed, "_hand_out", on_the_io_thread)
    rabbit.broker.publish(message("slow"))
    with rabbit.consuming(slow):
        until("a second delivery", lambda: seen == ["slow", "slow"], 40)


def test_fault_54_without_isolation_neighbours_are_parked_too(rabbit: Rig, tmp_path: Path) -> None:
    """It is the handling of returned messages one by one that saves those that were prefetched beside a poison."""
    rabbit.broker.publish(message("poison"), *[message(f"m{n}") for n in range(4)])
    for _ in range(3):
        with consumer(rabbit, "crowd", tmp_path / "seen") as process:
            assert process.wait(60) == -signal.SIGKILL
    until("five dead letters", lambda: rabbit.broker.depth(WORK).dead == 5)
