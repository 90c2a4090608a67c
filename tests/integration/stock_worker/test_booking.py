from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from services.stock_worker.handlers import on_sales
from shared.messages import CheckupRequested, SessionPaid
from shared.outcomes import Done, Ignored, Outage, Reject, RetryLater
from shared.vocabulary import AccountKey, EventId, ProductId
from shared.webhook_events import CHECKUP
from tests.integration.stock_worker.shop import ACCOUNT, Shop


def test_a_paid_sale_takes_its_units_off_in_stripe(shop: Shop) -> None:
    """A booked session ends as a smaller number in the product's metadata."""
    shirt = shop.product(sizes="S,M", stock_S="10", stock_M="4")
    shop.book(shop.sold(shop.line(shirt, "S", 3)))
    assert shop.stock(shirt) == {"S": "7", "M": "4"}
    assert shop.movements(shirt)[-1] == ("sale", "S", -3)


def test_fault_26_a_session_told_again_counts_once(shop: Shop) -> None:
    """Repeats in one batch and in later ones change nothing."""
    shirt = shop.product(stock="10")
    session = shop.sold(shop.line(shirt, "", 2))
    first, second = shop.book(session, session)
    assert isinstance(first, Done)
    assert isinstance(second, Ignored)
    assert shop.book(session) == [Ignored("booked before")]
    assert shop.stock(shirt) == {"": "8"}


def test_fault_25_one_session_from_eight_workers_at_once_counts_once(shop: Shop) -> None:
    """Concurrent bookings of one session leave one movement."""
    shirt = shop.product(stock="10")
    session = shop.sold(shop.line(shirt, "", 2))
    workers = [threading.Thread(target=shop.book, args=(session,)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [m for m in shop.movements(shirt) if m[0] == "sale"] == [("sale", "", -2)]
    shop.sync(shirt)
    assert shop.stock(shirt) == {"": "8"}


def test_fault_25_without_the_unique_source_key_a_session_would_count_twice(shop: Shop) -> None:
    """The negative control: with the key's uniqueness gone, a session told twice counts twice."""
    shirt = shop.product(stock="50")
    with shop.database.transaction() as connection:
        connection.execute("alter table movement drop constraint movement_source_key_key")
        connection.execute(
            "create function movement_any() returns trigger language plpgsql as $$ begin "
            "new.source_key := new.source_key || clock_timestamp()::text || random()::text; "
            "return new; end $$"
        )
        connection.execute(
            "create trigger movement_any before insert on movement "
            "for each row execute function movement_any()"
        )
        connection.execute("create unique index movement_source_key_key on movement (source_key)")
    session = shop.sold(shop.line(shirt, "", 2))
    shop.book(session)
    with shop.database.transaction() as connection:
        connection.execute("delete from sale")
    shop.book(session)
    assert [m for m in shop.movements(shirt) if m[0] == "sale"] == [("sale", "", -2)] * 2


@pytest.mark.parametrize("lines", [1, 10, 11, 100])
def test_fault_30_all_lines_of_a_long_session_are_booked(shop: Shop, lines: int) -> None:
    """Sessions beyond Stripe's first page of lines are booked whole."""
    shirt = shop.product(stock="500")
    shop.book(shop.sold(*[shop.line(shirt, "", 1) for _ in range(lines)]))
    assert shop.stock(shirt) == {"": str(500 - lines)}


def test_fault_32_an_unpaid_session_moves_nothing(shop: Shop) -> None:
    """A session that is open, or completed but unpaid, is ignored; once it is paid it counts."""
    shirt = shop.product(stock="10")
    wanted = {"mode": "payment", "success_url": "https://x.example", "line_items": [shop.line(shirt, "", 4)]}
    session = shop.stripe.v1.checkout.sessions.create(wanted).id  # pyright: ignore[reportArgumentType] - a plain dict
    assert shop.book(session) == [Ignored("not paid")]  # pyright: ignore[reportArgumentType] - a plain id
    shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "unpaid"})
    assert shop.book(session) == [Ignored("not paid")]  # pyright: ignore[reportArgumentType] - a plain id
    shop.control(f"/_checkout/sessions/{session}/pay", {"outcome": "async_succeed"})
    shop.book(session)  # pyright: ignore[reportArgumentType] - a plain id
    assert shop.stock(shirt) == {"": "6"}


def test_fault_33_an_unplaceable_line_waits_and_is_told(shop: Shop) -> None:
    """A line of an unknown size is kept with its key and an alert; its neighbour is booked."""
    shirt = shop.product(sizes="S", stock_S="10")
    mug = shop.product(stock="5")
    session = shop.sold(shop.line(shirt, "XXL", 2), shop.line(mug, "", 1))
    shop.book(session)
    shop.book(session)
    assert shop.stock(mug) == {"": "4"}
    assert shop.stock(shirt) == {"S": "10"}
    with shop.database.transaction() as connection:
        held = connection.execute(
            "select product_id, size_hint, quantity, state from unplaced_sale"
        ).fetchall()
    assert held == [(shirt, "XXL", 2, "open")]
    assert [kind for kind, _ in shop.alerts()] == ["unplaced_sale", "low_stock"]


