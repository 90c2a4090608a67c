from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.stock_worker.refunds import Desk, on_refund
from services.stock_worker.returns import Policy
from shared.messages import AlertOpened
from shared.outcomes import Done, Ignored, Reject, RetryLater
from shared.store import returns
from shared.store.products import Products
from shared.vocabulary import AccountKey, RefundId
from tests.integration.stock_worker.returning import accept, kept, payment, refunded, sold, stocked, told
from tests.integration.stock_worker.shop import ACCOUNT, Shop


def test_a_full_refund_proposes_all_lines_and_changes_no_stock(shop: Shop, desk: Desk) -> None:
    """People are asked once what came back; until they answer, the stock is what it was."""
    shirt = stocked(shop)
    refund = refunded(shop, sold(shop, shirt))
    outcome = on_refund(told(refund), desk)
    assert isinstance(outcome, Done)
    assert [type(message) for message in outcome.then] == [AlertOpened]
    assert on_refund(told(refund), desk) == Ignored("proposed before")
    ((found, lines),) = kept(desk)
    assert (found.kind, found.likeness, found.state, found.amount) == ("full", "all", "open", 500)
    assert lines == [("M", 3, 0), ("S", 2, 0)]
    assert shop.stock(shirt) == {"S": "8", "M": "7"}
    assert shop.alerts() == [("refund_proposed", refund)]


def test_what_a_person_accepts_comes_back_once(shop: Shop, desk: Desk) -> None:
    """Accepting books a movement per line, Stripe shows it, the alert is over, and it can't be done again."""
    shirt = stocked(shop)
    refund = refunded(shop, sold(shop, shirt))
    on_refund(told(refund), desk)
    assert accept(desk, refund) == [shirt]
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "10", "M": "10"}
    assert sorted(shop.movements(shirt)[-2:]) == [("returned", "M", 3), ("returned", "S", 2)]
    assert shop.alerts() == []
    with pytest.raises(returns.NotReturnable, match="decided before: accepted by ada"):
        accept(desk, refund)


def test_a_second_refund_is_capped_by_what_is_left(shop: Shop, desk: Desk) -> None:
    """An amount of one unit proposes one unit; the refund of the rest proposes the rest."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    first = refunded(shop, session, 100)
    on_refund(told(first), desk)
    accept(desk, first)
    rest = refunded(shop, session)
    on_refund(told(rest), desk)
    found = {one.id: (one.likeness, sum(proposed for _, proposed, _ in lines)) for one, lines in kept(desk)}
    assert found == {first: ("likely", 1), rest: ("all", 4)}
    accept(desk, rest)
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "10", "M": "10"}


def test_a_person_may_say_other_units_but_never_more_than_were_sold(shop: Shop, desk: Desk) -> None:
    """Units of a line beyond what is left are refused in words, and nothing is booked."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    refund = refunded(shop, session, 50)
    on_refund(told(refund), desk)
    read = desk.stripe.session_of_payment(payment(shop, session))
    assert read is not None
    lines = {line.metadata["size"]: line.id for line in read.lines}
    with pytest.raises(returns.NotReturnable, match="at most 2 can come back, not 3"):
        accept(desk, refund, **{lines["S"]: 3})
    with pytest.raises(returns.NotReturnable, match="no line li_none"):
        accept(desk, refund, li_none=1)
    assert accept(desk, refund, **{lines["S"]: 1}) == [shirt]
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "9", "M": "7"}


