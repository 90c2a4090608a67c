from __future__ import annotations

from datetime import date

import pytest
import stripe

from shared.store.pace import Usage
from shared.stripe_api.calls import slowed_by
from shared.stripe_api.pace import ALL


def error(status: int, code: str | None, reason: str | None) -> stripe.StripeError:
    """An error as the SDK raises it."""
    headers = {"Stripe-Rate-Limited-Reason": reason} if reason else {}
    return stripe.RateLimitError(
        "slow down", http_status=status, json_body={"error": {"code": code}}, headers=headers
    )


@pytest.mark.parametrize(
    ("status", "code", "reason", "slowed"),
    [
        (429, "rate_limit", "endpoint-rate", "GET x"),
        (429, "rate_limit", "endpoint-concurrency", "GET x"),
        (429, "rate_limit", "global-rate", ALL),
        (429, "rate_limit", "global-concurrency", ALL),
        (429, "rate_limit", "resource-specific", None),
        (429, "rate_limit", None, "GET x"),
        (429, "lock_timeout", None, None),
        (429, None, None, None),
        (409, "rate_limit", "endpoint-rate", None),
        (500, None, None, None),
    ],
)
def test_what_a_429_slows(status: int, code: str | None, reason: str | None, slowed: str | None) -> None:
    """A rate or concurrency limit is about its endpoint or all of them, anything else about one object."""
    assert slowed_by(error(status, code, reason), "GET x") == slowed


@pytest.mark.parametrize(("sales", "allowed"), [(0, 10_000), (20, 10_000), (21, 10_500), (1000, 500_000)])
def test_what_stripe_allows_to_read(sales: int, allowed: int) -> None:
    """500 reads for each sale, 10,000 at least."""
    assert Usage(date(2026, 1, 1), reads=0, writes=0, sales=sales).reads_allowed == allowed
