"""What is said of each kind of alert: what happened and what to do next, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.vocabulary import AlertKind


class Tone(StrEnum):
    """How grave it looks."""

    GRAVE = "grave"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Words:
    """A kind's `heading`, its name in a subject line (`brief`, `counted` or not), what happened, what to do."""

    heading: str
    brief: str
    happened: str
    do: str
    tone: Tone = Tone.GRAVE
    counted: bool = True


_RESTOCK = (
    "Restock in Stripe's Dashboard: open the product, edit its metadata and type the new number into the "
    "field named here. stocksync keeps the sales that happen meanwhile."
)

WORDS: Final[Mapping[AlertKind, Words]] = {
    AlertKind.STRIPE_REFUSED: Words(
        "Stripe refuses the API key",
        "Stripe refuses the key",
        "Stripe answered that the API key may not read or write, so no stock number is written at the moment. "
        "Sales are still counted.",
        "Look at the key in Stripe's Dashboard under Developers, API keys: it may have been revoked, or lack a "
        "permission. stocksync goes on by itself as soon as Stripe accepts it.",
        counted=False,
    ),
    AlertKind.BROKER_REFUSED: Words(
        "The message queue refuses webhooks",
        "message queue refuses webhooks",
        "Webhooks from Stripe could not be queued and were answered with an error. Stripe sends them again, "
        "for up to three days, so nothing is lost yet.",
        "Look at the message queue: it may be full, out of disk or memory, or miss a queue.",
        counted=False,
    ),
    AlertKind.OVERSOLD: Words(
        "Sold more than there was",
        "oversold",
        "These were paid for, but the stock was not there any more.",
        "Deliver from another source, or refund: search for the session's id in Stripe's Dashboard to find the "
        "payment and the buyer.",
    ),
    AlertKind.UNPLACED_SALE: Words(
        "Paid, but not taken off any stock",
        "unplaced sale",
        "These lines were paid for, and stocksync could not tell which product and size they are.",
        "Search for the session's id in Stripe's Dashboard to see what was bought. Each line waits in stocksync "
        "until somebody says which size it was, or that it has no stock.",
    ),
    AlertKind.QUARANTINE: Words(
        "Stock numbers that no longer make sense",
        "in quarantine",
        "stocksync does not write these numbers, so as not to overwrite what somebody may have meant. Sales are "
        "still counted.",
        "Open the product in Stripe's Dashboard and look at its metadata: every stock field must be a plain "
        "number such as 12.",
    ),
    AlertKind.LIVEMODE_MISMATCH: Words(
        "Test and live are mixed up",
        "test and live mixed up",
        "An event of the other mode arrived and was refused: live where test is expected, or the reverse.",
        "Compare the webhook endpoint and its secret with the API key: both must be of the same mode.",
        Tone.WARNING,
        counted=False,
    ),
    AlertKind.UNKNOWN_ACCOUNT: Words(
        "Events of an unknown Stripe account",
        "unknown account",
        "Events of a Stripe account that is not served here arrived, and were ignored.",
        "If the account is yours, add it to the settings. If not, take this address out of its webhook endpoints.",
        Tone.WARNING,
    ),
    AlertKind.OUT_OF_STOCK: Words(
        "Out of stock", "out of stock", "Nothing is left of these, and the shop can sell no more.", _RESTOCK
    ),
    AlertKind.LOW_STOCK: Words(
        "Low stock", "low stock", "These are at or below their threshold.", _RESTOCK, Tone.WARNING
    ),
}
