from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.backoffice.operations.event_standing import (
    Known,
    Log,
    Sale,
    Standing,
    Word,
    facts,
    message_of,
    standing,
)
from shared.vocabulary import EventId

AT = datetime(2026, 11, 1, tzinfo=UTC)
OWN, OTHER = EventId("evt_1"), EventId("evt_2")
PAID = {"id": "cs_test_1", "payment_status": "paid"}
WEBHOOK, RECOVERY = Log("done", arrived=True), Log("done", arrived=False)


def event(kind: str, about: dict[str, Any], **data: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """An event as Stripe's API shows it."""
    return {
        "id": OWN,
        "object": "event",
        "type": kind,
        "created": int(AT.timestamp()),
        "livemode": False,
        "data": {"object": about, **data},
    }


def became(kind: str, about: dict[str, Any], known: Known) -> Standing:
    """What became of such an event."""
    return standing(message_of(event(kind, about)), known)


@pytest.mark.parametrize(
    ("known", "word", "why"),
    [
        (Known(WEBHOOK, sale=Sale(OWN, "webhook", "")), Word.DONE, "booked"),
        (Known(RECOVERY, sale=Sale(OWN, "recovery", "replayed by ada")), Word.RECOVERED, "replayed by ada"),
        (Known(Log("ignored", arrived=True), sale=Sale(OTHER, "webhook", "")), Word.IGNORED, "by evt_2"),
        (Known(sale=Sale(OTHER, "webhook", "")), Word.UNHEARD, "its sale is booked, by evt_2"),
        (Known(sale=Sale(None, "recovery", "Stripe made no event for it")), Word.UNHEARD, "made no event"),
        (Known(Log("ignored", arrived=True)), Word.IGNORED, "did not show the session as paid"),
        (Known(Log("retrylater", arrived=True)), Word.TRIED, ""),
        (Known(Log("reject", arrived=True)), Word.ASIDE, "dead letters"),
        (Known(told=True), Word.WAITS, "recovery told the stock worker"),
        (Known(), Word.UNHEARD, ""),
    ],
)
def test_what_became_of_a_paid_session(known: Known, word: Word, why: str) -> None:
    """The booking says it, whichever event led to it; then the delivery log; then whether recovery told of it."""
    found = became("checkout.session.completed", PAID, known)
    assert (found.word, why in found.why) == (word, True), found


@pytest.mark.parametrize(
    ("known", "word"),
    [
        (Known(RECOVERY, product=True), Word.RECOVERED),
        (Known(product=True, own=True), Word.DONE),
        (Known(product=True, waits=True), Word.WAITS),
        (Known(product=True, synced_at=AT + timedelta(seconds=1)), Word.DONE),
        (Known(Log("retrylater", arrived=False), product=True, synced_at=AT + timedelta(days=1)), Word.DONE),
        (Known(product=True, synced_at=AT - timedelta(seconds=1)), Word.UNHEARD),
        (Known(product=True), Word.UNHEARD),
        (Known(), Word.UNHEARD),
    ],
)
def test_what_became_of_a_change_of_a_product(known: Known, word: Word) -> None:
    """Its webhooks are in no log: whether the product was looked at since says it."""
    assert became("product.updated", {"id": "prod_1", "metadata": {}}, known).word is word


@pytest.mark.parametrize(
    ("kind", "about", "expected"),
    [
        ("checkout.session.completed", {**PAID, "payment_status": "unpaid"}, (Word.IGNORED, "not paid yet")),
        ("checkout.session.expired", PAID, (Word.IGNORED, "never paid")),
        ("checkout.session.completed", {"id": "cs_test_1"}, (Word.ODD, "the field payment_status")),
    ],
)
def test_an_event_that_asks_nothing_says_why(
    kind: str, about: dict[str, Any], expected: tuple[Word, str]
) -> None:
    """Whatever is known of it: it would have been ignored, or turned away, at the door."""
    found = became(kind, about, Known(WEBHOOK))
    assert (found.word, found.why) == expected


def test_a_refund_stands_as_the_question_about_it() -> None:
    """Handled ones say how the question stands that people were asked."""
    refund = {"id": "re_1"}
    assert became("refund.created", refund, Known()) == Standing(Word.UNHEARD)
    assert became("refund.created", refund, Known(WEBHOOK, asked="open")).why == "people were asked: open"


def test_only_what_concerns_stock_is_said() -> None:
    """Amounts, payment and metadata of stock; neither people nor what a shop keeps about them."""
    about = {
        **PAID,
        "amount_total": 500,
        "currency": "eur",
        "customer": "cus_1",
        "customer_details": {"name": "Zoe", "email": "zoe@example.com"},
        "metadata": {
            "size": "M",
            "item_1_size": "L",
            "stock_M": "3",
            "sizes": "M",
            "note": "for Zoe",
            "stocking": "y",
        },
    }
    before = {"metadata": {"stock_M": "4", "note": None}}
    said = facts(event("checkout.session.completed", about, previous_attributes=before))
    assert said.said == {"payment_status": "paid", "amount_total": 500, "currency": "eur"}
    assert said.metadata == {"size": "M", "item_1_size": "L", "stock_M": "3", "sizes": "M"}
    assert said.before == {"stock_M": "4"}
