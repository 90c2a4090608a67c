"""Whether a listed product is worth a closer look, against what is known under its own marker; pure.

A page tells what it shows: the marker says which of our writes the numbers came from, so a page that was read minutes
ago can still be compared. Our own writes never make a candidate, whenever the page was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from shared import stock_metadata
from shared.findings import Cause, NewFinding
from shared.stock_metadata import MARKER_KEY
from shared.stripe_api.objects import Product
from shared.verification import Known, KnownState, Listed
from shared.writes import Units


class Suspicion(StrEnum):
    """Why a product is looked at more closely; nothing is wrong yet."""

    NEVER_SEEN = "never_seen"
    NOT_A_NUMBER = "not_a_number"
    MARKER = "marker"  # missing, older than what had landed, or of no write of this product
    DIFFERENT = "different"  # from all that is known under its marker
    SIZE_REMOVED = (
        "size_removed"  # known of old: later writes do not send it, so under their markers it is unknown
    )
    UNWRITTEN = "unwritten"  # nothing is dirty, and yet the ledger's number was not sent
    NOT_LISTED = "not_listed"


def listed(product: Product) -> Listed:
    """The product as a page shows it."""
    return Listed(
        product.id,
        product.name,
        product.metadata.get(MARKER_KEY, ""),
        stock_metadata.read(product.metadata),
    )


def suspicion(shown: Listed, known: Known) -> Suspicion | None:
    """Why to look at the product more closely; None where it is what it ought to be."""
    if known.state in {"", "untracked", "closed"}:
        return Suspicion.NEVER_SEEN if shown.sheet.tracked else None
    if shown.sheet.unreadable:
        return Suspicion.NOT_A_NUMBER
    if _is_odd(shown, known):
        return Suspicion.MARKER
    if not any(_is(state, shown) for state in accepted(known.states)):
        return Suspicion.DIFFERENT
    if _lacks_a_size(shown, known):
        return Suspicion.SIZE_REMOVED
    return Suspicion.UNWRITTEN if _is_unwritten(known) else None


def accepted(states: Iterable[KnownState]) -> list[Units]:
    """What a page read since the pass began may show: the last state from before, and every later one."""
    early = [state.units for state in states if not state.late]
    return [*early[-1:], *(state.units for state in states if state.late)]


def _is_odd(shown: Listed, known: Known) -> bool:
    if not shown.marker:
        return known.landed_before > 0
    return known.owner != shown.product or known.rev < known.landed_before


def _is(units: Units, shown: Listed) -> bool:
    return dict(units) == dict(shown.sheet.units)


def _lacks_a_size(shown: Listed, known: Known) -> bool:
    adopted = {size for size, balance in known.balances.items() if balance.opened}
    return bool(adopted - shown.sheet.units.keys() - shown.sheet.unreadable.keys())


def _is_unwritten(known: Known) -> bool:
    managed = {size: b.on_hand for size, b in known.balances.items() if b.state == "managed"}
    differs = any(known.published.get(size) != units for size, units in managed.items())
    return known.at_rest and known.state == "tracked" and differs


def altered(shown: Listed, known: Known) -> list[NewFinding]:
    """Balances that are not the sum of their movements: the database alone shows it, at one moment."""
    return [
        NewFinding(
            Cause.LEDGER_ALTERED,
            shown.product,
            size,
            shown.name,
            f"the balance is {balance.on_hand:,}, the movements make {balance.sum:,}",
        )
        for size, balance in known.balances.items()
        if balance.on_hand != balance.sum
    ]
