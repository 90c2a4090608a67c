"""The account's books as the stock worker reaches them: what is asked of the store, one transaction at a time.

`sql_books` answers from PostgreSQL, by the classes of `shared.store`; the simulation answers from memory and is
held to the same tests.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from services.stock_worker.aggregates import Alerts, Aliases, Movements, OwnEvents, Products, Sales, Writes
from shared.vocabulary import ProductId

T = TypeVar("T")


class Tx(Protocol):
    """One transaction: all of it happens, or nothing."""

    @property
    def products(self) -> Products:
        """The products."""
        ...

    @property
    def writes(self) -> Writes:
        """The writes."""
        ...

    @property
    def own_events(self) -> OwnEvents:
        """The own events of the writes."""
        ...

    @property
    def movements(self) -> Movements:
        """The ledger."""
        ...

    @property
    def sales(self) -> Sales:
        """The sales."""
        ...

    @property
    def aliases(self) -> Aliases:
        """What people taught."""
        ...

    @property
    def alerts(self) -> Alerts:
        """The alerts."""
        ...


class Sitting(Protocol):
    """One pinned connection: a product's lock, and transactions one after the other."""

    def try_lock(self, product: ProductId) -> bool:
        """Take the product's lock; whether it was free. It is gone with the connection."""
        ...

    def unlock(self, product: ProductId) -> None:
        """Let it go."""
        ...

    def transaction(self) -> AbstractContextManager[Tx]:
        """A transaction, committed at the end of the block."""
        ...


class Books(Protocol):
    """The books of one account; raise an Outage where they can't be reached."""

    def sitting(self) -> AbstractContextManager[Sitting]:
        """A pinned connection."""
        ...

    def run(self, work: Callable[[Tx], T]) -> T:
        """What `work` returns from one transaction, run again where it lost against a neighbour."""
        ...
