"""What an alert is: what people must hear of, as a value without a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from shared.vocabulary import AccountKey, AlertKind, SessionId, Variant

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"
Facts: TypeAlias = Mapping[str, JSON]
"""What happened, as `stock_facts`, `oversold_facts`, `unplaced_facts`, `finding_facts` and `product_facts` write it."""


@dataclass(frozen=True, slots=True)
class AlertKey:
    """What can be open only once within an account."""

    kind: AlertKind
    subject: str


@dataclass(frozen=True, slots=True)
class NewAlert:
    """An alert to open; `subject` is a variant, a product, a session's line or an account."""

    account: AccountKey
    kind: AlertKind
    subject: str
    facts: Facts

    @property
    def key(self) -> AlertKey:
        """What can be open only once."""
        return AlertKey(self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class OversoldSale:
    """Units that one session was sold and that were never there."""

    session: SessionId
    units: int


def product_facts(product: str, name: str, *, reason: str = "", size: str = "") -> Facts:
    """The facts of an alert on a product or one size of it, such as a quarantine; `reason` in words."""
    return {"product": product, "name": name, "size": size, "reason": reason}


def stock_facts(variant: Variant, name: str, *, on_hand: int, threshold: int) -> Facts:
    """The facts of low or no stock; `name` is the product's, `on_hand` and `threshold` are units."""
    return {
        "product": variant.product,
        "name": name,
        "size": variant.size,
        "on_hand": on_hand,
        "threshold": threshold,
    }


def oversold_facts(variant: Variant, name: str, sales: Sequence[OversoldSale]) -> Facts:
    """The facts of an oversold variant; further `sales` are added to those of an open alert.

    `short` and `sold` count all their units and sales; an alert that is added to keeps the newest sales only.
    """
    return {
        "product": variant.product,
        "name": name,
        "size": variant.size,
        "sales": [{"session": sale.session, "units": sale.units} for sale in sales],
        "short": sum(sale.units for sale in sales),
        "sold": len(sales),
    }


def unplaced_facts(session: str, line_item: str, *, quantity: int, reason: str, **known: str) -> Facts:
    """The facts of a line that was sold but not booked; `known`: product, name, size, as far as known."""
    return {"session": session, "line_item": line_item, "quantity": quantity, "reason": reason, **known}


def finding_facts(counts: Mapping[str, int], first: Sequence[Mapping[str, str]]) -> Facts:
    """The facts of all open findings: how many by cause in words, and the `first` of them.

    Each has product, name, size, cause (in words), detail, what to do first, the command and its purpose.
    """
    counted = [{"cause": cause, "findings": number} for cause, number in counts.items()]
    return {"counts": counted, "findings": [dict(one) for one in first]}


@dataclass(frozen=True, slots=True)
class Recovered:
    """Sales that one alert tells of: how many for which reason, the first and last to be paid, the longest delay."""

    reasons: Mapping[str, int]
    first: SessionId
    last: SessionId
    longest: timedelta


def recovered_facts(recovered: Recovered) -> Facts:
    """The facts of recovered sales; `delay` is the longest, in seconds."""
    return {
        "recovered": sum(recovered.reasons.values()),
        "reasons": dict(recovered.reasons),
        "first": recovered.first,
        "last": recovered.last,
        "delay": int(recovered.longest.total_seconds()),
    }


@dataclass(frozen=True, slots=True)
class ClaimedAlert:
    """An alert in a notifier's hands.

    `revision` counts what was added to it, `on_hand` is the variant's number now (None: about no variant), 0 where
    Stripe has no such size any more. `news`:
    more is to be told than its end; `heard`: people were told of it before; `reopened`: it is over, and the
    same has begun again. `unsure` is what a mail of unknown fate told: a revision, or `over`.
    """

    id: int
    revision: int
    account: AccountKey
    kind: AlertKind
    subject: str
    facts: Facts
    raised_at: datetime
    resolved_at: datetime | None
    attempts: int
    on_hand: int | None
    news: bool = True
    heard: bool = False
    reopened: bool = False
    snoozed_until: datetime | None = None
    unsure: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """Alerts to be told of in one mail; `at` proves the claim when its outcome is recorded."""

    at: datetime
    alerts: tuple[ClaimedAlert, ...]

    @property
    def ids(self) -> list[int]:
        """The ids of its alerts."""
        return [alert.id for alert in self.alerts]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be mailed, by the database's clock; all times in seconds.

    `oldest` and `newest` are ages, of news and of ends; `retry_in` is what is left of a back-off; `since_last`
    is None where no mail was sent within the hour.
    """

    alerts: int
    abandoned: int
    oldest: float
    newest: float
    retry_in: float
    mails_last_hour: int
    since_last: float | None
    over: int = 0
    over_oldest: float = 0
    over_newest: float = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What one mailing list hears of: `kinds` in all, and those of which `news` or ends (`over`) may go out now."""

    mailing_list: str
    kinds: tuple[AlertKind, ...]
    news: tuple[AlertKind, ...]
    over: tuple[AlertKind, ...]


@dataclass(frozen=True, slots=True)
class Sold:
    """Units of one variant that were sold within the last `days`; fewer where it is not known for longer."""

    units: int
    days: float


OfVariant: TypeAlias = tuple[str, str, str]
"""Account key, product id and size: one variant among all accounts."""
