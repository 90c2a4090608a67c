"""The stock worker's books in memory: what PostgreSQL does for it, with a hook where a process may die.

A transaction runs without anybody between, as row locks make it in PostgreSQL; it is undone where it raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from services.stock_worker.books import Tx
from shared.alerts import AlertKey, NewAlert, OversoldSale
from shared.store.alerts import ACCUMULATING
from shared.store.products import ProductRow, VariantRow
from shared.store.sales import Handled, Sale
from shared.store.writes import Revs, Superseded
from shared.vocabulary import (
    AlertKind,
    Movement,
    MovementKind,
    ProductId,
    SessionId,
    Size,
    UnplacedSale,
)
from shared.writes import Units, Write, WriteState

T = TypeVar("T")
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


class UniqueViolation(Exception):
    """Two rows that must not be."""


class ForeignKeyViolation(Exception):
    """A row about something that was never seen."""


class MemoryTx:
    """One transaction on the tables; also every aggregate of it."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books
        self._tables = books.tables
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self.products = self.writes = self.movements = self.sales = self.alerts = self

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

    # products

    def lock(self, product: ProductId) -> ProductRow | None:
        return self._tables.products.get(product)

    def lock_all(self, products: Collection[ProductId]) -> None:
        del products

    def states(self, products: Collection[ProductId]) -> dict[ProductId, str]:
        rows = self._tables.products
        return {product: rows[product].state for product in products if product in rows}

    def variants(self, products: Collection[ProductId]) -> list[VariantRow]:
        return [row for key, row in sorted(self._tables.variants.items()) if key[0] in products]

    def create(self, product: ProductId, name: str) -> None:
        if product not in self._tables.products:
            self._put(
                self._tables.products,
                product,
                ProductRow(product, name, "tracked", 0, None, dirty=True, recover=self._books.restored),
            )

    def save_sizes(self, product: ProductId, states: Mapping[Size, str], *, opened: Iterable[Size]) -> None:
        if product not in self._tables.products:
            raise ForeignKeyViolation(product)
        adopted = set(opened)
        for size, state in states.items():
            key = (product, size)
            old = self._tables.variants.get(key) or VariantRow(
                product, size, 0, state, opened=False, threshold=None
            )
            self._put(
                self._tables.variants, key, replace(old, state=state, opened=old.opened or size in adopted)
            )

    def set_state(self, product: ProductId, state: str, *, reason: str = "") -> None:
        del reason
        self._change(product, state=state)

    def next_version(self, product: ProductId) -> None:
        row = self._tables.products.get(product)
        if row is not None:
            self._change(product, version=row.version + 1)

    def mark_dirty(self, products: Collection[ProductId]) -> None:
        for product in products:
            self._change(product, dirty=True)

    def mark_clean(self, product: ProductId, *, name: str | None = None) -> None:
        if name is None:
            self._change(product, dirty=False)
        else:
            self._change(product, dirty=False, name=name)

    def set_recover(self, product: ProductId, *, recover: bool) -> None:
        self._change(product, recover=recover)

    def taken_over(self, product: ProductId) -> None:
        self._change(product, take_over=False)

    def is_dirty(self, product: ProductId) -> bool:
        row = self._tables.products.get(product)
        return row is None or row.dirty

    def _change(self, product: ProductId, **changes: Any) -> None:  # noqa: ANN401 - handed through
        row = self._tables.products.get(product)
        if row is not None and any(getattr(row, name) != value for name, value in changes.items()):
            self._put(self._tables.products, product, replace(row, **changes))

    # writes

    def hold_installation(self, installation: str) -> None:
        if self._books.installation not in {None, installation}:
            raise Superseded

    def pending(self, product: ProductId) -> Write | None:
        return next((self._read(row) for row in self._of(product) if row.state is WriteState.PENDING), None)

    def since_last(self, product: ProductId) -> float | None:
        last = max(self._of(product), key=lambda row: row.write.rev, default=None)
        return self._books.now - last.planned_at if last else None

    def by_key(self, key: str) -> Write | None:
        return next((self._read(row) for row in self._tables.writes.values() if row.write.key == key), None)

    def by_marker(self, marker: str) -> Write | None:
        rows = self._tables.writes.values()
        return next((self._read(row) for row in rows if row.write.marker == marker), None)

    def insert(self, write: Write) -> None:
        key = (write.product, write.rev)
        if self.pending(write.product) is not None or key in self._tables.writes:
            raise UniqueViolation(write.key)
        self._put(self._tables.writes, key, WriteRow(write, WriteState.PENDING, self._books.now))
        taken_over = self._tables.products[write.product].take_over
        self._books.watch.planned(write, taken_over=taken_over)

    def leave_pending(self, write: Write, state: WriteState, answer: str) -> bool:
        del answer
        row = self._tables.writes.get((write.product, write.rev))
        if row is None or row.state is not WriteState.PENDING:
            return False
        landed = row.landed or state is WriteState.APPLIED
        self._put(self._tables.writes, (write.product, write.rev), replace(row, state=state, landed=landed))
        self._books.watch.left(write)
        return True

    def mark_landed(self, write: Write, *, digested: bool = False) -> None:
        key = (write.product, write.rev)
        row = self._tables.writes[key]
        self._put(self._tables.writes, key, replace(row, landed=True, digested=row.digested or digested))

    def mark_looked_up(self, product: ProductId) -> None:
        for row in self._of(product):
            if not row.digested and (row.state is WriteState.SETTLED or (row.landed and self._late(row))):
                self._put(self._tables.writes, (product, row.write.rev), replace(row, looked_up=True))

    def revs(self, product: ProductId) -> Revs:
        rows = self._of(product)
        return Revs(
            max((row.write.rev for row in rows), default=0),
            max((row.write.rev for row in rows if row.landed), default=0),
            any(
                (row.state is WriteState.SETTLED and not row.landed and not row.looked_up)
                or (row.landed and not row.digested and not row.looked_up and self._late(row))
                for row in rows
            ),
        )

    def undigested_before(self, write: Write) -> bool:
        rows = self._of(write.product)
        return any(row.landed and not row.digested and row.write.rev < write.rev for row in rows)

    def last_known(self, product: ProductId, marker: str) -> Units | None:
        return self._tables.known.get((product, marker))

    def append_known(self, product: ProductId, marker: str, *, units: Units) -> None:
        self._put(self._tables.known, (product, marker), dict(units))

    def reconstruct(self, write: Write) -> None:
        row = WriteRow(write, WriteState.APPLIED, LONG_AGO)
        self._put(self._tables.writes, (write.product, write.rev), row)

    def log_since(self, product: ProductId, *, restored: bool = False) -> datetime:
        del product, restored
        return EPOCH

    def _late(self, row: WriteRow) -> bool:
        return self._books.now - row.planned_at > EVENT_LATE

    def _of(self, product: ProductId) -> list[WriteRow]:
        return [row for key, row in self._tables.writes.items() if key[0] == product]

    def _read(self, row: WriteRow) -> Write:
        old = self._books.now - row.planned_at > KEPT
        if not (row.landed or row.digested or old):
            return row.write
        return replace(row.write, landed=row.landed, digested=row.digested, expired=old)

    # movements

    def append(self, movements: Sequence[Movement]) -> frozenset[str]:
        new: list[str] = []
        for movement in movements:
            key = movement.source_key
            if key in self._tables.movements:
                if self._books.unique_keys:
                    continue
                key = f"{key}#{len(self._tables.movements)}"
            at = (movement.product, movement.size)
            row = self._tables.variants[at]  # the foreign key
            self._put(self._tables.movements, key, movement)
            self._put(self._tables.variants, at, replace(row, on_hand=row.on_hand + movement.delta))
            self._books.watch.moved(movement)
            new.append(movement.source_key)
        return frozenset(new)

    def newest_sales(self, product: ProductId, size: Size, *, units: int) -> list[OversoldSale]:
        sales: list[OversoldSale] = []
        for movement in reversed(self._tables.movements.values()):
            if (movement.product, movement.size, movement.kind) != (product, size, MovementKind.SALE):
                continue
            left = units - sum(sale.units for sale in sales)
            if left <= 0:
                break
            sales.append(OversoldSale(movement.session or SessionId(""), min(-movement.delta, left)))
        return sales

    # sales

    def booked(self, sessions: Collection[SessionId]) -> set[SessionId]:
        if not self._books.unique_keys:
            return set()
        return {session for session in sessions if session in self._tables.booked}

    def record(self, sales: Sequence[Sale]) -> None:
        for sale in sales:
            if sale.session not in self._tables.booked:
                self._put(self._tables.booked, sale.session, sale)

    def hold(self, lines: Sequence[UnplacedSale]) -> set[str]:
        fresh = {line.source_key: line for line in lines if line.source_key not in self._tables.held}
        for key, line in fresh.items():
            self._put(self._tables.held, key, line)
        return set(fresh)

    def log_deliveries(self, handled: Sequence[Handled]) -> None:
        del handled

    # alerts

    def open_alerts(self, subjects: Collection[str]) -> set[tuple[AlertKind, str]]:
        return {key for key in self._tables.alerts if key[1] in subjects}

    def raise_(self, alerts: Collection[NewAlert]) -> list[int]:
        raised: list[int] = []
        for alert in alerts:
            key = (alert.kind, alert.subject)
            opened = self._tables.alerts.get(key)
            if opened is None:
                self._books.alerts_raised += 1
                opened = Alert(self._books.alerts_raised, alert.facts.get("product"))
                self._put(self._tables.alerts, key, opened)
            elif alert.kind not in ACCUMULATING:
                continue
            raised.append(opened.number)
        return list(dict.fromkeys(raised))

    def resolve(self, keys: Collection[AlertKey]) -> int:
        over = {key for one in keys if (key := (one.kind, one.subject)) in self._tables.alerts}
        for key in over:
            self._drop(self._tables.alerts, key)
        return len(over)

    def resolve_refused(self) -> None:
        for key in [key for key in self._tables.alerts if key[0] is AlertKind.STRIPE_REFUSED]:
            self._drop(self._tables.alerts, key)

    def untold(self, product: ProductId) -> list[int]:
        return [alert.number for alert in self._tables.alerts.values() if alert.product == product]


