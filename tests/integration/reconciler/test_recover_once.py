from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from services.reconciler import doubts
from services.stock_worker.handlers import on_sales
from services.stripe_simulator.simulator import Simulator
from shared.recovery import whereabouts
from shared.recovery.feed import Feed
from shared.recovery.plan import Missed, Why
from shared.recovery.search import Found
from shared.topology import SALES
from shared.vocabulary import EventId, ProductId, SessionId
from tests.integration.reconciler.missed import FIGURES, HOUR, SALES_ONLY, Scene, told
from tests.support.waiting import until

DAY = 24 * HOUR


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator without webhooks: Stripe counts every event as delivered."""
    with Simulator.start(port=0, webhook_events=SALES_ONLY) as started:
        yield started


def compared(scene: Scene, hours: int) -> None:
    """The last run ended so many hours ago."""
    scene.execute(
        b"insert into recovery (account, events_until, sessions_until)"
        b" values ('self:test', now() - interval '%d hours', now() - interval '%d hours')" % (hours, hours)
    )


def test_a_delayed_payment_is_found_whenever_its_session_was_made(scene: Scene, shirt: ProductId) -> None:
    """Its webhook was answered and the message lost; the session is older than the list is compared."""
    wanted: Any = {
        "mode": "payment",
        "success_url": "https://shop.example",
        "line_items": [scene.shop.line(shirt, "M")],
    }
    session = SessionId(scene.shop.stripe.v1.checkout.sessions.create(wanted).id)
    scene.shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "unpaid"})
    scene.age(4 * DAY)
    scene.shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "async_succeed"})
    compared(scene, 1)
    assert scene.run() == {**FIGURES, "in_transit": 1}
    scene.age()
    with scene.worker():
        assert scene.run()["missed_sales"] == 1
    assert scene.sales()[session][:2] == ("recovery", Why.LOST.value)
    assert scene.run() == FIGURES


@pytest.mark.parametrize("hours", [5 * 24, None], ids=["off for five days", "never run before"])
def test_after_days_off_all_sales_since_the_last_run_are_compared(
    scene: Scene, shirt: ProductId, hours: int | None
) -> None:
    """A sale of the first day off is found though it is older than three days, and the next run begins later."""
    sessions = scene.sell(shirt, 2)
    scene.age(4 * DAY)
    if hours is not None:
        compared(scene, hours)
    with scene.worker():
        assert scene.run()["missed_sales"] == 2
    assert scene.sales().keys() == set(sessions)
    with scene.tools.database.transaction() as connection:
        ((until,),) = connection.execute("select sessions_until from recovery").fetchall()
    assert datetime.now(UTC) - until < timedelta(minutes=30)


def test_more_dead_letters_than_are_read_do_not_multiply(
    scene: Scene, shirt: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told of and is not among those that were read is taken to be among the others, however long ago."""
    monkeypatch.setattr(whereabouts, "MOST_PARKED", 2)
    scene.sell(shirt, 3)
    scene.age()
    assert scene.run(patience=0.1)["missed_sales"] == 3
    scene.park(SALES)
    for ago in (b"1 minute", b"7 hours"):
        scene.execute(b"update recovery_told set told_at = now() - interval '%s'" % ago)
        assert scene.run() == {**FIGURES, "in_transit": 1, "in_dead_letters": 2}
    assert scene.queue.depth(SALES).ready == 0
    scene.sell(shirt)
    scene.age()
    assert scene.run(patience=0.1)["missed_sales"] == 1, "the control: what is new is told of"
    scene.park(SALES)
    monkeypatch.setattr(whereabouts, "MOST_PARKED", 10)
    assert scene.run() == {**FIGURES, "in_dead_letters": 4}


def test_doubts_of_a_run_that_failed_later_are_told_by_the_next(scene: Scene, shirt: ProductId) -> None:
    """A finding that was kept before the run came to its end is mailed once one does, and only then."""
    scene.shop.fault("event_lost", type="checkout")
    (session,) = scene.sell(shirt)
    scene.age()
    Feed(scene.queue, Event()).tell([Missed(told(session), Why.UNKNOWN)])
    scene.park(SALES)
    doubts.note(Found(parked=(session,)), scene.tools)
    assert ("finding", "self:test") not in scene.shop.alerts()
    for _ in range(2):
        assert scene.run() == {**FIGURES, "in_dead_letters": 1}
        with scene.tools.database.transaction() as connection:
            rows = connection.execute("select revision from alert where kind = 'finding'").fetchall()
        assert rows == [(1,)]


def test_what_was_told_of_is_told_again_only_after_hours(scene: Scene, shirt: ProductId) -> None:
    """No event tells that its message is being tried again: for as long as one is tried, it is in transit."""
    scene.shop.fault("event_lost", type="checkout")
    scene.sell(shirt)
    scene.age()
    assert scene.run(patience=0.1)["missed_sales"] == 1
    scene.waiting()
    assert scene.run() == {**FIGURES, "in_transit": 1}
    scene.execute(b"update recovery_told set told_at = now() - interval '7 hours'")
    assert scene.run(patience=0.1)["missed_sales"] == 1


def test_what_waits_unread_is_not_missed(scene: Scene, shirt: ProductId) -> None:
    """While the stock worker is away webhooks wait in its queue: nothing is told again, and nobody is alarmed."""
    sessions = scene.sell(shirt, 3)
    scene.age()
    Feed(scene.queue, Event()).tell([Missed(told(one), Why.UNKNOWN) for one in sessions])
    assert scene.run(patience=0.1) == {**FIGURES, "in_transit": 3}
    assert scene.queue.depth(SALES).ready == 3
    with scene.worker():
        assert scene.run() == FIGURES
    assert {(origin, reason) for origin, reason, _ in scene.sales().values()} == {("webhook", "")}
    assert scene.alert() == []


def test_what_was_lost_before_others_waited_is_missed(scene: Scene, shirt: ProductId) -> None:
    """A webhook that was handled, of an event after theirs, shows that their messages are not among those that wait."""
    lost = scene.sell(shirt, 2)
    scene.age()
    handled, waits = scene.sell(shirt, 2)
    on_sales([told(handled).model_copy(update={"event": EventId("evt_later")})], scene.shop.deps)
    Feed(scene.queue, Event()).tell([Missed(told(waits), Why.UNKNOWN)])
    assert scene.run(patience=0.1) == {**FIGURES, "missed_sales": 2, "in_transit": 1}
    with scene.worker():
        until("all to be booked", lambda: scene.queue.depth(SALES).ready == 0)
    assert {one for one, (origin, _, _) in scene.sales().items() if origin == "recovery"} == set(lost)
