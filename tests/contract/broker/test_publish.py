from __future__ import annotations

import signal
import threading

import pytest

from shared import clock
from shared.broker.port import PublishError, Unconfirmed, Unroutable
from tests.contract.broker.rig import OTHER, WORK, Rig, Seen, message, until
from tests.support.rabbitmq import RabbitNode


def test_a_confirmed_message_survives_the_servers_kill(rig: Rig) -> None:
    """What was confirmed is there after kill -9 of the server."""
    rig.broker.publish(*[message(f"m{n}") for n in range(20)])
    rig.kill_server()
    seen = Seen()
    with rig.consuming(seen.handle, batch=5):
        until("all messages", lambda: len(set(seen.names())) == 20)


def test_a_message_keeps_its_body_id_and_correlation(rig: Rig) -> None:
    """Bytes, id, correlation and a first attempt arrive as they were sent."""
    bodies = [b'{"a": "\\u0000 \xc3\xa9"}', b"\xff\x00 no text", b""]
    rig.broker.publish(*[message(f"m{n}", body=body) for n, body in enumerate(bodies)])
    seen = Seen()
    with rig.consuming(seen.handle):
        until("all messages", lambda: len(seen.names()) == 3)
    came = [delivery for _, delivery in seen.deliveries]
    assert [d.body for d in came] == bodies
    first = came[0]
    assert (first.message_id, first.correlation_id, first.attempt) == ("m0", "because-m0", 1)
    assert abs((clock.now() - came[0].first_seen).total_seconds()) < 60


def test_messages_reach_the_queue_of_their_route(rig: Rig) -> None:
    """A routing key leads to its own queue and to no other."""
    rig.broker.publish(message("here"), message("there", route="other.wanted"))
    assert (rig.broker.depth(WORK).ready, rig.broker.depth(OTHER).ready) == (1, 1)


def test_fault_47_a_missing_route_is_an_error(rig: Rig) -> None:
    """A message that no queue takes is refused, and the next one is not confused by it."""
    with pytest.raises(Unroutable):
        rig.broker.publish(message("lost", route="nobody.wants"))
    rig.broker.publish(message("fine"))
    assert rig.broker.depth(WORK).ready == 1


def test_many_threads_share_one_publisher(rig: Rig) -> None:
    """Concurrent callers each get their own confirm, and every message is there."""
    failures: list[PublishError] = []

    def publish(caller: int) -> None:
        for n in range(25):
            try:
                rig.broker.publish(message(f"{caller}-{n}"))
            except PublishError as error:
                failures.append(error)

    callers = [threading.Thread(target=publish, args=(caller,)) for caller in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert failures == []
    assert rig.broker.depth(WORK).ready == 400


def test_fault_43_the_publisher_comes_back_after_the_server(rig: Rig) -> None:
    """Publishing works again after the server was killed, by itself."""
    rig.broker.publish(message("before"))
    rig.kill_server()

    until("a confirm", lambda: publishes(rig), 60)
    rig.broker.ping()


def test_declaring_again_changes_nothing(rig: Rig) -> None:
    """A second process that declares the same topology finds it and leaves the messages alone."""
    rig.broker.publish(message("kept"))
    other = rig.another()
    other.declare()
    assert other.depth(WORK).ready == 1
    other.close()


def test_fault_45_a_confirm_that_does_not_come_ends_at_the_deadline(
    rabbit: Rig, rabbitmq: RabbitNode
) -> None:
    """With the broker frozen the caller gets an error in time, and later confirms are for later messages."""
    rabbit.broker.publish(message("before"))
    rabbitmq.signal(signal.SIGSTOP)
    try:
        started = clock.monotonic()
        with pytest.raises(Unconfirmed):
            rabbit.broker.publish(message("frozen"), timeout=2.0)
        assert clock.monotonic() - started < 3.0
    finally:
        rabbitmq.signal(signal.SIGCONT)
    until("a confirm", lambda: publishes(rabbit), 30)


def publishes(rig: Rig) -> bool:
    """Whether a message is confirmed now."""
    try:
        rig.broker.publish(message("after"), timeout=5.0)
    except PublishError:
        return False
    return True
