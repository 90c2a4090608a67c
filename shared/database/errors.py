"""What can go wrong with the database: away, wants the transaction again, or not made for this code."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors as pg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from shared.outcomes import Outage


class DatabaseOutage(Outage):
    """The database is away or can't work now; the text names the trouble, never an address or a password."""


class EmbeddedFailed(DatabaseOutage):
    """The embedded server can't be started now; the text says why in one line."""


class TryAgain(DatabaseOutage):
    """The transaction lost against a neighbour (40001, 40P01): run the whole of it again."""


class WrongDatabase(Exception):
    """This database can't be used until a person acts: another schema or version, no binaries, a wrong pooler.

    The text begins with the setting that it is about.
    """

    def __init__(self, text: str, setting: str = "DATABASE_URL") -> None:
        """`text` says what is wrong and what to do."""
        super().__init__(f"{setting}: {text}")


_AGAIN: Final = (pg.SerializationFailure, pg.DeadlockDetected)
_AWAY: Final = (
    psycopg.InterfaceError,
    psycopg.OperationalError,  # lost connections, 57P01, 53100, 53300, 57014, 55P03 and their kin
    pg.ReadOnlySqlTransaction,  # 25006: a primary that became a standby
    pg.IdleInTransactionSessionTimeout,
    pg.TransactionTimeout,
    PoolTimeout,
    PoolClosed,
    TooManyRequests,
)


def translate(error: Exception) -> Exception:
    """`error` as TryAgain or DatabaseOutage where it is one; otherwise itself."""
    if isinstance(error, _AGAIN):
        return TryAgain(_describe(error))
    if isinstance(error, _AWAY):
        return DatabaseOutage(_describe(error))
    return error


@contextmanager
def translated() -> Generator[None]:
    """What is raised within leaves as `translate` says."""
    try:
        yield
    except Exception as error:
        understood = translate(error)
        if understood is error:
            raise
        raise understood from None


def _describe(error: Exception) -> str:
    """The class and code of `error`; its own text may hold an address or a customer's data."""
    code = error.sqlstate if isinstance(error, psycopg.Error) else None
    return f"database: {type(error).__name__}" + (f" ({code})" if code else "")
