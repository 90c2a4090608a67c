from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest

from services.backoffice.operations import recover as operations
from services.reconciler.jobs import JobFailed
from services.stock_worker.handlers import on_sales
from services.stripe_simulator.simulator import Simulator
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.broker.port import Outgoing, Unconfirmed
from shared.messages import ProductChanged, SessionPaid
from shared.outcomes import Ignored, Outage, RetryLater
from shared.recovery.feed import AHEAD, AT_ONCE, Crowded, Feed
from shared.recovery.plan import Missed, Why
from shared.recovery.search import Search
from shared.topology import PIPELINE, PRODUCTS, SALES
from shared.vocabulary import EventId, ProductId, SessionId
from tests.integration.reconciler.missed import (
    FIGURES,
    HOUR,
    NOWHERE,
    SALES_ONLY,
    Scene,
    told,
)
from tests.support.waiting import until

UNDELIVERED, NO_EVENT, LOST = (why.value for why in (Why.UNDELIVERED, Why.NO_EVENT, Why.LOST))


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator whose webhooks of sales are refused by whoever is at the address, once each."""
    secret = "whsec_" + "0123456789abcdef" * 2
    options: dict[str, Any] = {"webhook_url": NOWHERE, "webhook_events": SALES_ONLY, "retry_delays": ()}
    with Simulator.start(port=0, webhook_secret=secret, **options) as started:
        yield started


def test_a_sale_whose_webhook_was_not_delivered_is_booked_once_with_reason_and_delay(
    scene: Scene, shirt: ProductId
) -> None:
    """It comes off the stock as by its webhook, whose late arrival changes nothing and is noted."""
    (session,) = scene.sell(shirt)
    scene.age()
    with scene.worker():
        figures = scene.run()
        until("the number in Stripe", lambda: scene.shop.stock(shirt) == {"M": "999"})
    assert figures == {**FIGURES, "missed_sales": 1, "recovered": 1}
    ((origin, reason, delay),) = scene.sales().values()
    assert (origin, reason) == ("recovery", UNDELIVERED)
    assert delay is not None
    assert timedelta(hours=1) <= delay < timedelta(hours=1, minutes=1)
    with scene.tools.database.transaction() as connection:
        (event, arrived) = connection.execute("select event_id, arrived_at from delivery").fetchall()[0]
    assert arrived is None
    late = told(session).model_copy(update={"event": EventId(event)})
    assert on_sales([late], scene.shop.deps) == [Ignored("booked before")]
    assert scene.run() == FIGURES
    assert scene.shop.movements(shirt) == [("opening", "M", 1000), ("sale", "M", -1)]
    with scene.tools.database.transaction() as connection:
        rows = connection.execute("select handled, arrived_at is not null from delivery").fetchall()
    assert rows == [(2, True)]


def test_a_webhook_that_comes_first_is_no_recovery(scene: Scene, shirt: ProductId) -> None:
    """Where webhook and recovery tell of a sale in one batch, it is booked as the webhook's."""
    (session,) = scene.sell(shirt)
    webhook = told(session)
    recovery = webhook.model_copy(update={"origin": "recovery", "reason": UNDELIVERED})
    for batch in ([webhook, recovery], [recovery, webhook]):
        on_sales(batch, scene.shop.deps)
    assert scene.sales() == {session: ("webhook", "", None)}


def test_a_sale_that_stripe_made_no_event_for_is_found_in_the_list(scene: Scene, shirt: ProductId) -> None:
    """Nothing but the list of paid sessions knows of it; it says so, and its delay counts from its making."""
    scene.shop.fault("event_lost", type="checkout")
    (session,) = scene.sell(shirt)
    scene.age()
    with scene.worker():
        assert scene.run()["missed_sales"] == 1
    origin, reason, delay = scene.sales()[session]
    assert (origin, reason) == ("recovery", NO_EVENT)
    assert delay is not None
    assert delay >= timedelta(hours=1)


