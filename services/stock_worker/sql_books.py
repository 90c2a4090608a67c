"""The books in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from services.stock_worker.books import Tx
from shared.database.pool import Connection, Database
from shared.store.alerts import Alerts
from shared.store.aliases import Aliases
from shared.store.locks import Locks
from shared.store.movements import Movements
from shared.store.own_events import OwnEvents
from shared.store.products import Products
from shared.store.sales import Sales
from shared.store.verifications import Verifications
from shared.store.writes import Writes
from shared.verification import Look
from shared.vocabulary import AccountKey, ProductId

T = TypeVar("T")


class SqlTx:
    """A connection inside a transaction."""

    def __init__(self, connection: Connection, account: AccountKey) -> None:
        self.products = Products(connection, account)
        self.writes = Writes(connection, account)
        self.own_events = OwnEvents(connection, account)
        self.movements = Movements(connection, account)
        self.sales = Sales(connection, account)
        self.aliases = Aliases(connection, account)
        self.alerts = Alerts(connection, account)


class SqlSitting:
    """A pinned connection."""

    def __init__(self, connection: Connection, account: AccountKey) -> None:
        self._connection = connection
        self._locks = Locks(connection, account)
        self._tx = SqlTx(connection, account)

    def try_lock(self, product: ProductId) -> bool:
        """Take the product's lock; whether it was free."""
        return self._locks.try_lock(product)

    def unlock(self, product: ProductId) -> None:
        """Let it go."""
        self._locks.unlock(product)

    @contextmanager
    def transaction(self) -> Generator[Tx]:
        """A transaction on this connection."""
        with self._connection.transaction():
            yield self._tx


class SqlBooks:
    """One account's books in a database; raises Outage."""

    def __init__(self, database: Database, account: AccountKey) -> None:
        self._database = database
        self._account = account

    @contextmanager
    def sitting(self) -> Generator[SqlSitting]:
        """A pinned connection."""
        with self._database.session() as connection:
            yield SqlSitting(connection, self._account)

    def run(self, work: Callable[[Tx], T]) -> T:
        """What `work` returns from one transaction."""
        return self._database.run(lambda connection: work(SqlTx(connection, self._account)))


class SqlLooks:
    """Where the looks of verifications are kept; raises Outage."""

    def __init__(self, database: Database, account: AccountKey) -> None:
        self._database = database
        self._account = account

    def keep(self, check: str, product: ProductId, look: int, seen: Look) -> None:
        """Keep what look number `look` of a check saw; the first of two answers stands."""
        self._database.run(
            lambda connection: Verifications(connection, self._account).keep_look(check, product, look, seen)
        )
