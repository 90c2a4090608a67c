from __future__ import annotations

from dataclasses import replace

import pytest

from services.stock_worker.refunds import Desk, on_refund
from services.stock_worker.returns import Policy
from shared.messages import AlertOpened
from shared.outcomes import Done, Ignored, Outage, RetryLater
from shared.store import returns
from shared.store.alerts import Alerts
from shared.stripe_api.client import StripeApi
from shared.vocabulary import AlertKind, RefundId
from tests.integration.stock_worker.returning import (
    accept,
    asked,
    disputed,
    kept,
    moved,
    proposed,
    refunded,
    sold,
    stocked,
    told,
)
from tests.integration.stock_worker.shop import ACCOUNT, Shop

AFTER_THE_SALE = {"S": "8", "M": "7"}


def test_a_dispute_is_a_question_with_a_day_by_which_to_answer(shop: Shop, desk: Desk) -> None:
    """People are asked once; the alert carries amount, reason, the bank's deadline and the command; stock stays."""
    shirt = stocked(shop)
    dispute = disputed(shop, sold(shop, shirt))
    outcome = on_refund(told(dispute), desk)
    assert isinstance(outcome, Done)
    assert [type(message) for message in outcome.then] == [AlertOpened]
    assert on_refund(told(dispute), desk) == Ignored("proposed before")
    ((found, lines),) = kept(desk)
    assert (found.kind, found.likeness, found.state, found.amount) == ("full", "all", "open", 500)
    assert lines == [("M", 3, 0), ("S", 2, 0)]
    assert shop.stock(shirt) == AFTER_THE_SALE
    facts = desk.database.run(lambda c: Alerts(c, ACCOUNT).facts_of(AlertKind.DISPUTED))[dispute]
    assert str(facts["reason"]).startswith("5.00 EUR were disputed (reason: fraudulent): ")
    assert facts["command"] == f"stocksync refunds accept {dispute}"
    read = desk.stripe.dispute(dispute)
    assert read is not None
    assert read.due_by is not None
    assert facts["due_by"] == read.due_by.isoformat()


def test_a_dispute_that_is_won_takes_its_question_back(shop: Shop, desk: Desk) -> None:
    """The money is the shop's again: nobody has to say anything any more, and nobody can."""
    shirt = stocked(shop)
    dispute = disputed(shop, sold(shop, shirt))
    on_refund(told(dispute), desk)
    assert on_refund(told(moved(shop, dispute, "won")), desk) == Ignored("the money did not go back (won)")
    assert proposed(desk) == {dispute: ("void", 5)}
    assert shop.alerts() == []
    with pytest.raises(returns.NotReturnable, match="decided before: void"):
        accept(desk, dispute)
    assert shop.stock(shirt) == AFTER_THE_SALE


def test_a_dispute_that_is_lost_stays_a_question(shop: Shop, desk: Desk) -> None:
    """Neither the shop's answer nor the bank's end it; what a person accepts then comes back."""
    shirt = stocked(shop)
    dispute = disputed(shop, sold(shop, shirt))
    on_refund(told(dispute), desk)
    for status in ("under_review", "lost"):
        assert on_refund(told(moved(shop, dispute, status)), desk) == Ignored("proposed before")
        assert shop.alerts() == [("disputed", dispute)]
    assert accept(desk, dispute) == [shirt]
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "10", "M": "10"}
    assert shop.alerts() == []


def test_a_bank_that_only_asks_has_taken_nothing(shop: Shop, desk: Desk) -> None:
    """An inquiry is no question to people until the bank takes the money."""
    dispute = disputed(shop, sold(shop, stocked(shop)), status="warning_needs_response")
    assert on_refund(told(dispute), desk) == Ignored("the money did not go back (warning_needs_response)")
    assert kept(desk) == []
    assert isinstance(on_refund(told(moved(shop, dispute, "needs_response")), desk), Done)
    assert proposed(desk) == {dispute: ("open", 5)}


def test_the_amount_of_a_dispute_names_likely_units(shop: Shop, desk: Desk) -> None:
    """Two euros of five are two units."""
    dispute = disputed(shop, sold(shop, stocked(shop)), 200)
    on_refund(told(dispute), desk)
    assert proposed(desk) == {dispute: ("open", 2)}