def test_fault_116_sales_lost_with_a_purged_queue_are_rebuilt(scene: Scene, shirt: ProductId) -> None:
    """Webhooks that were answered and whose messages are gone are told of again by the next run."""
    wanted = scene.shop.stripe.v1.webhook_endpoints.list().data[0]
    scene.shop.stripe.v1.webhook_endpoints.update(wanted.id, {"disabled": True})
    sessions = scene.sell(shirt, 3)
    scene.shop.stripe.v1.webhook_endpoints.update(wanted.id, {"disabled": False})
    scene.age()
    with scene.worker():
        assert scene.run()["missed_sales"] == 3
    assert {reason for _, reason, _ in scene.sales().values()} == {LOST}
    assert scene.sales().keys() == set(sessions)


def test_what_is_not_paid_is_not_touched(scene: Scene, shirt: ProductId) -> None:
    """Open, expired, unpaid and failed sessions are no sales, whatever events were lost."""
    client = scene.shop.stripe.v1.checkout.sessions
    opened = [_open(scene, shirt) for _ in range(4)]
    client.expire(opened[1])
    scene.shop.control(f"/_checkout/sessions/{opened[2]}/pay", {"outcome": "unpaid"})
    scene.shop.control(f"/_checkout/sessions/{opened[3]}/pay", {"outcome": "async_fail"})
    scene.age()
    assert scene.run() == FIGURES
    assert scene.waiting() == []


def test_a_delayed_payment_is_recovered_from_its_own_event(scene: Scene, shirt: ProductId) -> None:
    """The event that told of the payment was lost: the delay counts from then, not from the order."""
    session = _open(scene, shirt)
    scene.shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "unpaid"})
    scene.age(50 * HOUR)
    assert scene.run() == FIGURES
    scene.shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "async_succeed"})
    scene.age(2 * HOUR)
    with scene.worker():
        assert scene.run()["missed_sales"] == 1
    _, reason, delay = scene.sales()[session]
    assert reason == UNDELIVERED
    assert delay is not None
    assert timedelta(hours=2) <= delay < timedelta(hours=3)


def test_what_was_sold_just_now_is_in_transit(scene: Scene, shirt: ProductId) -> None:
    """A sale of the last quarter of an hour is only counted, also one of a cart that was filled long before."""
    late = _open(scene, shirt)
    scene.age()
    scene.sell(shirt)
    scene.shop.control(f"/_checkout/sessions/{late}/pay")
    assert scene.run() == {**FIGURES, "in_transit": 2}
    assert scene.waiting() == []


def test_what_was_paid_before_the_installation_is_in_its_opening_balance(
    scene: Scene, shirt: ProductId
) -> None:
    """Neither an undelivered event nor the list brings back what the numbers at the beginning contain."""
    scene.execute(b"update installation set created_at = now() - interval '30 minutes'")
    scene.sell(shirt)
    scene.shop.fault("event_lost", type="checkout")
    scene.sell(shirt)
    scene.age()
    assert scene.run() == FIGURES
    assert scene.waiting() == []


def test_before_the_first_stock_worker_has_run_there_is_nothing_to_recover(scene: Scene) -> None:
    """Without an installation nothing is read from Stripe, let alone told."""
    scene.execute(b"delete from installation")
    scene.reads()
    assert scene.run() == FIGURES
    assert scene.reads() == {}


def test_a_quiet_run_costs_three_reads(scene: Scene, shirt: ProductId) -> None:
    """A page of undelivered events, of delayed payments, of paid sessions, of a shop where all webhooks came."""
    sessions = scene.sell(shirt, 60)
    scene.age()
    with scene.worker():
        scene.run()
    assert scene.sales().keys() == set(sessions)
    scene.reads()
    assert scene.run() == FIGURES
    assert scene.reads() == {"GET /v1/events": 2, "GET /v1/checkout/sessions": 1}


