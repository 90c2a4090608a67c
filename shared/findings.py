"""What can be wrong between Stripe and the ledger: causes, their words, what to do, and the one command for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.vocabulary import PLAIN, ProductId, Size, Variant


class Cause(StrEnum):
    """Why something does not add up."""

    EDITED = "edited"
    SIZE_REMOVED = "size_removed"
    NOT_A_NUMBER = "not_a_number"
    MARKER_MISSING = "marker_missing"
    MARKER_CHANGED = "marker_changed"
    MARKER_FOREIGN = "marker_foreign"
    OLD_FORM = "old_form"
    PRODUCT_DELETED = "product_deleted"
    NEVER_SEEN = "never_seen"
    WRITE_LOST = "write_lost"
    LEDGER_ALTERED = "ledger_altered"
    SALE_NOT_BOOKED = "sale_not_booked"
    SALE_UNKNOWN = "sale_unknown"


MENDS: Final = "To mend it"
SHOWS: Final = "To look at it"
"""The command only shows more: what mends it is for people to do."""


@dataclass(frozen=True, slots=True)
class Words:
    """What happened, what a person does first ('' for nothing), the `command`, to be filled in, and its `purpose`."""

    happened: str
    first: str
    command: str
    purpose: str = MENDS


_LOOK_AGAIN: Final = "stocksync jobs run verify"
_TAKE_OVER: Final = "stocksync takeover {product}"

WORDS: Final[Mapping[Cause, Words]] = {
    Cause.EDITED: Words("edited in the Dashboard, and no webhook told of it", "", _LOOK_AGAIN),
    Cause.SIZE_REMOVED: Words(
        "a size was taken away; sales of it wait for a person",
        "Put its field back in the Dashboard.",
        "stocksync findings ack {id}",
        "If it was taken away on purpose",
    ),
    Cause.NOT_A_NUMBER: Words(
        "its number is not a plain whole number, so it is left alone",
        "Type a plain number into the field in the Dashboard: that mends it.",
        _LOOK_AGAIN,
        "To have it looked at again",
    ),
    Cause.MARKER_MISSING: Words("its stock_rev was removed", "", _LOOK_AGAIN),
    Cause.MARKER_CHANGED: Words(
        "its stock_rev was changed by hand or copied", "Correct the numbers in the Dashboard.", _TAKE_OVER
    ),
    Cause.MARKER_FOREIGN: Words(
        "another installation of stocksync keeps it",
        "Stop the other installation, and correct the numbers in the Dashboard.",
        _TAKE_OVER,
    ),
    Cause.OLD_FORM: Words("an old form was saved over newer numbers", "", _LOOK_AGAIN),
    Cause.PRODUCT_DELETED: Words("deleted in Stripe, and no webhook told of it", "", _LOOK_AGAIN),
    Cause.NEVER_SEEN: Words("it is in Stripe, but the ledger has never seen it", "", _LOOK_AGAIN),
    Cause.WRITE_LOST: Words(
        "the ledger's number has not reached Stripe for long",
        "Something may have stopped.",
        "stocksync doctor",
        SHOWS,
    ),
    Cause.LEDGER_ALTERED: Words(
        "the ledger was altered by hand: the balance is not the sum of its movements",
        "Stop the stock workers and restore a backup of the database.",
        "stocksync restored",
    ),
    Cause.SALE_NOT_BOOKED: Words(
        "paid in Stripe, but not in the ledger",
        "`stocksync dead-letters list` says why its message lies aside: see to that.",
        "stocksync dead-letters replay --all --queue sales",
    ),
    Cause.SALE_UNKNOWN: Words(
        "booked in the ledger, but Stripe does not know it", "", "stocksync audit", SHOWS
    ),
}


@dataclass(frozen=True, slots=True)
class NewFinding:
    """Something that does not add up; `detail` says what was seen, in words."""

    cause: Cause
    product: ProductId
    size: Size = PLAIN
    name: str = ""
    detail: str = ""
    subject: str = ""
    """What it is about, where that is neither the product nor a size of it."""

    @property
    def about(self) -> str:
        """What can be open only once for each cause."""
        return self.subject or str(Variant(self.product, self.size))


def command(cause: Cause, number: int, product: str) -> str:
    """The one command for finding `number`."""
    return WORDS[cause].command.format(id=number, product=product)
