"""What one of our own writes trampled: the edit that came between our look at Stripe and our write."""

from __future__ import annotations

from dataclasses import dataclass

from services.stock_worker.protocol.facts import NO_MARKER, observe
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import Movement, MovementKind
from shared.writes import Units, Write


@dataclass(frozen=True, slots=True)
class Digest:
    """The trampled edits as movements, and the state to append to K(`marker`)."""

    movements: tuple[Movement, ...]
    marker: str
    units: Units


def replaced_marker(update: ProductUpdate) -> str:
    """The marker that stood there before the event; '' for none."""
    return observe(_before(update)).marker


def digest(write: Write, update: ProductUpdate, known: Units | None) -> Digest:
    """What write `write`'s own event `update` tells; `known` is K(replaced marker).last.

    A marker that was deleted between look and write is taken for the one the write was planned on.
    """
    before = observe(_before(update))
    planned_on = before.marker in {write.base_marker, NO_MARKER} or known is None
    base = write.base_values if planned_on else known or {}
    movements = tuple(
        Movement(
            write.account,
            write.product,
            size,
            units - base[size],
            MovementKind.OVERWRITTEN,
            f"ovw:{write.account}:{write.product}:{write.rev}:{size}",
            event=update.event,
        )
        for size, units in before.sheet.units.items()
        if size in write.target and size in base and units != base[size]
    )
    known_now = {**base, **before.sheet.units}
    return Digest(movements, write.base_marker if planned_on else before.marker, known_now)


def _before(update: ProductUpdate) -> dict[str, str]:
    merged = {**update.metadata, **update.previous_metadata}
    return {key: value for key, value in merged.items() if value is not None}
