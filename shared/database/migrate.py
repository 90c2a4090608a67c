"""The schema's numbered SQL files, each applied once, in order, in one transaction of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import psycopg

from shared.database.errors import WrongDatabase, translated
from shared.database.pool import Connection, address

FOLDER: Final = files("shared.database") / "migrations"
_LOCK: Final = 715_002


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `checksum` is the SHA-256 of its bytes."""

    name: str
    sql: bytes
    checksum: str


def migrate(dsn: str, folder: Traversable = FOLDER) -> list[str]:
    """Bring the schema up to this code; the names of the files applied now.

    Any number may call it at once, and one that is killed is resumed by the next. Raises WrongDatabase where
    the database is newer than this code or a file was changed after it was applied, DatabaseOutage.
    """
    migrations = load(folder)
    with _connected(dsn) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))  # the session's: gone when it is killed
        connection.execute("set lock_timeout = '20s'")  # a waiting change of a table makes its readers wait
        todo = _missing(migrations, _applied(connection))
        for migration in todo:
            _apply(connection, migration)
        return [migration.name for migration in todo]


def pending(dsn: str, folder: Traversable = FOLDER) -> list[str]:
    """The names of the files that `migrate` would apply now; raises WrongDatabase, DatabaseOutage."""
    with _connected(dsn) as connection:
        return [migration.name for migration in _missing(load(folder), _applied(connection))]


def check(dsn: str, folder: Traversable = FOLDER) -> None:
    """Return if the schema is exactly this code's; raises WrongDatabase with a line that says what to do."""
    if todo := pending(dsn, folder):
        raise WrongDatabase(f"the database lacks {', '.join(todo)}: run `stocksync migrate`")


def load(folder: Traversable = FOLDER) -> list[Migration]:
    """The files of `folder`, in order of their names."""
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
    contents = {file.name: file.read_bytes() for file in found}
    return [Migration(name, sql, hashlib.sha256(sql).hexdigest()) for name, sql in contents.items()]


@contextmanager
def _connected(dsn: str) -> Generator[Connection]:
    with (
        translated(),
        psycopg.connect(address(dsn, "stocksync migrate"), autocommit=True) as connection,
    ):
        yield connection


def _applied(connection: Connection) -> Mapping[str, str]:
    """Name -> checksum of the files applied so far."""
    if connection.execute("select to_regclass('schema_migration')").fetchone() == (None,):
        return {}
    return dict(connection.execute("select name, checksum from schema_migration").fetchall())


def _missing(migrations: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    if ahead := sorted(set(applied) - {migration.name for migration in migrations}):
        raise WrongDatabase(
            f"the database is newer than this program (it has {', '.join(ahead)}): update the program"
        )
    changed = [m.name for m in migrations if applied.get(m.name, m.checksum) != m.checksum]
    if changed:
        raise WrongDatabase(f"{', '.join(changed)} was changed after it was applied to this database")
    return [migration for migration in migrations if migration.name not in applied]


def _apply(connection: Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(
            "create table if not exists schema_migration ("
            "name text primary key, checksum text not null, at timestamptz not null default now())"
        )
        connection.execute(migration.sql)
        connection.execute(
            "insert into schema_migration (name, checksum) values (%s, %s)",
            (migration.name, migration.checksum),
        )