def test_hundreds_are_found_page_by_page_oldest_event_first(scene: Scene, shirt: ProductId) -> None:
    """250 undelivered events and 120 sales without one are each told of once, events in the order they happened."""
    undelivered: list[SessionId] = []
    for _ in range(5):
        undelivered += scene.sell(shirt, 50)
        scene.age(10)
    scene.shop.fault("event_lost", type="checkout", count=120)
    eventless = [*scene.sell(shirt, 100), *scene.sell(shirt, 20)]
    scene.age()
    assert scene.run(patience=0.1)["missed_sales"] == 370
    messages = [message for message in scene.waiting() if isinstance(message, SessionPaid)]
    assert [m.session for m in messages if m.reason == UNDELIVERED] == undelivered
    assert {m.session for m in messages if m.reason == NO_EVENT} == set(eventless)
    assert len(messages) == 370
    assert all(message.event for message in messages[:250])


def test_a_product_change_that_no_webhook_told_of_is_told_once(scene: Scene, shirt: ProductId) -> None:
    """An edit whose event was not delivered is booked and synced; the next run does not tell of it again."""
    secret = scene.shop.stripe.v1.webhook_endpoints.create(
        {"url": NOWHERE, "enabled_events": ["product.updated"]}
    )
    scene.shop.dashboard(shirt, stock_M="40")
    scene.shop.stripe.v1.webhook_endpoints.delete(secret.id)
    scene.age()
    assert scene.run(patience=0.1) == {**FIGURES, "missed_product_changes": 1}
    (message,) = scene.waiting(PRODUCTS)
    assert isinstance(message, ProductChanged)
    assert (message.origin, message.product, message.metadata["stock_M"]) == ("recovery", shirt, "40")
    with scene.worker():
        assert scene.run()["missed_product_changes"] == 1
        until("the edit to be synced", lambda: bool(scene.shop.metadata(shirt).get("stock_rev")))
    assert scene.shop.movements(shirt)[-1] == ("external", "M", -960)
    assert scene.run() == FIGURES


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
    runner.join(10)
    assert ended[0] - begun < 2
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


def test_a_sale_that_is_in_the_dead_letters_is_not_told_of_again(scene: Scene, shirt: ProductId) -> None:
    """It waits there for a person, and every run would only add another; once it is gone it is told of."""
    scene.shop.fault("event_lost", type="checkout")
    (session,) = scene.sell(shirt)
    scene.age()
    stray = told(session).model_copy(update={"account": "self:live"})
    Feed(scene.queue, Event()).tell([Missed(stray, Why.UNKNOWN)])
    with scene.worker():
        until("the message to be rejected", lambda: scene.queue.depth(SALES).dead == 1)
    assert scene.run() == {**FIGURES, "in_dead_letters": 1}
    assert _findings(scene) == [("sale_not_booked", session, "open")]
    scene.queue.replay(SALES)
    scene.waiting()
    with scene.worker():
        assert scene.run()["missed_sales"] == 1
        scene.run()
    assert scene.sales().keys() == {session}
    assert _findings(scene) == [("sale_not_booked", session, "resolved")]


def test_a_sale_that_is_being_tried_again_is_in_transit(scene: Scene, shirt: ProductId) -> None:
    """Its webhook came and could not be handled yet: it is told of only when it has been tried for hours."""
    (session,) = scene.sell(shirt)
    event = next(
        EventId(event["id"])
        for event in scene.simulator.world.events.values()
        if event["type"] == "checkout.session.completed"
    )
    scene.age()
    scene.shop.fault("status", path=session, status=503, count=3)
    webhook = told(session).model_copy(update={"event": event})
    assert isinstance(on_sales([webhook], scene.shop.deps)[0], RetryLater)
    assert scene.run() == {**FIGURES, "in_transit": 1}
    assert scene.waiting() == []
    scene.execute(b"update delivery set first_handled_at = now() - interval '7 hours'")
    assert scene.run(patience=0.1)["missed_sales"] == 1


def test_a_booked_session_that_stripe_does_not_show_as_paid_is_remembered(
    scene: Scene, shirt: ProductId
) -> None:
    """It is counted in every run, asked for by id once, and forgotten when Stripe shows it again."""
    session, other = scene.sell(shirt, 2)
    scene.age()
    with scene.worker():
        scene.run()
    hidden = scene.simulator.world.sessions.pop(session)
    scene.reads()
    for calls in (1, 0):
        assert scene.run() == {**FIGURES, "booked_but_not_paid": 1}
        assert scene.reads().get("GET /v1/checkout/sessions/{id}", 0) == calls
    assert _unlisted(scene) == [session]
    assert _findings(scene) == [("sale_unknown", session, "open")]
    scene.simulator.world.sessions = {session: hidden, other: scene.simulator.world.sessions[other]}
    assert scene.run() == FIGURES
    assert _unlisted(scene) == []
    assert _findings(scene) == [("sale_unknown", session, "resolved")]


