from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Timer

import pytest

from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, Delivery, Subscription, Verdict
from shared.database.pool import Database
from shared.topology import JOBS, PIPELINE
from shared.worker import BROKEN, Worker


def test_a_process_of_which_a_part_broke_ends(database_url: str) -> None:
    """A thread beside the queue that dies unforeseen takes the others with it, and the exit code says so."""
    ended: list[str] = []

    def scheduler(stop: Event) -> None:
        del stop
        raise ValueError("the 31st of February")

    def sweep(stop: Event) -> None:
        assert stop.wait(90)
        ended.append("sweep")

    def take(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        return [Ack() for _ in deliveries]

    broker = EmbeddedBroker(database_url, PIPELINE)
    database = Database(database_url, name="tests", size=2)
    stop = Event()
    patience = Timer(60, stop.set)
    patience.start()
    with pytest.raises(SystemExit) as end:
        Worker(broker, [Subscription(JOBS, take)], database, beside=[scheduler, sweep]).run(stop)
    patience.cancel()
    assert end.value.code == BROKEN
    assert ended == ["sweep"]
