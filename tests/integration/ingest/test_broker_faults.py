from __future__ import annotations

import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pika
import pytest
from pika.channel import Channel

from shared import clock
from shared.broker.port import AsyncPublisher, Outgoing
from shared.broker.rabbitmq import RabbitBroker
from shared.broker.rabbitmq_publisher import LoopPublisher
from shared.topology import ALERTS, PIPELINE, SALES
from tests.integration.ingest.proxy import Proxy
from tests.integration.ingest.running import Stage, sale
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until
from tests.unit.ingest.support import PATH, door, signed

QUEUE = f"{PIPELINE.prefix}.{SALES}"


def timed_sale(stage: Stage, number: int = 1) -> tuple[int, bool]:
    """The status of a webhook, and whether it came within 5 s."""
    begun = clock.monotonic()
    status = stage.ingest.sell(number)
    return status, clock.monotonic() - begun < 5


def test_an_accepted_webhook_is_in_the_queue(stage: Stage) -> None:
    """200 means that the message lies in the durable queue."""
    assert timed_sale(stage) == (200, True)
    assert stage.queued() == 1


def test_fault_43_a_broker_that_is_down_is_503_in_time_and_once_afterwards(stage: Stage) -> None:
    """While the broker is away every webhook is 503 within 5 s; back again, Stripe's retry is taken."""
    assert stage.ingest.sell(1) == 200
    stage.proxy.go_away()
    assert timed_sale(stage, 2) == (503, True)
    stage.proxy.come_back()
    until("the broker to be found again", lambda: stage.ingest.sell(3) == 200)
    assert stage.queued() >= 2


def test_fault_44_a_broker_that_dies_before_its_confirm_is_503(stage: Stage) -> None:
    """The message may be there already; the answer is 503 all the same, and the double is harmless."""
    assert stage.ingest.sell(1) == 200
    stage.proxy.hold_answers()
    statuses: list[int] = []
    sender = threading.Thread(target=lambda: statuses.append(stage.ingest.sell(2)))
    sender.start()
    until("the message to be in the queue, or on its way", lambda: stage.queued() == 2 or bool(statuses))
    stage.proxy.cut()
    stage.proxy.let_go()
    sender.join(10)
    assert statuses == [503]
    until("the retry to be taken", lambda: stage.ingest.sell(2) == 200)
    assert stage.queued() >= 2


def test_fault_45_a_confirm_that_never_comes_is_503_in_time(stage: Stage) -> None:
    """At the deadline the webhook is 503; the late confirm is taken for nobody else's."""
    assert stage.ingest.sell(1) == 200
    stage.proxy.hold_answers()
    assert timed_sale(stage, 2) == (503, True)
    stage.proxy.let_go()
    until("webhooks to be taken again", lambda: stage.ingest.sell(3) == 200)
    assert stage.queued() >= 2


class Forgetful:
    """The protection taken out: publishes, but does not wait for the confirm."""

    def __init__(self, publisher: AsyncPublisher) -> None:
        self._publisher = publisher
        self.ping = publisher.ping
        self.close = publisher.close

    def publish(self, *messages: Outgoing) -> Future[None]:
        """Done at once."""
        real = self._publisher.publish(*messages)
        real.add_done_callback(lambda done: done.exception())  # nobody else looks at it
        future = Future[None](loop=real.get_loop())
        future.set_result(None)
        return future


class ForgetfulBroker(RabbitBroker):
    """A broker whose publishers are forgetful."""

    def on_loop(self, loop: AbstractEventLoop, *, within: float) -> LoopPublisher:
        """A publisher that trusts that all goes well."""
        return cast("LoopPublisher", Forgetful(super().on_loop(loop, within=within)))


@pytest.fixture
def deaf(rabbitmq: RabbitNode) -> Iterator[tuple[str, Proxy]]:
    """A RabbitMQ whose answers never arrive, after the connection was opened."""
    parts = pika.URLParameters(rabbitmq.url)
    with Proxy((parts.host, parts.port)) as proxy:
        yield rabbitmq.url.replace(f"{parts.host}:{parts.port}", f"127.0.0.1:{proxy.port}"), proxy


