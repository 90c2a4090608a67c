"""Who hears of which kind of alert, and which kinds can't wait for the morning, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.notifier.mail import Letterhead
from shared.vocabulary import AlertKind


class Audience(StrEnum):
    """People by what they look after."""

    STOCK = "stock"
    SALES = "sales"
    OPERATIONS = "operations"


AUDIENCES: Final[Mapping[AlertKind, Audience]] = {
    AlertKind.LOW_STOCK: Audience.STOCK,
    AlertKind.OUT_OF_STOCK: Audience.STOCK,
    AlertKind.QUARANTINE: Audience.STOCK,
    AlertKind.FINDING: Audience.STOCK,
    AlertKind.OVERSOLD: Audience.SALES,
    AlertKind.UNPLACED_SALE: Audience.SALES,
    AlertKind.REFUND_PROPOSED: Audience.SALES,
    AlertKind.DISPUTED: Audience.SALES,
    AlertKind.SALE_RECOVERED: Audience.SALES,
    AlertKind.STRIPE_REFUSED: Audience.OPERATIONS,
    AlertKind.BROKER_REFUSED: Audience.OPERATIONS,
    AlertKind.WEBHOOK_SILENCE: Audience.OPERATIONS,
    AlertKind.DEAD_LETTER: Audience.OPERATIONS,
    AlertKind.JOB_FAILED: Audience.OPERATIONS,
    AlertKind.LIVEMODE_MISMATCH: Audience.OPERATIONS,
    AlertKind.UNKNOWN_ACCOUNT: Audience.OPERATIONS,
    AlertKind.LOGINS_BLOCKED: Audience.OPERATIONS,
}

URGENT: Final = frozenset(
    {
        AlertKind.STRIPE_REFUSED,
        AlertKind.BROKER_REFUSED,
        AlertKind.WEBHOOK_SILENCE,
        AlertKind.DEAD_LETTER,
        AlertKind.OVERSOLD,
    }
)
"""Kinds that lose money or sales for as long as nobody acts: told in quiet hours too, and pushed beside mail.

A sold-out size, an unplaced sale or a failed job is as grave, but nothing more is lost by the morning.
"""


@dataclass(frozen=True, slots=True)
class MailingList:
    """People who are told together, in one digest; `name` is for pace and records, not for people."""

    name: str
    letterhead: Letterhead
    kinds: tuple[AlertKind, ...]


def mailing_lists(sender: str, recipients: Mapping[Audience, tuple[str, ...]]) -> tuple[MailingList, ...]:
    """One list for each circle of people: audiences that are the same people share one."""
    circles: dict[frozenset[str], list[Audience]] = {}
    for audience in Audience:
        circles.setdefault(frozenset(recipients[audience]), []).append(audience)
    return tuple(
        MailingList(
            "+".join(circle),
            Letterhead(sender, recipients[circle[0]]),
            tuple(kind for kind, audience in AUDIENCES.items() if audience in circle),
        )
        for circle in circles.values()
    )
