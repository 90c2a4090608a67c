from __future__ import annotations

import statistics
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.embedded_consumer import POLL
from shared.broker.port import BrokerDown, PublishError, Unroutable
from tests.contract.broker.rig import WORK, Rig, Seen, connect, message, topology
from tests.support.waiting import until


@pytest.fixture
def queue(database_url: str) -> Iterator[Rig]:
    """The embedded queue in a database of the test's own."""
    prefix = f"t{uuid.uuid4().hex[:8]}"
    broker = connect("embedded", database_url, prefix)
    broker.declare()
    yield Rig("embedded", database_url, prefix, broker, lambda: None)
    broker.close()


def test_eight_processes_may_declare_at_once(database_url: str) -> None:
    """PGMQ is installed once, whoever asks at the same time."""
    brokers = [EmbeddedBroker(database_url, topology("many")) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(EmbeddedBroker.declare, brokers))
    assert brokers[0].depth(WORK).ready == 0
    for broker in brokers:
        broker.close()


def test_fault_47_a_queue_that_is_not_there_is_unroutable(database_url: str) -> None:
    """A database whose queues were never made accepts nothing and is not ready; the next call fares no worse."""
    broker = EmbeddedBroker(database_url, topology("none"))
    for _ in range(2):
        with pytest.raises(Unroutable):
            broker.publish(message("lost"))
    with pytest.raises(BrokerDown):
        broker.depth(WORK)
    with pytest.raises(BrokerDown):
        broker.ping()
    broker.declare()
    broker.ping()
    broker.publish(message("found"))
    assert broker.depth(WORK).ready == 1
    broker.close()


def test_a_refused_message_harms_no_neighbour(queue: Rig) -> None:
    """Of callers that share a transaction only the one fails whose message the database can't hold."""
    together = threading.Barrier(16)

    def publish(n: int) -> bool:
        together.wait(20)
        name = "bad\0" if n == 7 else f"m{n}"
        try:
            queue.broker.publish(message(name), timeout=20)
        except PublishError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        accepted = list(pool.map(publish, range(16)))
    assert accepted == [n != 7 for n in range(16)]
    assert queue.broker.depth(WORK).ready == 15


def test_a_message_arrives_at_once_by_its_notification(queue: Rig) -> None:
    """An idle consumer is called by the publisher's commit, sooner than it would have looked by itself."""
    seen = Seen()
    waits: list[float] = []
    with queue.consuming(seen.handle):
        queue.broker.publish(message("first"))
        until("the first", lambda: seen.names() == ["first"])
        for n in range(9):
            published = clock.monotonic()
            queue.broker.publish(message(f"m{n}"))
            until("the next", lambda n=n: f"m{n}" in seen.names())
            waits.append(seen.times(f"m{n}")[0] - published)
    assert statistics.median(waits) < POLL / 4


def test_tables_that_vanish_do_not_end_a_consumer(queue: Rig) -> None:
    """A consumer outlives the loss of its tables, such as a restore, and goes on once they are back."""
    seen = Seen()
    with queue.consuming(seen.handle):
        queue.broker.publish(message("before"))
        until("the first", lambda: seen.names() == ["before"])
        with psycopg.connect(queue.address, autocommit=True) as connection:
            connection.execute("select pgmq.drop_queue(%s)", (f"{queue.prefix}_{WORK}",))
            with pytest.raises(Unroutable):
                queue.broker.publish(message("lost"))
        queue.broker.declare()
        queue.broker.publish(message("after"))
        until("the second", lambda: seen.names() == ["before", "after"])