class Watch:
    """Told of what transactions commit to; the simulation's invariants listen here."""

    def planned(self, write: Write, *, taken_over: bool) -> None:
        """A write was committed to."""

    def left(self, write: Write) -> None:
        """A write is no longer PENDING."""

    def moved(self, movement: Movement) -> None:
        """A movement was appended."""


class MemorySitting:
    """A pinned connection; `owner` is its worker's number once it was used."""

    def __init__(self, books: MemoryBooks) -> None:
        self._books = books
        self.owner = 0

    def try_lock(self, product: ProductId) -> bool:
        """Take the product's lock; whether it was free."""
        self._books.reach("lock", self)
        return self._books.locks.setdefault(product, self) is self

    def unlock(self, product: ProductId) -> None:
        """Let it go."""
        self._books.reach("unlock", self)
        if self._books.locks.get(product) is self:
            del self._books.locks[product]

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """A transaction on this connection."""
        self._books.reach("transaction", self)
        with self._books.atomically() as tx:
            yield tx
        self._books.reach("committed", self)


def _go_on(point: str, sitting: MemorySitting | None) -> None:
    """Nothing happens at a point of I/O."""
    del point, sitting


class MemoryBooks:
    """The books of one world; each worker process has its own `MemoryBooks` on the same tables."""

    def __init__(self, reach: Callable[[str, MemorySitting | None], None] | None = None) -> None:
        self.tables = Tables()
        self.locks: dict[ProductId, MemorySitting] = {}
        self.now = 0.0  # seconds
        self.watch = Watch()
        self.unique_keys = True
        self.alerts_raised = 0
        self.restored = False
        self.installation: str | None = None
        self.reach = reach or _go_on

    @contextmanager
    def sitting(self) -> Generator[MemorySitting]:
        """A pinned connection; what it left locked is unlocked at the end."""
        sitting = MemorySitting(self)
        try:
            yield sitting
        finally:
            self.forget(sitting)

    def run(self, work: Callable[[Tx], T]) -> T:
        """What `work` returns from one transaction."""
        self.reach("transaction", None)
        with self.atomically() as tx:
            result = work(tx)
        self.reach("committed", None)
        return result

    @contextmanager
    def atomically(self) -> Generator[MemoryTx]:
        """A transaction, undone where the block raises."""
        tx = MemoryTx(self)
        try:
            yield tx
        except BaseException:
            tx.undo()
            raise

    def forget(self, sitting: MemorySitting) -> None:
        """The connection is gone, and its locks with it."""
        for product in [product for product, holder in self.locks.items() if holder is sitting]:
            del self.locks[product]

    def age(self, by: timedelta) -> None:
        """Time passes."""
        self.now += by.total_seconds()