def test_a_sale_of_a_deleted_product_waits_for_a_person(shop: Shop) -> None:
    """After a product's end its ledger is closed at 0, and a manifest that names it is held."""
    shirt = shop.product(stock="10")
    shop.sync(shirt)
    named = {"item_1_product_id": shirt, "item_1_quantity": "1"}
    inline = {"price_data": {"currency": "eur", "unit_amount": 1, "product_data": {"name": "Shirt"}}}
    session = shop.sold({**inline, "quantity": 1}, **named)
    shop.stripe.v1.products.delete(shirt)
    with shop.database.transaction() as connection:
        connection.execute("update product set dirty_since = now()")
    shop.sync(shirt)
    assert shop.movements(shirt)[-1] == ("closed", "", -10)
    shop.book(session)
    assert [kind for kind, _ in shop.alerts()] == ["unplaced_sale"]


def test_a_size_that_came_after_the_first_look_can_be_sold(shop: Shop) -> None:
    """A size added in the Dashboard is adopted when a sale of it comes before the event."""
    shirt = shop.product(sizes="S", stock_S="10")
    shop.sync(shirt)
    shop.dashboard(shirt, sizes="S,L", stock_L="6")
    shop.book(shop.sold(shop.line(shirt, "L", 2)))
    assert shop.stock(shirt) == {"S": "10", "L": "4"}


@pytest.mark.parametrize("kind", ["error_before", "status"])
def test_fault_41_a_failing_lookup_is_retried_and_books_nothing(shop: Shop, kind: str) -> None:
    """Where the session can't be read nothing is booked, and its neighbours are."""
    shirt = shop.product(stock="10")
    lost, read = shop.sold(shop.line(shirt, "", 1)), shop.sold(shop.line(shirt, "", 2))
    shop.fault(kind, method="GET", path=lost, count=3, status=503)
    outcomes = shop.book(lost, read)
    assert isinstance(outcomes[0], RetryLater)
    assert shop.stock(shirt) == {"": "8"}
    shop.book(lost)
    assert shop.stock(shirt) == {"": "7"}


def test_fault_75_stripe_asking_for_patience_pauses_the_worker(shop: Shop) -> None:
    """429s that do not end are an outage, not an attempt."""
    session = shop.sold(shop.line(shop.product(stock="10"), "", 1))
    shop.fault("rate_limit", method="GET", path="checkout", count=3)
    with pytest.raises(Outage):
        shop.book(session)


def test_fault_87_a_refused_key_is_told_once_and_resumes_by_itself(shop: Shop) -> None:
    """401 pauses with one alert; the next write that Stripe takes ends it."""
    shirt = shop.product(stock="10")
    session = shop.sold(shop.line(shirt, "", 1))
    shop.fault("status", status=401, path="checkout/sessions/", count=2)
    for _ in range(2):
        with pytest.raises(Outage):
            shop.book(session)
    assert shop.alerts() == [("stripe_refused", "self:test")]
    shop.book(session)
    assert shop.alerts() == []
    assert shop.stock(shirt) == {"": "9"}


def test_a_hot_product_needs_few_writes(shop: Shop) -> None:
    """100 sales in two batches make at most a handful of writes."""
    mug = shop.product(stock="1000")
    sessions = [shop.sold(shop.line(mug, "", 1)) for _ in range(100)]
    for batch in (sessions[:50], sessions[50:]):
        shop.book(*batch)
    assert shop.stock(mug) == {"": "900"}
    assert len(shop.write_states(mug)) <= 2


def test_a_product_without_stock_is_left_alone(shop: Shop) -> None:
    """A product with neither `sizes` nor `stock` never gets a key from us."""
    gift = shop.product(category="gift")
    shop.book(shop.sold(shop.line(ProductId(gift), "", 1)))
    assert shop.metadata(gift) == {"category": "gift"}
    assert shop.alerts() == []


def test_a_checkup_leaves_a_line_in_the_delivery_log_and_nothing_else(shop: Shop) -> None:
    """A check-up between two sales is answered in its place; it books nothing and makes no product."""
    mug = shop.product(stock="2")
    sold, now = shop.sold(shop.line(mug, "", 1)), datetime.now(UTC)
    checkup = CheckupRequested(account=ACCOUNT, event=EventId("evt_checkup"), at=now)
    stranger = checkup.model_copy(update={"account": AccountKey("self:live")})
    sale = SessionPaid(account=ACCOUNT, session=sold, at=now)
    outcomes = on_sales([checkup, sale, stranger], shop.deps)
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Reject]
    with shop.database.transaction() as connection:
        logged = connection.execute("select event_id, type, outcome from delivery").fetchall()
        known = connection.execute("select id from product").fetchall()
    assert logged == [("evt_checkup", CHECKUP, "done")]
    assert known == [(mug,)]
