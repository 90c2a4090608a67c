from __future__ import annotations

from threading import Event, Thread

import pytest

from services.stock_worker.selling import TURN, Rhythm
from shared.store.jobs import Jobs
from shared.store.selling import SellingStops
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.integration.stock_worker.till import Till, till
from tests.support.waiting import until


@pytest.fixture
def shirt(shop: Shop) -> ProductId:
    """A shirt in two sizes, one of each."""
    product = shop.product(sizes="S,M", stock_S="1", stock_M="1")
    shop.sync(product)
    return product


def test_the_link_of_a_size_is_stopped_at_zero_and_back_on_restock(shop: Shop, shirt: ProductId) -> None:
    """The other size's link stays on sale, and so does this one until the last unit is booked."""
    desk = till(shop)
    small, medium = (desk.link(desk.price(shirt, size)) for size in ("S", "M"))
    desk.look()
    assert desk.stops() == []
    desk.sell(shirt, "S")
    desk.look()
    assert (desk.active(small), desk.active(medium)) == (False, True)
    assert desk.stops() == [(small, "stopped", False)]
    desk.restock(shirt, stock_S="4")
    desk.look()
    assert desk.active(small)
    assert desk.stops() == [(small, "resumed", True)]


def test_a_link_whose_customers_choose_is_stopped_once_all_sizes_are_gone(
    shop: Shop, shirt: ProductId
) -> None:
    """One size that is there again is enough to put it back."""
    desk = till(shop)
    link = desk.link(desk.price(shirt), chooser=True)
    desk.sell(shirt, "S")
    desk.look()
    assert desk.active(link)
    desk.sell(shirt, "M")
    desk.look()
    assert not desk.active(link)
    desk.restock(shirt, stock_M="2")
    desk.look()
    assert desk.active(link)


def test_a_link_of_several_products_needs_them_all(shop: Shop, shirt: ProductId, mug: ProductId) -> None:
    """It is stopped for the first that is gone, and back once none is."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"), desk.price(mug))
    desk.sell(shirt, "S")
    desk.look()
    assert not desk.active(link)
    desk.sell(mug, units=9)
    desk.restock(shirt, stock_S="1")
    desk.look(2)
    assert not desk.active(link)
    desk.restock(mug, stock="1")
    desk.look()
    assert desk.active(link)
    assert desk.stops() == [(link, "resumed", True)]


def test_a_product_is_stopped_once_all_sizes_are_gone(shop: Shop, shirt: ProductId) -> None:
    """In that mode links are left alone, and the events of our calls move no stock."""
    desk = till(shop, "product")
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    desk.look()
    assert desk.active(shirt)
    desk.sell(shirt, "M")
    desk.look()
    assert (desk.active(shirt), desk.active(link)) == (False, True)
    desk.restock(shirt, stock_S="2")
    desk.look()
    assert desk.active(shirt)
    booked = shop.movements(shirt)
    shop.changed(shirt)
    assert (shop.stock(shirt), shop.movements(shirt)) == ({"S": "2", "M": "0"}, booked)


def test_off_means_no_call_and_no_record(shop: Shop, shirt: ProductId) -> None:
    """What is gone stays on sale where nobody asked for more."""
    desk = till(shop, "off")
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    shop.forget()
    desk.look(2)
    assert shop.calls() == {}
    assert desk.stops() == []
    assert desk.active(link)


def test_switched_off_nothing_new_is_stopped_and_what_was_comes_back(shop: Shop, shirt: ProductId) -> None:
    """Nobody has to remember what was off sale when the setting is taken away."""
    before = till(shop)
    small, medium = (before.link(before.price(shirt, size)) for size in ("S", "M"))
    before.sell(shirt, "S")
    before.look()
    after = till(shop, "off")
    after.sell(shirt, "M")
    after.restock(shirt, stock_S="1")
    after.look()
    assert (after.active(small), after.active(medium)) == (True, True)


def test_nothing_new_is_no_call(shop: Shop, shirt: ProductId) -> None:
    """A size that stays gone costs calls now and then only; while everything is there, none."""
    desk = till(shop, expire=True, rhythm=Rhythm())
    desk.link(desk.price(shirt, "S"))
    shop.forget()
    desk.look()
    assert shop.calls() == {}
    desk.sell(shirt, "S")
    desk.look()
    assert shop.calls()
    shop.forget()
    desk.look(3)
    assert shop.calls() == {}


def test_who_took_a_link_off_sale_is_not_overruled(shop: Shop, shirt: ProductId) -> None:
    """What was inactive before it ran out stays so when it is in stock again."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.by_hand(link, active=False)
    desk.sell(shirt, "S")
    desk.look()
    desk.restock(shirt, stock_S="1")
    desk.look(2)
    assert not desk.active(link)
    assert desk.stops() == []


def test_who_puts_a_link_back_on_sale_is_not_fought(shop: Shop, shirt: ProductId) -> None:
    """It stays on sale until it was in stock once; what runs out after that is stopped anew."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    desk.look()
    desk.by_hand(link, active=True)
    desk.look(3)
    assert desk.active(link)
    assert desk.stops() == [(link, "left", False)]
    desk.restock(shirt, stock_S="1")
    desk.look()
    assert desk.stops() == [(link, "left", True)]
    desk.sell(shirt, "S")
    desk.look()
    assert not desk.active(link)


def test_who_takes_it_off_again_after_putting_it_back_has_the_last_word(shop: Shop, shirt: ProductId) -> None:
    """Once somebody else decided, a restock changes nothing."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    desk.look()
    desk.by_hand(link, active=True)
    desk.look()
    desk.by_hand(link, active=False)
    desk.restock(shirt, stock_S="1")
    desk.look(2)
    assert not desk.active(link)


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
    shop.fault(kind, method="POST", path="payment_links", seconds=2)
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


def test_a_person_who_wants_it_back_gets_it_while_it_is_gone(shop: Shop, shirt: ProductId) -> None:
    """It is not stopped anew before it was in stock once."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    desk.look()
    with shop.database.transaction() as connection:
        SellingStops(connection, ACCOUNT).want(link, "ann")
    desk.look(3)
    assert desk.active(link)
    assert desk.stops() == [(link, "resumed", False)]
    desk.restock(shirt, stock_S="1")
    desk.look()
    desk.sell(shirt, "S")
    desk.look()
    assert not desk.active(link)


def test_one_worker_looks_at_a_time(shop: Shop, shirt: ProductId) -> None:
    """Another one does nothing while somebody has the turn, and takes it once that one is gone."""
    desk = till(shop)
    link = desk.link(desk.price(shirt, "S"))
    desk.sell(shirt, "S")
    stop = Event()
    with shop.database.session() as connection, Jobs(connection, ACCOUNT).alone(TURN) as mine:
        assert mine
        desk.seller.in_turn(stop)  # returns at once where the turn is taken
        assert desk.active(link)
    worker = Thread(target=desk.seller.run, args=(stop,))
    worker.start()
    try:
        until("the link to be stopped", lambda: not desk.active(link))
    finally:
        stop.set()
        worker.join()
