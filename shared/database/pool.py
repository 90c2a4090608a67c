"""The connections of one process: short transactions, pinned sessions, errors the pipeline understands."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from shared.database.errors import TryAgain, WrongDatabase, translated

Connection = psycopg.Connection[TupleRow]
"""A connection whose rows are tuples; who wants `class_row` or `dict_row` opens a cursor of its own."""

T = TypeVar("T")
ATTEMPTS: Final = 5
_STATEMENT_TIMEOUT: Final = "30s"
_LOCK_TIMEOUT: Final = "10s"
_IDLE_IN_TRANSACTION_TIMEOUT: Final = "30s"
_PROBE_LOCK: Final = 715_003


class Database:
    """A pool of connections to `dsn`; opens none before it is used. Thread-safe; made after a fork."""

    def __init__(self, dsn: str, *, name: str = "stocksync", size: int = 10, timeout: float = 5.0) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            address(dsn, name),
            connection_class=psycopg.Connection[TupleRow],
            kwargs={"autocommit": True},  # transactions are opened by name; a forgotten one can't idle
            configure=_set_deadlines,
            min_size=0,
            max_size=size,
            timeout=timeout,
            check=ConnectionPool[Connection].check_connection,
            reconnect_timeout=timeout,
            name=name,
            open=False,
        )

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """A connection inside one transaction, committed at the end; raises DatabaseOutage, TryAgain."""
        with translated(), self._connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def session(self) -> Generator[Connection]:
        """One pinned autocommit connection, for session locks and several `connection.transaction()` blocks.

        What it left locked is unlocked at the end; raises DatabaseOutage, TryAgain.
        """
        with translated(), self._connection() as connection:
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.execute("select pg_advisory_unlock_all()")

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns from one transaction.

        The whole of it is run again, up to ATTEMPTS times, while it loses against its neighbours (serialization
        failure, deadlock). Raises DatabaseOutage, TryAgain.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                with self.transaction() as connection:
                    return work(connection)
            except TryAgain:
                continue
        with self.transaction() as connection:
            return work(connection)

    @contextmanager
    def listening(self, channels: Sequence[str]) -> Generator[Callable[[float], list[str]]]:
        """A function that waits up to so many seconds for notifications and answers their channels."""
        with translated(), self._connection() as connection:
            for channel in channels:
                connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))

            def notified(timeout: float) -> list[str]:
                return [notify.channel for notify in connection.notifies(timeout=timeout, stop_after=1)]

            try:
                yield notified
            finally:
                if not connection.closed:
                    connection.execute("unlisten *")

    def ping(self) -> None:
        """Return if the database answers; raises DatabaseOutage."""
        with self.transaction() as connection:
            connection.execute("select 1")

    def require_sessions(self) -> None:
        """Raise WrongDatabase behind a pooler that gives each transaction another session (fault 69)."""
        with self.session() as connection, self.session() as other:
            lock = (_PROBE_LOCK, _backend(connection))
            connection.execute("select pg_advisory_lock(%s, %s)", lock)
            shared = _backend(other) == lock[1]
            kept = connection.execute("select pg_advisory_unlock(%s, %s)", lock).fetchone() == (True,)
            if shared or not kept:
                raise WrongDatabase(
                    "it leads to a pooler in transaction mode; session locks need session mode"
                )

    def close(self) -> None:
        """Let go of all connections."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Generator[Connection]:
        self._pool.open()
        with self._pool.connection() as connection:
            yield connection


def address(dsn: str, name: str) -> str:
    """`dsn` with the `name` that the server shows, and with what notices a dead network."""
    try:
        return make_conninfo(
            dsn,
            application_name=name,
            connect_timeout=5,
            keepalives=1,
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
    except psycopg.ProgrammingError:
        raise WrongDatabase("it is no PostgreSQL address") from None


def _set_deadlines(connection: Connection) -> None:
    # By statement, not by the startup packet's `options`, which poolers refuse.
    connection.execute(
        "select set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
        " set_config('idle_in_transaction_session_timeout', %s, false), set_config('timezone', 'UTC', false)",
        (_STATEMENT_TIMEOUT, _LOCK_TIMEOUT, _IDLE_IN_TRANSACTION_TIMEOUT),
    )


def _backend(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0
