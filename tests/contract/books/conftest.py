"""Both kinds of books, and a way to make time pass in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.stock_worker.books import Books
from services.stock_worker.sql_books import SqlBooks
from shared.database.pool import Database
from shared.store import installations, repairs
from shared.vocabulary import AccountKey, ProductId
from tests.contract.books.samples import ACCOUNT
from tests.simulation.memory_books import MemoryBooks


@dataclass(frozen=True, slots=True)
class Kept:
    """Books, and what happens to them that no worker does."""

    books: Books
    age: Callable[[timedelta], None]
    """Everything written until now was written so much earlier."""
    recover: Callable[[ProductId], None]
    """People restored a backup that knows the product."""
    renew: Callable[[str], None]
    """The books go on under this id."""


def in_memory() -> Kept:
    """The books of the simulation."""
    books = MemoryBooks()

    def recover(product: ProductId) -> None:
        with books.atomically() as tx:
            tx.set_recover(product, recover=True)
            tx.mark_dirty([product])

    def renew(installation: str) -> None:
        books.installation = installation

    return Kept(books, books.age, recover, renew)


def in_database(database: Database, account: AccountKey) -> Kept:
    """The books that workers keep."""

    def age(by: timedelta) -> None:
        with database.transaction() as connection:
            connection.execute("update write set planned_at = planned_at - %s", (by,))

    def recover(product: ProductId) -> None:
        with database.transaction() as connection:
            assert product in repairs.recover_all(connection, account)

    def renew(installation: str) -> None:
        with database.transaction() as connection:
            installations.renew(connection, installation)

    return Kept(SqlBooks(database, account), age, recover, renew)


@pytest.fixture(params=["memory", "postgresql"])
def kept(request: pytest.FixtureRequest) -> Kept:
    """Empty books of either kind."""
    if request.param == "memory":
        return in_memory()
    return in_database(request.getfixturevalue("database"), ACCOUNT)


@pytest.fixture
def books(kept: Kept) -> Books:
    """The same, where no time passes."""
    return kept.books
