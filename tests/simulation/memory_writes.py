"""Products, writes and known states of the books in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from shared.store.own_events import Tail
from shared.store.products import ProductRow, VariantRow
from shared.store.writes import Revs, Superseded
from shared.vocabulary import (
    ProductId,
    Size,
)
from shared.writes import Units, Write, WriteState
from tests.simulation.memory_tables import (
    EPOCH,
    EVENT_LATE,
    KEPT,
    LONG_AGO,
    ForeignKeyViolation,
    Part,
    UniqueViolation,
    WriteRow,
    changed,
)


class Products(Part):
    """Products and their sizes."""

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
                self._tables.variants, key, changed(old, state=state, opened=old.opened or size in adopted)
            )

    def set_state(self, product: ProductId, state: str, *, reason: str = "") -> None:
        self._change(product, state=state, reason=reason)

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
            self._put(self._tables.products, product, changed(row, **changes))


class Writes(Part):
    """Writes to Stripe, their own events, and the states known under their markers."""

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
        self._put(self._tables.writes, (write.product, write.rev), changed(row, state=state, landed=landed))
        self._books.watch.left(write)
        return True

    def mark_landed(self, write: Write) -> None:
        key = (write.product, write.rev)
        self._put(self._tables.writes, key, changed(self._tables.writes[key], landed=True))

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

    def last_known(self, product: ProductId, marker: str) -> Units | None:
        return self._tables.known.get((product, marker))

    def append_known(self, product: ProductId, marker: str, *, units: Units) -> None:
        self._put(self._tables.known, (product, marker), dict(units))

    def reconstruct(self, write: Write) -> None:
        row = WriteRow(write, WriteState.APPLIED, LONG_AGO)
        self._put(self._tables.writes, (write.product, write.rev), row)

    def mark_digested(self, write: Write, executed_at: datetime) -> None:
        key = (write.product, write.rev)
        row = changed(self._tables.writes[key], landed=True, digested=True, executed_at=executed_at)
        self._put(self._tables.writes, key, row)

    def mark_looked_up(self, product: ProductId) -> None:
        for row in self._of(product):
            if not row.digested and (row.state is WriteState.SETTLED or (row.landed and self._late(row))):
                self._put(self._tables.writes, (product, row.write.rev), changed(row, looked_up=True))

    def undigested_before(self, write: Write) -> bool:
        rows = self._of(write.product)
        return any(row.landed and not row.digested and row.write.rev < write.rev for row in rows)

    def tail(self, product: ProductId) -> Tail:
        rows = {row.write.rev: row for row in self._of(product)}
        owed = [
            rev
            for rev, row in rows.items()
            if not row.digested and (row.landed or (row.state is WriteState.SETTLED and not row.looked_up))
        ]
        before = [rev for rev, row in rows.items() if row.digested and (not owed or rev < min(owed))]
        return Tail(owed=bool(owed), since=rows[max(before)].executed_at if before else None)

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
        return changed(row.write, landed=row.landed, digested=row.digested, expired=old)
