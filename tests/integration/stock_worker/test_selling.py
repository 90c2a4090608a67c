from __future__ import annotations

from threading import Event, Thread

from services.stock_worker.selling import TURN, Rhythm
from shared.store.jobs import Jobs
from shared.store.selling import SellingStops
from shared.vocabulary import ProductId
from tests.integration.stock_worker.shop import ACCOUNT, Shop
from tests.integration.stock_worker.till import till
from tests.support.waiting import until


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
