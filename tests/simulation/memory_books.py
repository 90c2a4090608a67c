"""The stock worker's books in memory: what PostgreSQL does for it, with a hook where a process may die.

A transaction runs without anybody between, as row locks make it in PostgreSQL; it is undone where it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

from services.stock_worker.books import Tx
from shared.vocabulary import (
    ProductId,
)
from tests.simulation.memory_ledger import Ledger
from tests.simulation.memory_tables import (
    Room,
)
from tests.simulation.memory_writes import Products, Writes

T = TypeVar("T")


class MemoryTx(Products, Writes, Ledger):
    """One transaction on the tables, undone where its block raises; also every aggregate of it."""

    def __init__(self, books: Room) -> None:
        super().__init__(books)
        self.products = self.writes = self.own_events = self.movements = self.sales = self.alerts = self
        self.aliases = self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, raised: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if raised is not None:
            self.undo()


class _Pinned:
    """A transaction of a sitting: a process may die before and after it. A class, for `contextmanager` costs more."""

    __slots__ = ("_books", "_sitting", "_tx")

    def __init__(self, books: MemoryBooks, sitting: MemorySitting) -> None:
        self._books = books
        self._sitting = sitting

    def __enter__(self) -> MemoryTx:
        self._books.reach("transaction", self._sitting)
        self._tx = MemoryTx(self._books)
        return self._tx

    def __exit__(
        self, raised: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if raised is not None:
            self._tx.undo()
            return
        self._books.reach("committed", self._sitting)


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

    def transaction(self) -> AbstractContextManager[Tx]:
        """A transaction on this connection."""
        return _Pinned(self._books, self)


def _go_on(point: str, sitting: MemorySitting | None) -> None:
    """Nothing happens at a point of I/O."""
    del point, sitting


class MemoryBooks(Room):
    """The books of one world; each worker process has its own `MemoryBooks` on the same tables."""

    def __init__(self, reach: Callable[[str, MemorySitting | None], None] | None = None) -> None:
        super().__init__()
        self.locks: dict[ProductId, MemorySitting] = {}
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

    def atomically(self) -> MemoryTx:
        """A transaction, undone where the block raises."""
        return MemoryTx(self)

    def forget(self, sitting: MemorySitting) -> None:
        """The connection is gone, and its locks with it."""
        for product in [product for product, holder in self.locks.items() if holder is sitting]:
            del self.locks[product]

    def age(self, by: timedelta) -> None:
        """Time passes."""
        self.now += by.total_seconds()
