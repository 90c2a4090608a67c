"""The tables of the books in memory, and what a transaction can do to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from shared.store.products import ProductRow, VariantRow
from shared.store.sales import Sale
from shared.vocabulary import (
    AlertKind,
    Movement,
    ProductId,
    SessionId,
    Size,
    UnplacedSale,
)
from shared.writes import Units, Write, WriteState

R = TypeVar("R")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
KEPT = 20 * 3600.0  # seconds
EVENT_LATE = 600.0  # seconds
LONG_AGO = -math.inf


@dataclass(frozen=True, slots=True)
class WriteRow:
    """One row of `write`."""

    write: Write
    state: WriteState
    planned_at: float
    landed: bool = False
    digested: bool = False
    looked_up: bool = False
    executed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """The open alert of its key, about `product`."""

    number: int
    product: object


@dataclass(slots=True)
class Tables:
    """Everything that a backup holds; rows are values, so a copy of the tables is a backup."""

    products: dict[ProductId, ProductRow] = field(default_factory=dict[ProductId, ProductRow])
    variants: dict[tuple[ProductId, Size], VariantRow] = field(
        default_factory=dict[tuple[ProductId, Size], VariantRow]
    )
    movements: dict[str, Movement] = field(default_factory=dict[str, Movement])
    writes: dict[tuple[ProductId, int], WriteRow] = field(
        default_factory=dict[tuple[ProductId, int], WriteRow]
    )
    known: dict[tuple[ProductId, str], Units] = field(default_factory=dict[tuple[ProductId, str], Units])
    booked: dict[SessionId, Sale] = field(default_factory=dict[SessionId, Sale])
    held: dict[str, UnplacedSale] = field(default_factory=dict[str, UnplacedSale])
    alerts: dict[tuple[AlertKind, str], Alert] = field(default_factory=dict[tuple[AlertKind, str], Alert])

    def copy(self) -> Tables:
        """A backup."""
        return Tables(*(dict(getattr(self, name)) for name in Tables.__slots__))


def changed(row: R, **changes: Any) -> R:  # noqa: ANN401 - handed through
    """`dataclasses.replace` at a third of its cost: rows are replaced all the time."""
    names, values = _fields(type(row))
    return type(row)(**dict(zip(names, values(row), strict=True), **changes))


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:  # noqa: ANN401 - of any dataclass
    names = tuple(one.name for one in fields(kind))
    return names, attrgetter(*names)


class UniqueViolation(Exception):
    """Two rows that must not be."""


class ForeignKeyViolation(Exception):
    """A row about something that was never seen."""


class Watch:
    """Told of what transactions commit to; the simulation's invariants listen here."""

    def planned(self, write: Write, *, taken_over: bool) -> None:
        """A write was committed to."""

    def left(self, write: Write) -> None:
        """A write is no longer PENDING."""

    def moved(self, movement: Movement, left: int) -> None:
        """A movement was appended; so much is `left` on hand after it."""


class Room:
    """Where transactions happen: the tables, the clock, who listens, and what can be switched off."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.now = 0.0  # seconds
        self.watch = Watch()
        self.unique_keys = True
        self.alerts_raised = 0
        self.restored = False
        self.installation: str | None = None


class Part:
    """What every aggregate of one transaction can do: change tables, and take it back."""

    def __init__(self, books: Room) -> None:
        self._books = books
        self._tables = books.tables
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []

    def undo(self) -> None:
        """Take everything back."""
        for table, key, old in reversed(self._undo):
            if old is None:
                del table[key]
            else:
                table[key] = old

    def _put(self, table: dict[Any, Any], key: object, value: object) -> None:
        self._undo.append((table, key, table.get(key)))
        table[key] = value

    def _drop(self, table: dict[Any, Any], key: object) -> None:
        self._undo.append((table, key, table.pop(key)))
