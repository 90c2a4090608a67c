"""Claimed alerts for the tests, as a notifier would hold them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from services.notifier.decide import digest
from services.notifier.mail import Mail
from services.notifier.policy import Policy
from services.notifier.render import render
from shared.alerts import Claim, ClaimedAlert, Facts, product_facts, stock_facts
from shared.vocabulary import AccountKey, AlertKind, ProductId, Size, Variant

AT = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
LIVE = AccountKey("self:live")
TEST = AccountKey("self:test")
SHIRT = Variant(ProductId("prod_1"), Size("M"))
_numbers = count(1)


def alert(
    kind: AlertKind = AlertKind.LOW_STOCK,
    subject: str = "prod_1/M",
    facts: Facts | None = None,
    *,
    account: AccountKey = LIVE,
    on_hand: int | None = None,
    resolved: bool = False,
    attempts: int = 1,
) -> ClaimedAlert:
    """An alert in hand, raised at AT."""
    told = product_facts("prod_1", "Mug") if facts is None else facts
    return ClaimedAlert(
        next(_numbers), 1, account, kind, subject, told, AT, AT if resolved else None, attempts, on_hand
    )


def over(
    kind: AlertKind, subject: str = "prod_1/M", facts: Facts | None = None, *, on_hand: int | None = None
) -> ClaimedAlert:
    """An alert that people were told of and that is over now."""
    past = alert(kind, subject, facts, on_hand=on_hand, resolved=True)
    return replace(past, news=False, heard=True)


def stock(
    kind: AlertKind, product: str, *, name: str = "Mug", size: str = "M", units: int = 3
) -> ClaimedAlert:
    """An alert on a variant's stock."""
    variant = Variant(ProductId(product), Size(size))
    facts = stock_facts(variant, name, on_hand=units, threshold=5)
    return alert(kind, str(variant), facts, on_hand=units)


def claim(*alerts: ClaimedAlert) -> Claim:
    """A claim of `alerts`."""
    return Claim(AT, alerts)


def mail_of(*alerts: ClaimedAlert) -> Mail:
    """The mail that `alerts` become."""
    return render(digest(claim(*alerts), Policy()), Policy(), domain="example.com")