def test_where_no_units_are_proposed_an_answer_names_them(shop: Shop, desk: Desk) -> None:
    """Accepting nothing is refused in words and leaves the question open; with units, or dismissed, it is answered."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    refund = refunded(shop, session, 50)
    on_refund(told(refund), desk)
    with pytest.raises(
        returns.NotReturnable, match=f"--units LINE=UNITS .* `stocksync refunds dismiss {refund}`"
    ):
        accept(desk, refund)
    ((found, lines),) = kept(desk)
    assert (found.state, lines) == ("open", [("M", 0, 0), ("S", 0, 0)])
    assert shop.alerts() == [("refund_proposed", refund)]
    assert shop.movements(shirt)[-1][0] == "sale"
    read = desk.stripe.session_of_payment(payment(shop, session))
    assert read is not None
    assert accept(desk, refund, **{read.lines[0].id: 1}) == [shirt]
    assert (kept(desk)[0][0].state, shop.alerts()) == ("accepted", [])


def test_a_dismissed_refund_changes_nothing(shop: Shop, desk: Desk) -> None:
    """A person says that nothing came back: the alert is over, the stock stays."""
    shirt = stocked(shop)
    refund = refunded(shop, sold(shop, shirt))
    on_refund(told(refund), desk)
    desk.database.run(lambda c: returns.dismiss(c, ACCOUNT, refund, by="ada", reason="the buyer keeps it"))
    ((found, _),) = kept(desk)
    assert (found.state, found.decided_by, found.reason) == ("dismissed", "ada", "the buyer keeps it")
    assert shop.alerts() == []
    assert shop.stock(shirt) == {"S": "8", "M": "7"}


def test_off_looks_at_no_refund(shop: Shop, desk: Desk) -> None:
    """With the policy off nothing is kept."""
    refund = refunded(shop, sold(shop, stocked(shop)))
    assert isinstance(on_refund(told(refund), replace(desk, policy=Policy.OFF)), Ignored)
    assert kept(desk) == []


def test_a_refund_that_overtakes_its_sale_waits(shop: Shop, desk: Desk) -> None:
    """A refund of a session that is not booked yet is tried again later."""
    shirt = stocked(shop)
    session = shop.sold(shop.line(shirt, "S", 1))
    refund = refunded(shop, session)
    assert isinstance(on_refund(told(refund), desk), RetryLater)
    shop.book(session)
    assert isinstance(on_refund(told(refund), desk), Done)


def test_a_payment_without_a_session_is_of_no_interest(shop: Shop, desk: Desk) -> None:
    """Money that was paid another way had no stock to take."""
    wanted: Any = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    paid = shop.stripe.v1.payment_intents.create(wanted).id
    refund = RefundId(shop.stripe.v1.refunds.create({"payment_intent": paid}).id)
    assert on_refund(told(refund), desk) == Ignored("not of a Checkout Session")


def test_another_accounts_refund_and_strays_are_rejected(desk: Desk) -> None:
    """A message of another account, or of another kind, goes to the dead letters."""
    assert isinstance(on_refund(told(RefundId("re_1"), AccountKey("self:live")), desk), Reject)
    assert isinstance(on_refund(AlertOpened(alert=1), desk), Reject)


def test_a_deleted_product_takes_nothing_back(shop: Shop, desk: Desk) -> None:
    """A product that is gone from Stripe has no stock to put anything into, and people are told so."""
    shirt = stocked(shop)
    refund = refunded(shop, sold(shop, shirt))
    on_refund(told(refund), desk)
    shop.database.run(lambda c: Products(c, ACCOUNT).set_state(shirt, "closed"))
    with pytest.raises(returns.NotReturnable, match="was deleted in Stripe"):
        accept(desk, refund)


def test_a_refund_that_fails_takes_out_what_nobody_was_asked_about(shop: Shop, desk: Desk) -> None:
    """What auto-full put back is with the customer after all; what a person saw come back stays where it is."""
    auto = replace(desk, policy=Policy.AUTO_FULL)
    shirt = stocked(shop)
    by_itself = refunded(shop, sold(shop, shirt))
    shop.follow([on_refund(told(by_itself), auto)])
    assert shop.stock(shirt) == {"S": "10", "M": "10"}
    shop.control(f"/_refunds/{by_itself}", {"status": "failed"})
    shop.follow([on_refund(told(by_itself), auto)])
    assert shop.stock(shirt) == {"S": "8", "M": "7"}
    assert on_refund(told(by_itself), auto) == Ignored("the money did not go back (failed)")
    by_ada = refunded(shop, sold(shop, shirt))
    on_refund(told(by_ada), desk)
    accept(desk, by_ada)
    shop.control(f"/_refunds/{by_ada}", {"status": "failed"})
    assert isinstance(on_refund(told(by_ada), desk), Ignored)
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "8", "M": "7"}
    assert {one.id: one.state for one, _ in kept(desk)} == {by_itself: "dismissed", by_ada: "accepted"}


def test_money_that_goes_back_after_all_is_asked_about_anew(shop: Shop, desk: Desk) -> None:
    """A question that was void because the money did not go back is put again when it does."""
    refund = refunded(shop, sold(shop, stocked(shop)))
    on_refund(told(refund), desk)
    shop.control(f"/_refunds/{refund}", {"status": "failed"})
    on_refund(told(refund), desk)
    assert (kept(desk)[0][0].state, shop.alerts()) == ("void", [])
    shop.control(f"/_refunds/{refund}", {"status": "succeeded"})
    assert isinstance(on_refund(told(refund), desk), Done)
    assert (kept(desk)[0][0].state, shop.alerts()) == ("open", [("refund_proposed", refund)])


def test_a_refund_of_a_sale_from_before_the_installation_is_of_no_interest(shop: Shop, desk: Desk) -> None:
    """Its units were never taken off here, so none come back, and nothing lies in the dead letters."""
    shirt = stocked(shop)
    refund = refunded(shop, shop.sold(shop.line(shirt, "S", 1)))
    assert isinstance(on_refund(told(refund), desk), RetryLater)
    with desk.database.transaction() as connection:
        connection.execute(
            "insert into installation (id, created_at) values ('later', now() + interval '1 day')"
        )
    assert on_refund(told(refund), desk) == Ignored("sold before this installation began")
