from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.stock_worker.return_alerts import AskedLine, asking
from services.stock_worker.returns import Likeness, Proposal, RefundKind
from shared.alerts import NewAlert
from shared.stripe_api.money_back import Dispute, MoneyBack, Refund
from shared.vocabulary import AccountKey, AlertKind, LineItemId, RefundId, SessionId, Size

DUE = datetime(2026, 12, 5, 23, 59, tzinfo=UTC)
REFUND = Refund(id=RefundId("re_1"), amount=4900, currency="eur", status="succeeded")
DISPUTE = Dispute(
    id=RefundId("dp_1"), amount=4900, currency="eur", status="needs_response", reason="fraudulent", due_by=DUE
)


def asked(back: MoneyBack, likeness: Likeness = Likeness.EXACT, units: int = 2) -> NewAlert:
    """The question about `units` of five."""
    made = Proposal(RefundKind.PARTIAL, likeness, (units, 0))
    lines = [
        AskedLine(LineItemId("li_1"), "Shirt", Size("M"), 2),
        AskedLine(LineItemId("li_2"), "prod_2", Size(""), 3),
    ]
    return asking(AccountKey("self:live"), back, SessionId("cs_1"), made, lines=lines)


def test_a_refund_says_what_went_back_and_how_to_accept_it() -> None:
    """The amount as people read it, the likely units, the session and the command."""
    alert = asked(REFUND)
    assert (alert.kind, alert.subject) == (AlertKind.REFUND_PROPOSED, "re_1")
    assert alert.facts == {
        "session": "cs_1",
        "command": "stocksync refunds accept re_1",
        "dismiss": "stocksync refunds dismiss re_1",
        "reason": "49.00 EUR went back: the amount is that of 2 of 5 units",
    }


def test_a_dispute_says_why_and_until_when_the_bank_takes_an_answer() -> None:
    """Its reason in Stripe's word, and the day that can't be missed."""
    alert = asked(DISPUTE)
    assert (alert.kind, alert.subject) == (AlertKind.DISPUTED, "dp_1")
    assert alert.facts == {
        "session": "cs_1",
        "command": "stocksync refunds accept dp_1",
        "dismiss": "stocksync refunds dismiss dp_1",
        "reason": "49.00 EUR were disputed (reason: fraudulent): the amount is that of 2 of 5 units",
        "due_by": "2026-12-05T23:59:00+00:00",
    }


def test_where_no_units_are_likely_people_name_them() -> None:
    """The command takes units of a line, and the lines to choose from are named."""
    facts = asked(REFUND, Likeness.UNKNOWN, 0).facts
    assert facts["command"] == "stocksync refunds accept re_1 --units LINE=UNITS"
    assert facts["examples"] == ["line li_1: Shirt, M, 2 sold", "line li_2: prod_2, 3 sold"]


@pytest.mark.parametrize(
    "change", [{"status": "lost"}, {"status": "under_review"}, {"due_by": None}], ids=str
)
def test_no_day_is_named_where_the_bank_takes_no_answer(change: dict[str, object]) -> None:
    """A dispute that is answered or lost has no deadline any more."""
    assert "due_by" not in asked(DISPUTE.model_copy(update=change)).facts


@pytest.mark.parametrize(
    ("likeness", "units", "said"),
    [
        (Likeness.ALL, 5, "disputed (reason: fraudulent): nothing is left of what was paid"),
        (Likeness.ALL, 0, "all units came back or are asked about already"),
        (Likeness.LIKELY, 2, "the amount may be that of 2 of 5 units"),
        (Likeness.UNKNOWN, 0, "the amount is that of no units"),
    ],
)
def test_how_sure_the_units_are_is_said(likeness: Likeness, units: int, said: str) -> None:
    """Each likeness in words."""
    assert str(asked(DISPUTE, likeness, units).facts["reason"]).endswith(said)
