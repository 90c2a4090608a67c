"""What a verification compares: a listed product, what the ledger knows of it, and a look that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from shared.stock_metadata import StockSheet
from shared.vocabulary import ProductId, Size
from shared.writes import Units


@dataclass(frozen=True, slots=True)
class Listed:
    """One product as a page of Stripe's list showed it; `marker` is '' where it has none."""

    product: ProductId
    name: str
    marker: str
    sheet: StockSheet


@dataclass(frozen=True, slots=True)
class KnownState:
    """Numbers that were seen or written under a marker; `late`: learned after the pass began."""

    units: Units
    late: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """The ledger's side of one size: its balance, the sum of its movements, and how it was last seen in Stripe.

    `opened` once Stripe's number was adopted.
    """

    on_hand: int
    sum: int
    state: str
    opened: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a listed product, all read at one moment.

    `state` is '' where it was never seen. `owner` is the product whose write made the listed marker (None: no
    write of this account did), `rev` that write's. `landed_before` is the highest rev that had reached Stripe when
    the pass began, `published` what is known under the newest marker of all; `at_rest`: nothing dirty or pending.
    """

    state: str
    owner: ProductId | None = None
    rev: int = 0
    landed_before: int = 0
    states: tuple[KnownState, ...] = ()
    published: Units = field(default_factory=dict[Size, int])
    balances: dict[Size, Balance] = field(default_factory=dict[Size, Balance])
    at_rest: bool = True


class Shown(StrEnum):
    """What a look found."""

    PRODUCT = "product"
    GONE = "gone"  # 404, or deleted
    BUSY = "busy"  # it changed at every try, or somebody else syncs it just now


class MarkerVerdict(StrEnum):
    """What SYNC makes of the marker before it asks the event log."""

    FINE = "fine"
    MISSING = "missing"
    OLDER = "older"
    CHANGED = "changed"  # typed, copied, or of a write that this database does not know
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class SizeSeen:
    """One size: the number that is `expected` under the marker (None: none), the one `shown`, the raw text."""

    size: Size
    expected: int | None
    shown: int | None
    raw: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What SYNC's read step saw of a product under its lock. `state` is the ledger's, '' for a product never seen.

    `waiting`: it is dirty, a write is pending, or the event log has to be asked, so whatever differs may be in
    transit. `unwritten`: SYNC would write, though nothing asks for it.
    """

    shown: Shown
    state: str = ""
    name: str = ""
    waiting: bool = False
    marker: str = ""
    verdict: MarkerVerdict = MarkerVerdict.FINE
    sizes: tuple[SizeSeen, ...] = ()
    unwritten: bool = False


_LOOK: TypeAdapter[Look] = TypeAdapter(Look)


def to_json(look: Look) -> dict[str, Any]:
    """`look` as a row keeps it."""
    kept: dict[str, Any] = _LOOK.dump_python(look, mode="json")
    return kept


def from_json(kept: dict[str, Any]) -> Look:
    """The look that `to_json` kept."""
    return _LOOK.validate_python(kept)
