from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Event, Thread

import pytest

from services.backoffice.operations import recover as operations
from services.reconciler.jobs import JobFailed
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing, Unconfirmed
from shared.outcomes import Outage
from shared.recovery.feed import AHEAD, AT_ONCE, Crowded, Feed
from shared.recovery.plan import Missed, Why
from shared.topology import PIPELINE, SALES
from shared.vocabulary import ProductId, SessionId
from tests.integration.reconciler.missed import Scene, told
from tests.support.waiting import until


def test_two_runs_at_once_book_every_sale_once(scene: Scene, shirt: ProductId) -> None:
    """The job and a person's command find the same: each sale is booked once all the same."""
    sessions = scene.sell(shirt, 150)
    scene.age()
    with scene.worker():
        person = Thread(target=operations.recover, args=(scene.places,), kwargs={"tell": True})
        person.start()
        scene.run()
        person.join(60)
        until("the doubles to be worked off", lambda: scene.queue.depth(SALES).ready == 0)
        until("the number in Stripe", lambda: scene.shop.stock(shirt) == {"M": "850"})
    assert scene.sales().keys() == set(sessions)
    assert scene.shop.movements(shirt).count(("sale", "M", -1)) == 150


class Cut(EmbeddedBroker):
    """A queue whose connection is cut after so many publishes: the last of them arrived, and nobody knows."""

    left = 0

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish, as long as the connection stands."""
        super().publish(*messages, timeout=timeout)
        self.left -= 1
        if self.left <= 0:
            raise Unconfirmed("the connection was cut")


@pytest.mark.parametrize("publishes", [1, 2, 4])
def test_a_run_that_is_cut_off_begins_again_and_heals_all(
    scene: Scene, shirt: ProductId, database_url: str, publishes: int
) -> None:
    """Wherever the run ends, in events or in the list, the next one finds what is left, and nothing counts twice."""
    sessions = scene.sell(shirt, 250)
    scene.shop.fault("event_lost", type="checkout", count=150)
    sessions += [*scene.sell(shirt, 75), *scene.sell(shirt, 75)]
    scene.age()
    cut = Cut(database_url, PIPELINE)
    cut.left = publishes
    with pytest.raises(Outage):
        scene.run(replace(scene.tools, broker=cut))
    cut.close()
    assert 0 < scene.queue.depth(SALES).ready < 400
    with scene.worker():
        scene.run()
        until("the number in Stripe", lambda: scene.shop.stock(shirt) == {"M": "600"})
    assert scene.sales().keys() == set(sessions)
    assert len(scene.shop.movements(shirt)) == 401
    ((facts, _),) = scene.alert()
    assert facts["recovered"] == 400


def test_a_stop_ends_the_run_at_once(scene: Scene, shirt: ProductId) -> None:
    """A run that waits for the stock worker, or that would go on, ends with an outage: it begins again later."""
    scene.sell(shirt, 30)
    scene.age()
    stop = Event()
    tools = replace(scene.tools, stop=stop)
    ended: list[float] = []

    def run() -> None:
        with suppress(Outage):
            scene.run(tools, patience=600)
        ended.append(clock.monotonic())

    runner = Thread(target=run)
    runner.start()
    until("the run to wait", lambda: scene.queue.depth(SALES).ready == 30)
    assert not ended
    begun = clock.monotonic()
    stop.set()
    runner.join(30)
    assert ended[0] - begun < 20, "the patience was 600"
    with pytest.raises(Outage):
        scene.run(tools)


class Watched(EmbeddedBroker):
    """A queue that notes how long it is whenever something is published."""

    longest = 0

    def publish(self, *messages: Outgoing, timeout: float = 5.0) -> None:
        """Publish and look."""
        super().publish(*messages, timeout=timeout)
        self.longest = max(self.longest, self.depth(SALES).ready)


def missed(count: int) -> list[Missed]:
    """So many sales that somebody missed."""
    why = Why.UNDELIVERED
    return [Missed(told(SessionId(f"cs_{n}")), why) for n in range(count)]


def test_no_more_is_put_ahead_of_the_stock_worker_than_it_works_off(scene: Scene, database_url: str) -> None:
    """A queue that gets shorter takes more, and is never longer than agreed."""
    broker = Watched(database_url, PIPELINE)
    feed = Feed(broker, Event(), ahead=150, patience=30)
    teller = Thread(target=feed.tell, args=(missed(1200),))
    teller.start()
    taken = 0
    while teller.is_alive() or scene.queue.depth(SALES).ready:
        taken += len(scene.waiting())
    teller.join(30)
    broker.close()
    assert taken == 1200
    assert AT_ONCE < broker.longest < 150 + AT_ONCE


def test_a_queue_that_nobody_works_off_fails_the_run_in_words(
    scene: Scene, shirt: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a stock worker a few thousand messages are put there, and no more, however many are missed."""
    feed = Feed(scene.queue, Event(), ahead=150, patience=0.2)
    with pytest.raises(Crowded, match="150 messages wait in the queue of sales"):
        feed.tell(missed(1200))
    assert 150 <= scene.queue.depth(SALES).ready < 150 + AT_ONCE
    assert AHEAD <= 5000
    scene.sell(shirt, 3)
    scene.age()
    monkeypatch.setattr("services.reconciler.recover.Feed", partial(Feed, ahead=150, patience=0.2))
    with pytest.raises(JobFailed, match="nobody works them off"):
        scene.run()
