"""Refunds and disputes of Stripe as frozen values: both name an amount of a payment, and never its lines."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from pydantic import AwareDatetime

from shared.stripe_api.objects import StripeValue, checked, part
from shared.vocabulary import RefundId

WITHDRAWN: Final = frozenset({"needs_response", "under_review", "lost"})
"""States of a dispute in which the money is gone; the others are questions of a bank, or ended well."""


class Refund(StripeValue):
    """Money that the shop gives back; `amount` in the currency's smallest unit.

    `disputed`: the payment was disputed, too; False where the refund was read with others.
    """

    id: RefundId
    amount: int
    currency: str
    status: str | None = None
    payment_intent: str | None = None
    disputed: bool = False

    @property
    def gone(self) -> bool:
        """Whether the money went back."""
        return self.status == "succeeded"


class Dispute(StripeValue):
    """Money that a bank takes back for a buyer; `amount` in the currency's smallest unit.

    `due_by` is until when the bank takes an answer, None where it takes none.
    """

    id: RefundId
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None
    reason: str = ""
    due_by: AwareDatetime | None = None
    disputed: Literal[True] = True

    @property
    def gone(self) -> bool:
        """Whether the money is with the buyer, for now or for good."""
        return self.status in WITHDRAWN


MoneyBack: TypeAlias = Refund | Dispute


def refund(data: dict[str, Any]) -> Refund:
    """A refund from Stripe's JSON, its charge expanded or not; raises SurprisingAnswer."""
    charge = data.get("charge")
    disputed = isinstance(charge, dict) and part(data, "charge").get("disputed") is True
    return checked(Refund, {**data, "disputed": disputed})


def dispute(data: dict[str, Any]) -> Dispute:
    """A dispute from Stripe's JSON; raises SurprisingAnswer."""
    due = part(data, "evidence_details").get("due_by")  # 0 where the bank takes no answer
    return checked(Dispute, {**data, "due_by": due or None, "disputed": True})
