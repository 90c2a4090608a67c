"""A write to Stripe as it is committed before its POST, and the states it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.vocabulary import AccountKey, ProductId, Size

Units = Mapping[Size, int]


class WriteState(StrEnum):
    """Where a write stands; at most one per product is PENDING."""

    PENDING = "PENDING"  # it may execute at any time
    APPLIED = "APPLIED"  # it executed
    SETTLED = "SETTLED"  # it executed or not, but never will from now on
    CANCELLED = "CANCELLED"  # it never executed, and never will
    REJECTED = "REJECTED"  # Stripe refused it for what it says


@dataclass(frozen=True, slots=True)
class Write:
    """Write number `rev` of a product: `body` is the exact metadata sent under `key`, in its order.

    `base_marker` ('' for none) and `base_values` are what Stripe showed when it was planned.
    """

    account: AccountKey
    product: ProductId
    rev: int
    installation: str
    key: str
    body: Mapping[str, str]
    marker: str
    target: Units
    base_marker: str
    base_values: Units
    landed: bool = False
    digested: bool = False
    expired: bool = False  # older than idempotency keys are safely kept
