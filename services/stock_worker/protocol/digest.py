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
    write: Write,
    event: EventId,
    replaced: Replaced,
    known: Units | None,
    *,
    seen: Collection[Size] = (),
    restore: bool = False,
) -> Digest:
    """What write `write`'s own event tells; `known` is K(replaced.marker).last.

    A number that the write did not send, because it could not be read when it was planned, may have been typed anew
    before the write landed. It was not trampled, but it is counted here all the same, because somebody may bring the
    old marker back before anybody looks; `seen` are sizes that were looked at under the write's own marker and are
    counted so. With `restore` an edit is put back as any other: it stays in the ledger's history only.
    """
    planned_on = replaced.marker == write.base_marker or known is None
    base = {**(known or {}), **write.base_values} if planned_on else known or {}
    edits = {size: units - base[size] for size, units in replaced.units.items() if size in base}
    movements = tuple(
        Movement(
            write.account,
            write.product,
            size,
            delta,
            MovementKind.OVERWRITTEN if size in write.target else MovementKind.EXTERNAL,
            f"ovw:{write.account}:{write.product}:{write.rev}:{size}",
            event=event,
        )
        for size, delta in edits.items()
        if delta and (size in write.target or size not in seen)
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
