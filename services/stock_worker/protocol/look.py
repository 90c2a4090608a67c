"""What a look without consequences tells: the marker's verdict, and for each size what is expected and what shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.stock_worker.protocol.facts import Facts, Observation, Owner
from services.stock_worker.protocol.plan import Plan
from shared.stripe_api.objects import Product
from shared.verification import Look, MarkerVerdict, Shown, SizeSeen
from shared.vocabulary import MovementKind, Size


@dataclass(frozen=True, slots=True)
class Ledger:
    """The product's row: its state ('' for none), and whether anything is under way."""

    state: str
    waiting: bool


_BY_OWNER: Final[Mapping[Owner, MarkerVerdict]] = {
    Owner.COPIED: MarkerVerdict.CHANGED,
    Owner.LOST: MarkerVerdict.CHANGED,
    Owner.FORMER: MarkerVerdict.CHANGED,
    Owner.GARBAGE: MarkerVerdict.CHANGED,
    Owner.FOREIGN: MarkerVerdict.FOREIGN,
}

ARRIVED: Final = frozenset({MovementKind.OPENING, MovementKind.EXTERNAL})
"""What a difference to the known state becomes."""


def describe(product: Product, seen: Observation, facts: Facts, made: Plan | None, *, ledger: Ledger) -> Look:
    """The look; `made` is what a sync would do, None where it does not believe the marker."""
    return Look(
        Shown.PRODUCT,
        ledger.state,
        product.name,
        waiting=ledger.waiting,
        marker=seen.marker,
        verdict=_verdict(facts),
        sizes=tuple(_size(size, seen, facts, made) for size in _sizes(seen, facts)),
        unwritten=made is not None and made.write is not None and not made.movements,
    )


def _verdict(facts: Facts) -> MarkerVerdict:
    if facts.owner is Owner.OURS:
        older = facts.observed_rev < facts.highest_landed
        return MarkerVerdict.OLDER if older else MarkerVerdict.FINE
    if facts.owner is Owner.NOBODY:
        return MarkerVerdict.MISSING if facts.highest_landed else MarkerVerdict.FINE
    return _BY_OWNER[facts.owner]


def _sizes(seen: Observation, facts: Facts) -> list[Size]:
    adopted = (size for size, level in facts.levels.items() if level.opened)
    return list(dict.fromkeys([*seen.sheet.sizes, *adopted]))


def _size(size: Size, seen: Observation, facts: Facts, made: Plan | None) -> SizeSeen:
    """One size; what is expected is what a sync would not have to explain by somebody's edit."""
    shown = seen.sheet.units.get(size)
    raw = str(shown) if shown is not None else seen.sheet.unreadable.get(size)
    if shown is None:
        adopted = size in facts.levels and facts.levels[size].opened
        return SizeSeen(size, facts.levels[size].on_hand if adopted else None, None, raw)
    movements = made.movements if made is not None else ()
    came = next((m for m in movements if m.size == size and m.kind in ARRIVED), None)
    if came is None:
        return SizeSeen(size, shown, shown, raw)
    opens = came.kind is MovementKind.OPENING
    return SizeSeen(size, None if opens else shown - came.delta, shown, raw)
