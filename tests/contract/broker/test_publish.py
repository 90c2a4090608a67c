from __future__ import annotations

import signal
import threading

import pytest

from shared import clock
from shared.broker.port import PublishError, Unconfirmed, Unroutable
from tests.contract.broker.rig import OTHER, WORK, Rig, Seen, message, publishes
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until


def test_a_confirmed_message_survives_the_servers_kill(publishing: Rig) -> None:
    """What was confirmed is there after kill -9 of the server."""
    publishing.broker.publish(*[message(f"m{n}") for n in range(20)])
    publishing.kill_server()
    seen = Seen()
    with publishing.consuming(seen.handle, batch=5):
        until("all messages", lambda: len(set(seen.names())) == 20)


def test_a_message_keeps_its_body_id_and_correlation(publishing: Rig) -> None:
    """Bytes, id, correlation and a first attempt arrive as they were sent."""
    bodies = [b'{"a": "\\u0000 \xc3\xa9"}', b"\xff\x00 no text", b""]
    publishing.broker.publish(*[message(f"m{n}", body=body) for n, body in enumerate(bodies)])
    seen = Seen()
    with publishing.consuming(seen.handle):
        until("all messages", lambda: len(seen.names()) == 3)
    came = [delivery for _, delivery in seen.deliveries]
    assert [d.body for d in came] == bodies
    first = came[0]
    assert (first.message_id, first.correlation_id, first.attempt) == ("m0", "because-m0", 1)
    assert abs((clock.now() - came[0].first_seen).total_seconds()) < 60


def test_messages_reach_the_queue_of_their_route(publishing: Rig) -> None:
    """A routing key leads to its own queue and to no other."""
    publishing.broker.publish(message("here"), message("there", route="other.wanted"))
    assert (publishing.broker.depth(WORK).ready, publishing.broker.depth(OTHER).ready) == (1, 1)


def test_fault_47_a_missing_route_is_an_error(publishing: Rig) -> None:
    """A message that no queue takes is refused, and the next one is not confused by it."""
    with pytest.raises(Unroutable):
        publishing.broker.publish(message("lost", route="nobody.wants"))
    publishing.broker.publish(message("fine"))
    assert publishing.broker.depth(WORK).ready == 1


def test_nothing_to_publish_is_confirmed_at_once(publishing: Rig) -> None:
    """Without a message there is nothing to wait for."""
    publishing.broker.publish(timeout=0.5)


def test_many_threads_share_one_publisher(publishing: Rig) -> None:
    """Concurrent callers each get their own confirm, and every message is there."""
    failures: list[PublishError] = []

    def publish(caller: int) -> None:
        for n in range(25):
            try:
                publishing.broker.publish(message(f"{caller}-{n}"))
            except PublishError as error:
                failures.append(error)

    callers = [threading.Thread(target=publish, args=(caller,)) for caller in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert failures == []
    assert publishing.broker.depth(WORK).ready == 400


def test_fault_43_the_publisher_comes_back_after_the_server(publishing: Rig) -> None:
    """Publishing works again after the server was killed, by itself."""
    publishing.broker.publish(message("before"))
    publishing.kill_server()

    until("a confirm", lambda: publishes(publishing), 60)
    publishing.broker.ping()


def test_declaring_again_changes_nothing(rig: Rig) -> None:
    """A second process that declares the same topology finds it and leaves the messages alone."""
    rig.broker.publish(message("kept"))
    other = rig.another()
    other.declare()
    assert other.depth(WORK).ready == 1
    other.close()


def test_fault_45_a_confirm_that_does_not_come_ends_at_the_deadline(
    rabbit_publishing: Rig, rabbitmq: RabbitNode
) -> None:
    """With the broker frozen the caller gets an error in time, and later confirms are for later messages."""
    rabbit_publishing.broker.publish(message("before"))
    rabbitmq.signal(signal.SIGSTOP)
    try:
        started = clock.monotonic()
        with pytest.raises(Unconfirmed):
            rabbit_publishing.broker.publish(message("frozen"), timeout=2.0)
        assert clock.monotonic() - started < 5.0
    finally:
        rabbitmq.signal(signal.SIGCONT)
    until("a confirm", lambda: publishes(rabbit_publishing), 30)
