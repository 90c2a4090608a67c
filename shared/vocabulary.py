"""The nouns of the pipeline: ids, account keys, sizes, units, movements."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

AccountKey = NewType("AccountKey", str)
"""A Stripe account and its mode, `self:test` or `acct_1Abc:live`; part of every unique key."""

EventId = NewType("EventId", str)
SessionId = NewType("SessionId", str)
RefundId = NewType("RefundId", str)
"""Of a refund (`re_…`), or of a dispute, which takes the same way (`dp_…`, `du_…`)."""
LineItemId = NewType("LineItemId", str)
ProductId = NewType("ProductId", str)
Size = NewType("Size", str)

PLAIN: Final = Size("")
"""The size of a product that is sold without sizes (metadata key `stock`)."""

MAX_UNITS: Final = 999_999_999

_UNITS = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def account_key(account: str | None, *, livemode: bool) -> AccountKey:
    """The key of `account` (`acct_…`; None for the account the API key belongs to) in its mode."""
    return AccountKey(f"{account or 'self'}:{'live' if livemode else 'test'}")


def is_dispute(refund: RefundId) -> bool:
    """Whether it is a dispute's id."""
    return refund.startswith(("dp_", "du_"))


def parse_units(text: str) -> int | None:
    """Units in `text`, 0 to MAX_UNITS; None unless it is canonical (`int()` would take `1_0`, `٣`, ` 3`)."""
    return int(text) if _UNITS.fullmatch(text) else None


class MovementKind(StrEnum):
    """Why a ledger's balance changed."""

    OPENING = "opening"  # first sight of a size: Stripe's number is adopted
    SALE = "sale"
    EXTERNAL = "external"  # somebody edited the metadata, in the Dashboard or by API
    OVERWRITTEN = "overwritten"  # an edit that one of our writes trampled, put back
    OVERSOLD = "oversold"  # the balance fell below 0: what was sold but never there
    RESTOCK = "restock"
    ADJUSTMENT = "adjustment"  # an operator's correction
    RETURNED = "returned"  # goods of a refunded sale came back
    CLOSED = "closed"  # the product was deleted in Stripe


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of one product: what has a number of its own."""

    product: ProductId
    size: Size

    def __str__(self) -> str:
        """`prod_1/M`, or `prod_1` where the product has no sizes."""
        return f"{self.product}/{self.size}" if self.size else self.product


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the append-only ledger; `delta` in units, `source_key` unique for ever."""

    account: AccountKey
    product: ProductId
    size: Size
    delta: int
    kind: MovementKind
    source_key: str
    session: SessionId | None = None
    event: EventId | None = None
    actor: str = "stripe"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnplacedSale:
    """A paid line that no size could be found for; `source_key` is the one its movement will have.

    `name` is what the sale calls it; `vague` where its session names sizes, but not of which line.
    """

    account: AccountKey
    session: SessionId
    line: LineItemId
    source_key: str
    product: ProductId | None
    size_hint: str | None
    quantity: int
    reason: str
    name: str = ""
    vague: bool = False


class StockStatus(StrEnum):
    """How a size stands, in the words of the reports."""

    OUT = "OUT OF STOCK"
    LOW = "LOW STOCK"
    IN = "IN STOCK"
    NOT_A_NUMBER = "NOT A NUMBER"  # a value, but no plain whole number
    NO_VALUE = "NO VALUE"  # the size is listed, but has no key


class AlertKind(StrEnum):
    """What people are told about by mail."""

    LOW_STOCK = "low_stock"
    OUT_OF_STOCK = "out_of_stock"
    OVERSOLD = "oversold"
    UNPLACED_SALE = "unplaced_sale"
    QUARANTINE = "quarantine"
    STRIPE_REFUSED = "stripe_refused"  # 401 or 403: writes are paused
    LIVEMODE_MISMATCH = "livemode_mismatch"
    UNKNOWN_ACCOUNT = "unknown_account"
    BROKER_REFUSED = "broker_refused"
    FINDING = "finding"  # what Stripe shows does not add up with the ledger
    SALE_RECOVERED = "sale_recovered"  # paid, and no webhook told of it
    REFUND_PROPOSED = "refund_proposed"  # money went back: a person says whether the goods did too
    DISPUTED = "disputed"  # a bank took money back: the same question, and a day by which to answer the bank
    DEAD_LETTER = "dead_letter"
    JOB_FAILED = "job_failed"
    WEBHOOK_SILENCE = "webhook_silence"  # Stripe shows sales, and no event came for hours
    LOGINS_BLOCKED = "logins_blocked"  # somebody tries passwords at the web pages


class JobName(StrEnum):
    """What the reconciler does by the clock, or because a person asked for it."""

    RECOVER = "recover"
    SNAPSHOT = "snapshot"
    VERIFY = "verify"
    REPORT = "report"
    CANARY = "canary"