@pytest.mark.parametrize(("kind", "status"), [(RabbitBroker, 503), (ForgetfulBroker, 200)])
def test_fault_45_negative_control_without_waiting_the_loss_is_answered_200(
    kind: type[RabbitBroker], status: int, deaf: tuple[str, Proxy], tmp_path: Path
) -> None:
    """Take the wait for the confirm out, and the door accepts what nobody confirmed."""
    url, proxy = deaf
    broker = kind(url, PIPELINE)
    broker.declare()
    body = sale(1)
    with door(broker, tmp_path) as client:
        assert client.get("/readyz").status_code == 200
        proxy.hold_answers()
        assert client.post(PATH, body, signed(body)).status_code == status
        proxy.let_go()


@pytest.fixture
def unbound(rabbitmq: RabbitNode) -> Iterator[RabbitBroker]:
    """RabbitMQ where nothing is bound for sales."""
    broker = RabbitBroker(rabbitmq.url, PIPELINE)
    broker.declare()
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        connection.channel().queue_unbind(QUEUE, PIPELINE.prefix, "session.paid")
        yield broker
    broker.declare()
    broker.close()


def test_fault_47_a_missing_binding_is_503_and_told_to_people(
    rabbit_stage: Stage, unbound: RabbitBroker
) -> None:
    """A message that no queue takes is an error in the log, an alert, and 503 until the binding is back."""
    logged = rabbit_stage.ingest.logged

    def refused() -> bool:
        assert timed_sale(rabbit_stage) == (503, True)
        return bool(logged("publish_unroutable"))

    until("RabbitMQ to be reached, and to have no way for it", refused)
    assert logged("publish_unroutable")[0]["level"] == "error"
    until("the alert", lambda: unbound.depth(ALERTS).ready == 1)
    unbound.declare()
    assert rabbit_stage.ingest.sell(2) == 200


@pytest.fixture(params=[(True, 503), (False, 200)], ids=["mandatory", "control"])
def expected(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status to expect with `mandatory` left as it is, or taken out of every publish."""
    mandatory, status = request.param
    publish = Channel.basic_publish

    def changed(self: Channel, *arguments: object, **options: object) -> None:
        publish(self, *arguments, **{**options, "mandatory": mandatory})  # pyright: ignore[reportArgumentType] - passed on

    monkeypatch.setattr(Channel, "basic_publish", changed)
    return status


def test_fault_47_negative_control_without_mandatory_the_loss_is_answered_200(
    expected: int, unbound: RabbitBroker, tmp_path: Path
) -> None:
    """Take `mandatory` out, and RabbitMQ confirms what it throws away."""
    body = sale(1)
    with door(unbound, tmp_path) as client:
        assert client.post(PATH, body, signed(body)).status_code == expected


@pytest.fixture
def full(rabbit_stage: Stage, rabbitmq: RabbitNode) -> Iterator[Stage]:
    """RabbitMQ whose queue for sales holds no more than one message."""
    rabbitmq.control("set_policy", "full", f"^{QUEUE}$", '{"max-length": 1}')
    yield rabbit_stage
    rabbitmq.control("clear_policy", "full")


def test_fault_48_a_full_queue_is_503(full: Stage) -> None:
    """A queue that refuses more keeps the event with Stripe."""

    def refused() -> bool:
        return full.ingest.sell() == 503 and bool(full.ingest.logged("publish_refused"))

    until("the queue to be reached, and to refuse", refused)


@pytest.fixture
def alarmed(rabbit_stage: Stage, rabbitmq: RabbitNode) -> Iterator[Stage]:
    """RabbitMQ in a memory alarm."""
    assert rabbit_stage.ingest.sell(1) == 200
    rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1MB")
    yield rabbit_stage
    rabbitmq.control("set_vm_memory_high_watermark", "absolute", "1GB")
    until("the alarm to end", lambda: rabbit_stage.ingest.sell(3) == 200)


def test_fault_49_an_alarm_is_503_in_time(alarmed: Stage) -> None:
    """While the broker takes nothing, the answer is 503 within 5 s, and the alarm's end is noticed."""
    until("the alarm to reach ingest", lambda: timed_sale(alarmed, 2) == (503, True))
    assert timed_sale(alarmed, 2) == (503, True)
