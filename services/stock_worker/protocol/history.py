"""A product's event log as evidence: which of our markers stood in the metadata before somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from services.stock_worker.protocol.facts import NO_MARKER, observe
from shared.stock_metadata import MARKER_KEY, STOCK_KEY, stock_key
from shared.stripe_api.objects import ProductUpdate
from shared.vocabulary import Size, parse_units
from shared.writes import Units


@dataclass(frozen=True, slots=True)
class Stood:
    """What numbers came from: the state known under `marker`, or `units` where only the log knows them."""

    marker: str
    units: Units | None = None


class Extent(Enum):
    """How far back an account's event log is read; it can't be asked for one product, so each hour costs calls."""

    TAIL = auto()
    """To the last own event before those that were not seen yet; where none is, to the product's last change."""
    RECENT = auto()
    """To what may explain a marker."""
    WHOLE = auto()
    """As far as Stripe keeps events."""


@dataclass(frozen=True, slots=True)
class AskTheLog:
    """The product's event log is to be digested.

    Where no own event is missing, the tail may begin where the product `changed` last.
    """

    extent: Extent
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A product's `product.updated` events, oldest first; `ours` are those markers in it that our writes made."""

    updates: Sequence[ProductUpdate]
    ours: frozenset[str]
    extent: Extent = Extent.RECENT

    def reaches(self, metadata: Mapping[str, str]) -> bool:
        """Whether the log ends in `metadata`; if not, something happened between the look and the log."""
        if not self.updates:
            return self.extent is not Extent.TAIL
        return dict(self.updates[-1].metadata) == dict(metadata)

    @property
    def spoiled(self) -> bool:
        """Whether it shows a marker that none of our writes made."""
        return bool(markers(self.updates) - self.ours)

    def ends_with(self, marker: str) -> bool:
        """Whether the last event left `marker` there."""
        return bool(self.updates) and marker_after(self.updates[-1]) == marker

    def standing(self, end: int | None = None) -> Stood | None:
        """What the numbers came from that stood there before event number `end`, or stand there now.

        That is the last marker of ours, unless what was typed over it had stood there before. Came it back together
        with numbers, an old form was saved, and they came from what stood there when the text was last replaced. Came
        it back alone, nobody can tell whether a form left the numbers as they were or it was typed again: None.
        """
        updates = self.updates[:end]
        for number, update in reversed(list(enumerate(updates))):
            before, after = marker_before(update), marker_after(update)
            if after in self.ours:
                return Stood(after)
            if before in self.ours:
                left = self._left(after, number) if after else None
                if left is None:
                    return Stood(before)
                return Stood(after, left) if _changes_numbers(update) else None
        return None

    def last_of_ours(self, end: int) -> str:
        """The last marker of ours that stood there before event number `end`: no write is planned on a spoiled one."""
        for update in reversed(self.updates[:end]):
            for marker in (marker_after(update), marker_before(update)):
                if marker in self.ours:
                    return marker
        return NO_MARKER

    def _left(self, marker: str, end: int) -> Units | None:
        """The numbers that stood there when `marker` was last replaced before event number `end`."""
        for update in reversed(self.updates[:end]):
            if marker_before(update) == marker != marker_after(update):
                return units_before(update)
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


def _changes_numbers(update: ProductUpdate) -> bool:
    return any(name != MARKER_KEY and name.startswith(STOCK_KEY) for name in update.previous_metadata)


def markers(updates: Sequence[ProductUpdate]) -> frozenset[str]:
    """Every marker that the log shows."""
    shown = {marker for update in updates for marker in (marker_before(update), marker_after(update))}
    return frozenset(shown - {NO_MARKER})
