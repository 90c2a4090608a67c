"""What one of our own writes trampled: the edit that came between our look at Stripe and our write."""

from __future__ import annotations

from dataclasses import dataclass

from shared.vocabulary import EventId, Movement, MovementKind
from shared.writes import Units, Write


@dataclass(frozen=True, slots=True)
class Digest:
    """The trampled edits as movements, and the state to append to K(`marker`)."""

    movements: tuple[Movement, ...]
    marker: str
    units: Units


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a write of ours replaced: the numbers, and the marker that they came from."""

    marker: str
    units: Units


def digest(write: Write, event: EventId, replaced: Replaced, known: Units | None) -> Digest:
    """What write `write`'s own event tells; `known` is K(replaced.marker).last."""
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
    marker = write.base_marker if planned_on else replaced.marker
    return Digest(movements, marker, {**base, **replaced.units})
