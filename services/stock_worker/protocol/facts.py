"""What a decision about one product stands on: Stripe's answer and the ledger, as read inside one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared import stock_metadata
from shared.stock_metadata import StockSheet
from shared.vocabulary import AccountKey, ProductId, Size

NO_MARKER = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What GET by id showed: the marker's text ('' for none) and the stock sheet."""

    marker: str
    sheet: StockSheet


def observe(metadata: Mapping[str, str]) -> Observation:
    """The observation in a product's metadata."""
    return Observation(metadata.get(stock_metadata.MARKER_KEY, NO_MARKER), stock_metadata.read(metadata))


class SizeState(StrEnum):
    """How a size was last seen in Stripe."""

    MANAGED = "managed"
    UNREADABLE = "unreadable"  # a value, but no canonical number: never overwritten
    MISSING = "missing"  # no key: never created


@dataclass(frozen=True, slots=True)
class Level:
    """The ledger's side of one size; `opened` once Stripe's number was adopted."""

    on_hand: int = 0
    opened: bool = False


class Owner(StrEnum):
    """Whose write the observed marker names."""

    NOBODY = "nobody"  # there is no marker
    OURS = "ours"  # a write of this product, in this database
    COPIED = "copied"  # a write of another product
    LOST = "lost"  # this installation's, but not in this database
    FORMER = "former"  # the same, and the backup is known to have been restored
    FOREIGN = "foreign"  # another installation's
    GARBAGE = "garbage"  # no marker at all


@dataclass(frozen=True, slots=True)
class Facts:
    """The ledger's side of one product, read in one transaction.

    Revs are 0 where there is none; `unexplained` says that a settled write of unknown effect, the event of a
    landed one that did not come, or what a restored backup forgot was not yet looked up in Stripe's event log.
    `restore_edits`: what people edit in Stripe is put back to the ledger's number.
    """

    account: AccountKey
    product: ProductId
    installation: str
    version: int
    levels: Mapping[Size, Level]
    owner: Owner
    observed_rev: int = 0
    highest_rev: int = 0
    highest_landed: int = 0
    unexplained: bool = False
    restore_edits: bool = False
