from __future__ import annotations

import pytest
import requests

from services.stock_worker.selling import Rhythm
from shared.stripe_api.answers import WriteAnswer
from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.shop import STALLED, Shop
from tests.integration.stock_worker.till import CHOOSER, Till, till


def _pay(shop: Shop, session: SessionId) -> bool:
    """Whether the customer could pay."""
    return requests.post(f"{shop.url}/_checkout/sessions/{session}/pay", json={}, timeout=10).ok


def test_the_last_unit_is_not_sold_twice(shop: Shop, shirt: ProductId) -> None:
    """Two customers hold it; once the first has paid and that is booked, the second can't any more."""
    desk = till(shop, "off", expire=True)
    first, second, other = desk.open(shirt, "S"), desk.open(shirt, "S"), desk.open(shirt, "M")
    assert _pay(shop, first)
    shop.book(first)
    desk.look()
    assert not _pay(shop, second)
    assert desk.expired() == {second: "expired"}
    assert _pay(shop, other)


def test_without_it_the_last_unit_is_sold_twice(shop: Shop, shirt: ProductId) -> None:
    """The control: both customers pay, and people hear of an oversold size."""
    desk = till(shop, "links", expire=False)
    first, second = desk.open(shirt, "S"), desk.open(shirt, "S")
    assert _pay(shop, first)
    shop.book(first)
    desk.look()
    assert _pay(shop, second)
    shop.book(second)
    assert "oversold" in {kind for kind, _ in shop.alerts()}


def test_a_session_whose_customer_still_chooses_expires_with_the_last_size(
    shop: Shop, shirt: ProductId
) -> None:
    """Until then there is something to choose."""
    desk = till(shop, "off", expire=True)
    session = desk.open(shirt, "", custom_fields=[CHOOSER])
    desk.sell(shirt, "S")
    desk.look()
    assert desk.status(session) == "open"
    desk.sell(shirt, "M")
    desk.look()
    assert desk.status(session) == "expired"


def test_a_session_that_is_paid_meanwhile_is_no_error(
    shop: Shop, shirt: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe refuses, the record says that it was over, and the other sessions expire."""
    desk = till(shop, "off", expire=True)
    other, paid = desk.open(shirt, "S"), desk.open(shirt, "S")
    desk.sell(shirt, "S")
    expire = desk.stripe.expire

    def after_payment(session: SessionId) -> WriteAnswer:
        if session == paid:
            _pay(shop, paid)
        return expire(session)

    monkeypatch.setattr(desk.stripe, "expire", after_payment)
    desk.look()
    assert desk.expired() == {paid: "over", other: "expired"}


@pytest.mark.parametrize("kind", ["timeout_before", "timeout_after", "error_after"])
def test_an_answer_that_got_lost_is_found_out_at_the_next_look(
    shop: Shop, shirt: ProductId, kind: str
) -> None:
    """Whether Stripe expired it or not, the record says in the end that it is."""
    desk = till(shop, "off", expire=True)
    session = desk.open(shirt, "S")
    desk.sell(shirt, "S")
    shop.fault(kind, method="POST", path="expire", seconds=STALLED)
    desk.look()
    assert desk.expired() == {session: "planned"}
    desk.look()
    assert desk.expired() == {session: "expired"}
    assert desk.status(session) == "expired"


def test_what_is_back_by_the_next_look_is_not_expired(shop: Shop, shirt: ProductId) -> None:
    """A call that did not come through is not made up for once the size is in stock again."""
    desk = till(shop, "off", expire=True)
    session = desk.open(shirt, "S")
    desk.sell(shirt, "S")
    shop.fault("timeout_before", method="POST", path="expire", seconds=STALLED)
    desk.look()
    assert desk.expired() == {session: "planned"}
    desk.restock(shirt, stock_S="5")
    desk.sell(shirt, "M")  # something else is gone, so sessions are looked at
    desk.look()
    assert desk.status(session) == "open"
    assert desk.expired() == {}


def test_sessions_on_several_pages_and_with_many_lines_are_found(shop: Shop, shirt: ProductId) -> None:
    """The size that is gone is the last of twelve lines, behind a hundred sessions of others."""
    desk = till(shop, "off", expire=True)
    rows = [shop.line(shirt, "M")] * 11 + [shop.line(shirt, "S")]
    long = desk.open(shirt, "S", line_items=rows)
    short = desk.open(shirt, "S")
    for _ in range(101):
        desk.open(shirt, "M")
    desk.sell(shirt, "S")
    shop.forget()
    desk.look()
    assert desk.expired() == {long: "expired", short: "expired"}
    assert shop.calls()["GET /v1/checkout/sessions"] == 2


def test_what_stays_gone_is_looked_at_once_a_minute(shop: Shop, shirt: ProductId) -> None:
    """What runs out in between is looked at once."""
    desk = till(shop, "off", expire=True, rhythm=Rhythm())
    desk.sell(shirt, "S")
    desk.look()
    late = desk.open(shirt, "S")
    desk.look(3)
    assert desk.status(late) == "open"
    desk.sell(shirt, "M")
    desk.look()
    assert _states(desk, late) == ["expired"]


def _states(desk: Till, *sessions: SessionId) -> list[str | None]:
    return [desk.status(session) for session in sessions]
