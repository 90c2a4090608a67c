"""Which webhooks the pipeline understands: where they arrive, Stripe's event types, and the check-up's own."""

from __future__ import annotations

from typing import Final

PATH: Final = "/webhooks/stripe"
"""Where ingest takes them; a webhook endpoint's URL ends so."""

EVENT_TYPES: Final = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "product.created",
        "product.updated",
        "product.deleted",
        "refund.created",
        "refund.updated",
        "refund.failed",
    }
)
"""What a webhook endpoint should subscribe to."""

MONEY_BACK: Final = frozenset(kind for kind in EVENT_TYPES if kind.startswith(("refund.", "charge.dispute.")))
"""Those that tell of refunds and disputes."""

CHECKUP: Final = "stocksync.checkup"
"""The type of an event that Stripe never sends: signed by us, it goes the way of a sale and touches no stock."""
