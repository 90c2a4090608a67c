"""A product's event log as evidence: which of our markers stood in the metadata before somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.stock_worker.protocol.facts import NO_MARKER, observe
from shared.stock_metadata import MARKER_KEY, stock_key
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import Size, parse_units
from shared.writes import Units


@dataclass(frozen=True, slots=True)
class History:
    """A product's `product.updated` events, oldest first; `ours` are those markers in it that our writes made."""

    updates: Sequence[ProductUpdate]
    ours: frozenset[str]

    def reaches(self, metadata: Mapping[str, str]) -> bool:
        """Whether the log ends in `metadata`; if not, something happened between the look and the log."""
        return not self.updates or dict(self.updates[-1].metadata) == dict(metadata)

    def ends_with(self, marker: str) -> bool:
        """Whether the last event left `marker` there."""
        return bool(self.updates) and marker_after(self.updates[-1]) == marker

    def standing(self, end: int | None = None) -> str | None:
        """The last marker of ours that stood there before event number `end`, or now; None where none did.

        None also where a spoiled marker came back after it was gone: an old form was saved then, and nobody can
        tell from when.
        """
        spoiled: set[str] = set()
        for number, update in reversed(list(enumerate(self.updates[:end]))):
            for marker in (marker_after(update), marker_before(update)):
                if marker in self.ours:
                    return None if spoiled & markers(self.updates[:number]) else marker
                if marker:
                    spoiled.add(marker)
        return None

    def last_units(self, size: Size, end: int) -> int | None:
        """The last number that stood there for `size` before event number `end`; None where the log has none."""
        key = stock_key(size)
        for update in reversed(self.updates[:end]):
            for text in (update.metadata.get(key), update.previous_metadata.get(key)):
                if text is not None and (units := parse_units(text)) is not None:
                    return units
        return None


def marker_after(update: ProductUpdate) -> str:
    """The marker that the event left; '' for none."""
    return update.metadata.get(MARKER_KEY, NO_MARKER)


def marker_before(update: ProductUpdate) -> str:
    """The marker that stood there before the event; '' for none."""
    return update.previous_metadata.get(MARKER_KEY, marker_after(update)) or NO_MARKER


def metadata_before(update: ProductUpdate) -> dict[str, str]:
    """What stood there before the event."""
    merged = {**update.metadata, **update.previous_metadata}
    return {key: value for key, value in merged.items() if value is not None}


def units_before(update: ProductUpdate) -> Units:
    """The numbers of the sizes listed before the event."""
    return observe(metadata_before(update)).sheet.units


def markers(updates: Sequence[ProductUpdate]) -> frozenset[str]:
    """Every marker that the log shows."""
    shown = {marker for update in updates for marker in (marker_before(update), marker_after(update))}
    return frozenset(shown - {NO_MARKER})
