from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.stock_worker.handlers import on_sales
from shared.messages import ProductChanged, SessionPaid
from shared.outcomes import Ignored
from shared.recovery.search import Search
from shared.topology import PRODUCTS, SALES
from shared.vocabulary import EventId, ProductId, SessionId
from tests.integration.reconciler.missed import (
    FIGURES,
    HOUR,
    LOST,
    NO_EVENT,
    NOWHERE,
    UNDELIVERED,
    Scene,
    told,
)
from tests.support.waiting import until


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


def _open(scene: Scene, product: ProductId) -> SessionId:
    """A session that somebody has opened."""
    wanted: Any = {
        "mode": "payment",
        "success_url": "https://shop.example",
        "line_items": [scene.shop.line(product, "M")],
    }
    return SessionId(scene.shop.stripe.v1.checkout.sessions.create(wanted).id)


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
