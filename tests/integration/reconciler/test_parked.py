from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Event, Thread
from typing import Literal, cast

import pytest

from services.reconciler.parked import ParkedLetters
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Ack, Broker, DeadLetter, Delivery, Outgoing, Subscription, Verdict
from shared.broker.rabbitmq import RabbitBroker
from shared.database.pool import Database
from shared.messages import AlertOpened, decode
from shared.store.alerts import Alerts, OpenAlert
from shared.topology import ALERTS, PIPELINE, PRODUCTS, SALES
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.rabbitmq import RabbitNode

Kind = Literal["rabbitmq", "embedded"]


@pytest.fixture(params=["embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest, database_url: str) -> Iterator[Broker]:
    """The pipeline's queues in each kind of broker, empty and of the test's own."""
    topology = replace(PIPELINE, prefix=f"t{uuid.uuid4().hex[:8]}")
    if cast("Kind", request.param) == "embedded":
        made: Broker = EmbeddedBroker(database_url, topology)
    else:
        node = cast("RabbitNode", request.getfixturevalue("rabbitmq"))
        made = RabbitBroker(node.url, topology)
    made.declare()
    yield made
    made.close()


def park(broker: Broker, count: int, reason: str, *, route: str = "session.paid", queue: str = SALES) -> None:
    """Have `count` messages parked for `reason`."""
    broker.publish(*(Outgoing(route, b'{"customer": "Zoe"}', uuid.uuid4().hex) for _ in range(count)))
    stop, seen = Event(), list[str]()

    def refuse(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        seen.extend(delivery.message_id for delivery in deliveries)
        if len(seen) >= count:
            stop.set()
        return [DeadLetter(reason) for _ in deliveries]

    consumer = Thread(target=broker.consume, args=([Subscription(queue, refuse)], stop))
    consumer.start()
    consumer.join(30)
    assert len(seen) == count


def work_off(broker: Broker, count: int) -> None:
    """Have the `count` messages that wait handled."""
    stop, seen = Event(), list[str]()

    def take(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        seen.extend(delivery.message_id for delivery in deliveries)
        if len(seen) >= count:
            stop.set()
        return [Ack() for _ in deliveries]

    consumer = Thread(target=broker.consume, args=([Subscription(SALES, take)], stop))
    consumer.start()
    consumer.join(30)
    assert len(seen) == count


def still_open(database: Database) -> list[OpenAlert]:
    return database.run(lambda connection: Alerts(connection, ACCOUNT).still_open(10))


def hints(broker: Broker, count: int) -> list[int]:
    """The alerts that the notifier's next `count` messages tell of."""
    told, stop = list[int](), Event()

    def take(deliveries: Sequence[Delivery]) -> Sequence[Verdict]:
        for message in (decode(delivery.body) for delivery in deliveries):
            assert isinstance(message, AlertOpened)
            told.append(message.alert)
        if len(told) >= count:
            stop.set()
        return [DeadLetter("enough") for _ in deliveries]

    consumer = Thread(target=broker.consume, args=([Subscription(ALERTS, take)], stop))
    consumer.start()
    consumer.join(30)
    stop.set()
    consumer.join(10)
    return told


def test_dead_letters_are_one_alert_for_each_queue(database: Database, broker: Broker) -> None:
    """However a message came to be parked, its queue has one alert with count, reason and ids, and no contents."""
    looking = ParkedLetters(database, broker, ACCOUNT)
    assert looking.once() == []
    park(broker, 2, "nobody knows this product")
    park(broker, 1, "not understood", route="product.changed", queue=PRODUCTS)
    told = looking.once()
    found = {one.subject: one.facts for one in still_open(database)}
    assert set(found) == {SALES, PRODUCTS}
    assert (found[SALES]["count"], found[SALES]["reason"]) == (2, "nobody knows this product")
    assert len(cast("list[str]", found[SALES]["examples"])) == 2
    assert "Zoe" not in str(found)
    assert hints(broker, 2) == told


def test_people_hear_again_only_of_twice_as_many(database: Database, broker: Broker) -> None:
    """The count grows with every look, and the alert is told again at twice what people heard of."""
    looking = ParkedLetters(database, broker, ACCOUNT)
    park(broker, 2, "first")
    (number,) = looking.once()
    with database.transaction() as connection:
        connection.execute("update alert set mailed_at = now(), told_at = now()")
    park(broker, 1, "second")
    assert looking.once() == []
    (one,) = still_open(database)
    assert (one.facts["count"], one.facts["reason"], one.mailed_at is None) == (3, "second", False)
    park(broker, 1, "third")
    assert looking.once() == [number]
    (one,) = still_open(database)
    assert (one.facts["count"], one.mailed_at) == (4, None)
    assert looking.once() == []


def test_a_new_flood_is_told_after_most_were_replayed(database: Database, broker: Broker) -> None:
    """What people heard of counts only while it is there; one look that finds fewer may have met somebody reading."""
    looking = ParkedLetters(database, broker, ACCOUNT)
    park(broker, 8, "first")
    (number,) = looking.once()
    assert broker.replay(SALES, limit=7) == 7
    work_off(broker, 7)
    for _ in range(2):
        assert looking.once() == []
    park(broker, 5, "second")
    assert looking.once() == [number]


def test_the_alert_ends_when_none_is_left(database: Database, broker: Broker) -> None:
    """After a replay two looks that find nothing end the alert; a single one may have met somebody reading."""
    looking = ParkedLetters(database, broker, ACCOUNT)
    park(broker, 1, "broken")
    looking.once()
    assert broker.replay(SALES) == 1
    looking.once()
    assert len(still_open(database)) == 1
    looking.once()
    assert still_open(database) == []
    park(broker, 2, "broken again")
    assert len(looking.once()) == 1


def test_a_crash_between_look_and_record_costs_a_minute(database: Database, broker: Broker) -> None:
    """The letters stay where they are, so that another process, or the same started anew, finds them."""
    park(broker, 1, "broken")
    first, second = (ParkedLetters(database, broker, ACCOUNT) for _ in range(2))
    assert len(first.once()) == 1
    assert second.once() == []
    assert len(still_open(database)) == 1


def test_an_acknowledged_alert_grows_in_silence(database: Database, broker: Broker) -> None:
    """What somebody sees to is counted and not told again."""
    looking = ParkedLetters(database, broker, ACCOUNT)
    park(broker, 1, "broken")
    ids = looking.once()
    with database.transaction() as connection:
        Alerts(connection, ACCOUNT).acknowledge(ids, by="ada")
        connection.execute("update alert set mailed_at = now(), told_at = now()")
    park(broker, 5, "broken")
    looking.once()
    (one,) = still_open(database)
    assert one.facts["count"] == 6
    assert one.mailed_at is not None
