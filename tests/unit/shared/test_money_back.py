from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.stripe_api import money_back
from shared.stripe_api.objects import SurprisingAnswer
from shared.vocabulary import RefundId, is_dispute

DISPUTE: dict[str, Any] = {
    "id": "du_1",
    "amount": 4900,
    "currency": "eur",
    "status": "needs_response",
    "payment_intent": "pi_1",
    "reason": "fraudulent",
    "evidence_details": {"due_by": 1_790_000_000},
}
REFUND: dict[str, Any] = {
    "id": "re_1",
    "amount": 4900,
    "currency": "eur",
    "status": "succeeded",
    "charge": "ch_1",
}


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        ("needs_response", True),
        ("under_review", True),
        ("lost", True),
        ("won", False),
        ("warning_needs_response", False),
        ("warning_under_review", False),
        ("warning_closed", False),
        ("prevented", False),
    ],
)
def test_the_money_of_a_dispute_is_gone_or_not(status: str, *, gone: bool) -> None:
    """Every status that Stripe documents; a bank that only asks, or gave the money back, has none of it."""
    assert money_back.dispute({**DISPUTE, "status": status}).gone is gone


@pytest.mark.parametrize("details", [{"due_by": 0}, {"due_by": None}, {}, None])
def test_a_bank_may_take_no_answer(details: dict[str, int | None] | None) -> None:
    """Stripe says 0 where there is no day to answer by."""
    assert money_back.dispute({**DISPUTE, "evidence_details": details}).due_by is None
    assert money_back.dispute(DISPUTE).due_by == datetime.fromtimestamp(1_790_000_000, UTC)


def test_a_dispute_of_another_shape_is_surprising() -> None:
    """What the documentation promises must be there."""
    with pytest.raises(SurprisingAnswer, match="amount"):
        money_back.dispute({**DISPUTE, "amount": None})


@pytest.mark.parametrize(
    ("charge", "disputed"),
    [("ch_1", False), (None, False), ({"disputed": False}, False), ({"disputed": True}, True)],
)
def test_a_refund_knows_of_a_dispute_by_its_charge(charge: object, *, disputed: bool) -> None:
    """Where the charge is not expanded nothing is claimed."""
    assert money_back.refund({**REFUND, "charge": charge}).disputed is disputed


@pytest.mark.parametrize(
    ("name", "expected"), [("dp_1", True), ("du_1", True), ("re_1", False), ("pyr_1", False)]
)
def test_an_id_says_whether_it_is_a_dispute(name: str, *, expected: bool) -> None:
    """Stripe's prefixes of disputes, new and old; refunds of cards and of other methods have others."""
    assert is_dispute(RefundId(name)) is expected