def test_auto_full_never_puts_back_what_was_disputed(shop: Shop, desk: Desk) -> None:
    """Neither a full dispute nor the refund that is full only with one puts anything back; people are asked."""
    shirt = stocked(shop)
    auto = replace(desk, policy=Policy.AUTO_FULL)
    whole = disputed(shop, sold(shop, shirt))
    on_refund(told(whole), auto)
    session = sold(shop, shirt)
    part = disputed(shop, session, 400)
    on_refund(told(part), auto)
    rest = refunded(shop, session)
    on_refund(told(rest), auto)
    assert proposed(desk) == {whole: ("open", 5), part: ("open", 4), rest: ("open", 1)}
    assert asked(shop) == [("disputed", whole), ("disputed", part), ("refund_proposed", rest)]
    assert [kind for kind, _, _ in shop.movements(shirt)].count("returned") == 0


def test_auto_full_puts_back_what_the_shop_refunds_after_it_won(shop: Shop, desk: Desk) -> None:
    """Negative control: a dispute that is over takes nothing from a full refund."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    moved(shop, disputed(shop, session), "won")
    shop.follow([on_refund(told(refunded(shop, session)), replace(desk, policy=Policy.AUTO_FULL))])
    assert shop.stock(shirt) == {"S": "10", "M": "10"}


@pytest.mark.parametrize("refund_first", [True, False])
@pytest.mark.parametrize("amounts", [(100, 400), (300, 200), (500, 500), (50, 500)])
def test_a_refund_and_a_dispute_ask_together_for_no_more_than_was_sold(
    shop: Shop, desk: Desk, amounts: tuple[int, int], *, refund_first: bool
) -> None:
    """Whichever is told first, and where both are about the same money: what they propose puts back what was sold."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    pair = [refunded(shop, session, amounts[0]), disputed(shop, session, amounts[1])]
    for one in pair if refund_first else pair[::-1]:
        assert isinstance(on_refund(told(one), desk), Done)
    units = {one: units for one, (_, units) in proposed(desk).items()}
    assert sum(units.values()) == 5
    for one in pair:
        if units[one]:
            accept(desk, one)
    shop.sync(shirt)
    assert shop.stock(shirt) == {"S": "10", "M": "10"}


def test_what_came_back_with_a_refund_is_not_asked_for_again(shop: Shop, desk: Desk) -> None:
    """A dispute of what was refunded and accepted asks for no units, and a person can't add any."""
    shirt = stocked(shop)
    session = sold(shop, shirt)
    refund = refunded(shop, session)
    on_refund(told(refund), desk)
    accept(desk, refund)
    dispute = disputed(shop, session)
    on_refund(told(dispute), desk)
    assert proposed(desk) == {refund: ("accepted", 5), dispute: ("open", 0)}
    line = desk.database.run(
        lambda c: c.execute(
            "select line_item_id from refund_line where refund_id = %s", (dispute,)
        ).fetchone()
    )
    assert line is not None
    with pytest.raises(returns.NotReturnable, match="at most 0 can come back, not 1"):
        accept(desk, dispute, **{line[0]: 1})


def test_a_dispute_that_overtakes_its_sale_waits(shop: Shop, desk: Desk) -> None:
    """A dispute of a session that is not booked yet, or that Stripe does not show yet, is tried again later."""
    session = shop.sold(shop.line(stocked(shop), "S", 1))
    dispute = disputed(shop, session)
    assert isinstance(on_refund(told(dispute), desk), RetryLater)
    assert on_refund(told(RefundId("dp_none")), desk) == RetryLater("Stripe does not know dp_none")
    shop.book(session)
    assert isinstance(on_refund(told(dispute), desk), Done)


def test_fault_87_a_key_that_may_not_read_disputes_is_told_and_holds_up_no_refund(
    shop: Shop, desk: Desk
) -> None:
    """The dispute waits for the permission, with one alert that names the call; a payment without one goes on."""
    shirt = stocked(shop)
    dispute, refund = disputed(shop, sold(shop, shirt)), refunded(shop, sold(shop, shirt))
    strict = replace(desk, stripe=StripeApi("rk_test_shop", shop.url))
    shop.control("/_faults", {"kind": "status", "status": 403, "path": "^/v1/disputes", "count": None})
    for _ in range(2):
        with pytest.raises(Outage, match=r"for GET disputes/id \(403\)"):
            on_refund(told(dispute), strict)
    assert asked(shop) == [("stripe_refused", f"{ACCOUNT} GET disputes/id")]
    assert isinstance(on_refund(told(refund), strict), Done)
