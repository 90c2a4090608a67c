from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from services.reconciler.announcer import FEED, Announcer
from shared.broker.connect import topic
from shared.broker.port import Outgoing, Refused
from shared.broker.rabbitmq_topic import RabbitTopic
from shared.broker.rabbitmq_topology import TopologyConflict
from shared.database.pool import Database
from shared.settings import BrokerSettings
from shared.store.movement_feed import Horizon, MovementFeed
from shared.vocabulary import ProductId
from tests.integration.reconciler.announced import (
    SECONDS,
    announcing,
    bound,
    first_told,
    newest,
    position,
    received,
    sell,
    sold,
    told,
)
from tests.integration.reports.ledger import create
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until

MUG, CAP = ProductId("prod_mug"), ProductId("prod_cap")
SETTLE = "(catch mnesia:sync_log()), [dets:sync(Table) || Table <- dets:all()], ok."
"""Puts a new quorum queue on disk for good; where RabbitMQ is killed before, it never confirms for it again."""


@pytest.fixture
def exchange() -> str:
    """An exchange of the test's own."""
    return f"t{uuid.uuid4().hex[:12]}.movements"


@pytest.fixture
def channel(rabbitmq: RabbitNode) -> Iterator[BlockingChannel]:
    """Another program's way to the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    yield connection.channel()
    connection.close()


@pytest.fixture
def ledger(database: Database) -> Database:
    """A ledger of two products."""
    create(database, {MUG: "Mug", CAP: "Cap"})
    return database


def test_two_writers_committing_in_the_other_order_lose_nothing(
    ledger: Database, rabbitmq: RabbitNode, channel: BlockingChannel, exchange: str
) -> None:
    """What is committed later under a smaller id is told, and told first; nothing overtakes it."""
    others = RabbitTopic(rabbitmq.url, exchange)
    others.declare()
    queue = bound(channel, exchange, "movement.#")
    announcer, horizon = Announcer(ledger, others, ACCOUNT), Horizon()
    with ledger.session() as early, ledger.session() as late, ledger.session() as reader:
        early.execute("begin")
        sell(early, MUG, "early")
        sell(late, CAP, "late")
        assert announcer.once(reader, horizon) == 0
        early.execute("commit")
        assert first_told(announcer, reader, horizon) == 2
        # The control: told as soon as it is seen, the early one is never told.
        early.execute("begin")
        sell(early, MUG, "lost")
        sell(late, CAP, "seen")
        feed = MovementFeed(reader, ACCOUNT)
        told = feed.between(position(ledger), newest(ledger), limit=10)
        early.execute("commit")
        told += feed.between(told[-1].id, newest(ledger), limit=10)
        assert [movement.source_key for movement in told] == ["seen"]
    others.close()
    found = received(channel, queue)
    assert [(one["source_key"], one["routing_key"]) for one in found] == [
        ("early", "movement.sale.prod_mug"),
        ("late", "movement.sale.prod_cap"),
    ]
    assert found[0]["schema"] == "stocksync.movement/1"


def test_many_writers_are_told_in_order_across_a_crash_of_the_broker(
    ledger: Database, rabbitmq: RabbitNode, exchange: str
) -> None:
    """Six writers at once, two announcers, the broker killed in between: every movement, in order but for repeats."""
    announcers = [
        Announcer(ledger, RabbitTopic(rabbitmq.url, exchange), ACCOUNT, seconds=0.05) for _ in range(2)
    ]
    RabbitTopic(rabbitmq.url, exchange).declare()
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    queue = bound(connection.channel(), exchange, "movement.#")
    connection.close()
    rabbitmq.control("eval", SETTLE)
    keys = [[f"{writer}-{n}" for n in range(150)] for writer in range(6)]
    writers = [Thread(target=sold, args=(ledger, (MUG, CAP)[n % 2], some)) for n, some in enumerate(keys)]
    with announcing(announcers[0]), announcing(announcers[1]):
        for writer in writers:
            writer.start()
        until("some to be told", lambda: position(ledger) > 100, SECONDS)
        rabbitmq.restart()
        for writer in writers:
            writer.join(60)
        until("all to be told", lambda: position(ledger) == newest(ledger), SECONDS)
    after = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    ids = [one["id"] for one in received(after.channel(), queue)]
    after.close()
    with ledger.transaction() as reader:
        expected = [int(row[0]) for row in reader.execute("select id from movement order by id")]
    assert list(dict.fromkeys(ids)) == expected
    assert len(expected) == 900


def test_what_nobody_wants_is_no_error(
    ledger: Database, rabbitmq: RabbitNode, channel: BlockingChannel, exchange: str
) -> None:
    """Without any queue the feed goes on; a queue that is bound later gets what comes then, if it fits."""
    others = RabbitTopic(rabbitmq.url, exchange)
    others.declare()
    announcer, horizon = Announcer(ledger, others, ACCOUNT), Horizon()
    sold(ledger, MUG, ["unheard"])
    with ledger.session() as reader:
        assert first_told(announcer, reader, horizon) == 1
        queue = bound(channel, exchange, "movement.*.prod_cap")
        sold(ledger, MUG, ["other"])
        sold(ledger, CAP, ["wanted"])
        assert first_told(announcer, reader, horizon) == 2
    others.close()
    assert [one["source_key"] for one in received(channel, queue)] == ["wanted"]


def test_a_full_queue_holds_up_the_feed_and_loses_nothing(
    ledger: Database, rabbitmq: RabbitNode, channel: BlockingChannel, exchange: str
) -> None:
    """While another program's queue rejects, the feed stands; once there is room, it goes on where it stood."""
    others = RabbitTopic(rabbitmq.url, exchange)
    others.declare()
    queue = bound(channel, exchange, "movement.#", **{"x-max-length": 1, "x-overflow": "reject-publish"})
    for n in range(10):  # a quorum queue takes a few more than its limit before it rejects
        with pytest.raises(Refused) if n == 9 else suppress(Refused):
            others.publish([Outgoing("movement.none.none", b"{}", f"filler-{n}")], timeout=10)
    sold(ledger, MUG, ["waits"])
    announcer, horizon = Announcer(ledger, others, ACCOUNT), Horizon()
    with ledger.session() as reader:
        with pytest.raises(Refused):
            first_told(announcer, reader, horizon)
        assert position(ledger) == 0
        channel.queue_purge(queue)
        until("room", lambda: told(announcer, reader, horizon), SECONDS)
    others.close()
    assert position(ledger) == newest(ledger)


def test_something_else_in_its_place_is_told(
    rabbitmq: RabbitNode, channel: BlockingChannel, exchange: str
) -> None:
    """An exchange of another kind under that name is a conflict, not an outage."""
    channel.exchange_declare(exchange, "direct", durable=True)
    with pytest.raises(TopologyConflict):
        RabbitTopic(rabbitmq.url, exchange).declare()


def test_the_embedded_queue_has_no_exchange() -> None:
    """Without RabbitMQ there is no feed."""
    assert topic(BrokerSettings(amqp_url=None), FEED) is None