def test_one_alert_tells_of_all_sales_of_a_run_and_ends_after_a_healthy_one(
    scene: Scene, shirt: ProductId
) -> None:
    """However many sales, however many batches: one alert with count, reasons, first, last and longest delay."""
    first, *_ = scene.sell(shirt, 180)
    scene.age(2 * HOUR)
    scene.shop.fault("event_lost", type="checkout", count=20)
    *_, last = scene.sell(shirt, 20)
    scene.age()
    with scene.worker():
        assert scene.run()["recovered"] == 200
    ((facts, revision),) = scene.alert()
    assert revision == 1
    assert facts["reasons"] == {UNDELIVERED: 180, NO_EVENT: 20}
    assert (facts["recovered"], 3 * HOUR <= facts["delay"] < 3 * HOUR + 120) == (200, True)
    made = {one: scene.simulator.world.sessions[one]["created"] for one in scene.sales()}
    assert (made[facts["first"]], made[facts["last"]]) == (made[first], made[last])
    scene.run()
    assert len(scene.alert()) == 1, "nobody was told yet"
    scene.execute(b"update alert set mailed_at = now()")
    scene.run()
    assert scene.alert() == []


def test_sales_that_are_recovered_soon_after_are_added_without_another_mail(
    scene: Scene, shirt: ProductId
) -> None:
    """While webhooks stay away every run recovers some: the alert counts them, people hear again hours later."""
    _recovered(scene, shirt, 3)
    scene.execute(b"update alert set mailed_at = now() - interval '1 hour'")
    _recovered(scene, shirt, 1)
    assert (scene.alert()[0][0]["recovered"], _is_mailed(scene)) == (4, True)
    scene.execute(b"update alert set mailed_at = now() - interval '7 hours'")
    _recovered(scene, shirt, 2)
    assert (scene.alert()[0][0]["recovered"], _is_mailed(scene)) == (6, False)


def _recovered(scene: Scene, product: ProductId, count: int) -> None:
    """So many sales were missed, and a run recovers them."""
    scene.sell(product, count)
    scene.age()
    with scene.worker():
        assert scene.run()["recovered"] == count


def _is_mailed(scene: Scene) -> bool:
    with scene.tools.database.transaction() as connection:
        return connection.execute("select mailed_at is not null from alert").fetchone() == (True,)


def _open(scene: Scene, product: ProductId) -> SessionId:
    """A session that somebody has opened."""
    wanted: Any = {
        "mode": "payment",
        "success_url": "https://shop.example",
        "line_items": [scene.shop.line(product, "M")],
    }
    return SessionId(scene.shop.stripe.v1.checkout.sessions.create(wanted).id)


def _findings(scene: Scene) -> list[tuple[str, str, str]]:
    with scene.shop.database.transaction() as connection:
        rows = connection.execute("select cause, subject, state from finding order by id")
        return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def _unlisted(scene: Scene) -> list[str]:
    with scene.tools.database.transaction() as connection:
        rows = connection.execute("select session_id from sale where unlisted_since is not null")
        return [str(row[0]) for row in rows]


def test_a_search_only_reads(scene: Scene, shirt: ProductId) -> None:
    """Looking alone changes neither database nor queue."""
    scene.sell(shirt, 2)
    scene.age()
    search = Search(scene.places)
    window = search.window()
    assert window is not None
    found = [*search.events(window), *search.sessions(window)]
    assert sum(len(one.missed) for one in found) == 2
    assert scene.queue.depth(SALES).ready == 0
    assert scene.sales() == {}
    with scene.tools.database.transaction() as connection:
        assert connection.execute("select count(*) from recovery").fetchone() == (0,)
