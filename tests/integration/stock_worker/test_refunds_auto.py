from __future__ import annotations

from dataclasses import replace

from services.stock_worker.refunds import Desk, on_refund
from services.stock_worker.returns import Policy
from shared.messages import SyncRequested
from shared.outcomes import Done
from shared.store import returns
from shared.store.products import Products
from shared.store.refunds import Refunds
from tests.integration.stock_worker.returning import accept, kept, refunded, sold, stocked, told
from tests.integration.stock_worker.shop import ACCOUNT, Shop


def test_auto_full_asks_nothing_where_all_units_came_back_before(shop: Shop, desk: Desk) -> None:
    """The refund of the rest of the money, when every unit is in stock again, is answered without a person."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    first = refunded(shop, session, 100)
    on_refund(told(first), desk)
    lines = desk.database.run(lambda c: Refunds(c, ACCOUNT).lines(first))
    accept(desk, first, **{line.line: line.sold for line in lines})
    rest = refunded(shop, session)
    on_refund(told(rest), replace(desk, policy=Policy.AUTO_FULL))
    assert {one.id: one.state for one, _ in kept(desk)} == {first: "accepted", rest: "accepted"}
    assert shop.alerts() == []


def test_auto_full_puts_everything_back_at_once(shop: Shop, desk: Desk) -> None:
    """With the policy auto-full a full refund asks nobody, a partial one still does."""
    shirt = stocked(shop)
    auto = replace(desk, policy=Policy.AUTO_FULL)
    outcome = on_refund(told(refunded(shop, sold(shop, shirt))), auto)
    assert outcome == Done(then=(SyncRequested(account=ACCOUNT, product=shirt),))
    shop.follow([outcome])
    assert shop.stock(shirt) == {"S": "10", "M": "10"}
    part = refunded(shop, sold(shop, shirt), 100)
    on_refund(told(part), auto)
    assert shop.alerts() == [("refund_proposed", part)]


def test_auto_full_leaves_alone_what_people_are_being_asked_about(shop: Shop, desk: Desk) -> None:
    """The refund of the rest puts the rest back; the unit of the first refund waits for its own answer."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    auto = replace(desk, policy=Policy.AUTO_FULL)
    first = refunded(shop, session, 100)
    on_refund(told(first), auto)
    shop.follow([on_refund(told(refunded(shop, session)), auto)])
    assert sum(int(units) for units in shop.stock(shirt).values()) == 19
    accept(desk, first)
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "10", "M": "10"}


def test_auto_full_goes_on_after_a_refund_that_failed(shop: Shop, desk: Desk) -> None:
    """What stocksync itself took out again is nobody's word that nothing came back: the next refund puts it back."""
    auto = replace(desk, policy=Policy.AUTO_FULL)
    shirt = stocked(shop)
    session = sold(shop, shirt)
    failed = refunded(shop, session)
    shop.follow([on_refund(told(failed), auto)])
    shop.control(f"/_refunds/{failed}", {"status": "failed"})
    shop.follow([on_refund(told(failed), auto)])
    assert shop.stock(shirt) == {"S": "8", "M": "7"}
    shop.follow([on_refund(told(refunded(shop, session)), auto)])
    assert shop.stock(shirt) == {"S": "10", "M": "10"}
    assert shop.alerts() == []


def test_auto_full_asks_where_it_can_not_put_everything_back(shop: Shop, desk: Desk) -> None:
    """A product that was deleted, or a line that somebody said did not come back, makes it a person's question."""
    auto = replace(desk, policy=Policy.AUTO_FULL)
    shirt, gone = stocked(shop), stocked(shop)
    session = shop.sold(shop.line(shirt, "S", 2), shop.line(gone, "S", 1))
    shop.book(session)
    shop.database.run(lambda c: Products(c, ACCOUNT).set_state(gone, "closed"))
    mixed = refunded(shop, session)
    on_refund(told(mixed), auto)
    lost = sold(shop, shirt)
    first = refunded(shop, lost, 100)
    on_refund(told(first), auto)
    desk.database.run(lambda c: returns.dismiss(c, ACCOUNT, first, by="ada", reason="lost in the mail"))
    rest = refunded(shop, lost)
    on_refund(told(rest), auto)
    assert {one.id: one.state for one, _ in kept(desk)} == {mixed: "open", first: "dismissed", rest: "open"}
    assert sorted(shop.alerts()) == sorted([("refund_proposed", mixed), ("refund_proposed", rest)])
    assert shop.stock(shirt) == {"S": "6", "M": "7"}
