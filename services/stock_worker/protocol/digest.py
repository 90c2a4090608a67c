"""What one of our own writes trampled: the edit that came between our look at Stripe and our write."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from services.stock_worker.protocol.plan import opening, put_back
from shared.vocabulary import EventId, Movement, MovementKind, Size
from shared.writes import Units, Write


@dataclass(frozen=True, slots=True)
class Digest:
    """The trampled edits as movements, and the state to append to K(`marker`)."""

    movements: tuple[Movement, ...]
    marker: str
    units: Units


FORGOTTEN = "?"
"""The base marker of a write that is only known from the event log: nobody knows what it was planned on."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a write of ours replaced: the numbers, and the marker that they came from.

    `base` is the state they are compared with, where it is known from the event log alone.
    """

    marker: str
    units: Units
    base: Units | None = None


def digest(
    write: Write, event: EventId, replaced: Replaced, known: Units | None, *, restore: bool = False
) -> Digest:
    """What write `write`'s own event tells; `known` is K(replaced.marker).last.

    With `restore` a trampled edit is put back as any other: it stays in the ledger's history only.
    """
    planned_on = replaced.marker == write.base_marker or known is None
    base = write.base_values if planned_on else known or {}
    movements = tuple(
        Movement(
            write.account,
            write.product,
            size,
            units - base[size],
            MovementKind.OVERWRITTEN,
            f"ovw:{write.account}:{write.product}:{write.rev}:{size}",
            event=event,
        )
        for size, units in replaced.units.items()
        if size in write.target and size in base and units != base[size]
    )
    movements += tuple(put_back(m) for m in movements if restore)
    marker = write.base_marker if planned_on else replaced.marker
    return Digest(movements, marker, {**base, **replaced.units})


def openings(write: Write, replaced: Replaced, opened: Collection[Size]) -> tuple[Movement, ...]:
    """The opening balances of sizes that a restored backup never saw: what stood there before the first write."""
    return tuple(
        opening(write.account, write.product, size, units)
        for size, units in replaced.units.items()
        if write.base_marker == FORGOTTEN and size not in opened
    )
