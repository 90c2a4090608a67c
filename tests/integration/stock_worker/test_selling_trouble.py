from __future__ import annotations

import pytest

from services.stock_worker.selling import Rhythm
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, STALLED, Shop
from tests.integration.stock_worker.till import Till, till


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("resuming", [False, True])
def test_a_crash_around_a_call_heals_at_the_next_look(
    shop: Shop, shirt: ProductId, monkeypatch: pytest.MonkeyPatch, *, sent: bool, resuming: bool
) -> None:
    """Whether the call was made or not: another worker goes on from the record, and takes it for ours."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    if resuming:
        desk.look()
        desk.restock(shirt, stock_S="1")
    _crashes(desk, monkeypatch, sent=sent)
    with pytest.raises(Crash):
        desk.look()
    assert desk.stops() == [(link, "resuming" if resuming else "planned", False)]
    assert desk.active(link) is (resuming is sent)
    desk = till(shop)
    desk.look()
    assert desk.active(link) is resuming
    desk.restock(shirt, stock_S="3")
    desk.look()
    assert desk.active(link)
    assert desk.stops() == [(link, "resumed", True)]


def _crashes(desk: Till, monkeypatch: pytest.MonkeyPatch, *, sent: bool) -> None:
    """The process ends before or after its next call that changes something."""
    send = desk.stripe.set_active

    def crash(*arguments: object, **named: object) -> None:
        if sent:
            send(*arguments, **named)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as they came
        raise Crash

    monkeypatch.setattr(desk.stripe, "set_active", crash)


def test_what_somebody_else_took_off_sale_during_a_crash_is_theirs(
    shop: Shop, shirt: ProductId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event log tells that no call of ours did it: first we wait for a late event, then it is left."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    _crashes(desk, monkeypatch, sent=False)
    with pytest.raises(Crash):
        desk.look()
    desk.by_hand(link, active=False)
    desk = till(shop)
    desk.look()
    assert desk.stops() == [(link, "planned", False)]
    with shop.database.transaction() as connection:
        connection.execute("update selling_stop set planned_at = now() - interval '1 hour', retry_at = now()")
    desk.look()
    desk.restock(shirt, stock_S="1")
    desk.look()
    assert desk.stops() == [(link, "left", True)]
    assert not desk.active(link)


@pytest.mark.parametrize(
    "kind", ["timeout_after", "timeout_before", "error_after", "error_before", "lock_timeout"]
)
def test_a_call_without_a_good_answer_is_made_again(shop: Shop, shirt: ProductId, kind: str) -> None:
    """A lost answer and an error stored under the key end well, and only one of Stripe's errors is stored."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    shop.fault(kind, method="POST", path="payment_links", seconds=STALLED)
    desk.look()
    assert desk.stops() == [(link, "planned", False)]
    desk.soon()
    desk.look()
    assert desk.stops() == [(link, "stopped", False)]
    assert not desk.active(link)


def test_a_try_that_failed_waits_before_the_next(shop: Shop, shirt: ProductId) -> None:
    """Looks are more frequent than tries of what Stripe does not take."""
    desk = till(shop, rhythm=Rhythm())
    desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    shop.fault("status", status=400, method="POST", path="payment_links", count=9)
    desk.look()
    shop.forget()
    desk.look(3)
    assert shop.calls() == {}


def test_one_link_that_can_not_be_read_keeps_no_other_on_sale(shop: Shop, shirt: ProductId) -> None:
    """It is stopped at the next look."""
    desk = till(shop)
    price = desk.price(shirt, "S")
    links = [desk.link(price) for _ in range(3)]
    desk.sell(shirt, "S")
    shop.fault("status", status=400, method="GET", path=f"payment_links/{links[1]}$")
    desk.look()
    assert [desk.active(link) for link in links] == [False, True, False]
    desk.look()
    assert not desk.active(links[1])


def test_a_missing_permission_is_one_alert_and_the_rest_goes_on(shop: Shop, shirt: ProductId) -> None:
    """Sessions expire though the key may not list payment links."""
    desk = till(shop, expire=True)
    session = desk.open(shirt, "S")
    desk.sell(shirt, "S")
    shop.fault("status", status=403, path="payment_links", count=9)
    desk.look(2)
    assert shop.alerts().count(("stripe_refused", f"{ACCOUNT} GET payment_links")) == 1
    assert desk.status(session) == "expired"


def test_an_offer_that_the_key_may_not_see_keeps_no_other_off_sale(shop: Shop, shirt: ProductId) -> None:
    """The first stop is refused at every look; the product behind it comes back on restock all the same."""
    links = till(shop)
    links.link(links.price(shirt, "S"))
    links.sell(shirt, "S")
    links.look()
    mug = shop.product(stock="1")
    desk = till(shop, "product")
    desk.sell(mug)
    desk.look()
    assert not desk.active(mug)
    desk.restock(shirt, stock_S="5")
    desk.restock(mug, stock="5")
    shop.fault("status", status=403, method="GET", path="payment_links", count=9)
    desk.look(2)
    assert desk.active(mug)


def test_what_was_deleted_in_stripe_is_forgotten(shop: Shop) -> None:
    """Putting it back ends with a record that says why not."""
    desk = till(shop, "product")
    product = shop.product(stock="1")
    desk.sell(product)
    desk.look()
    assert desk.stops() == [(product, "stopped", False)]
    shop.control(f"/_dashboard/products/{product}", {"absolute": {}})
    desk.restock(product, stock="5")
    shop.fault("status", status=404, method="GET", path=f"products/{product}")
    desk.look()
    assert desk.stops() == [(product, "forgotten", True)]
