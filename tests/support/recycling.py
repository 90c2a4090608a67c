"""A database that a test has used, made as if nobody had: making a new one costs many times as much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import psycopg
from psycopg import sql

_SHAPE: Final = " union all ".join(
    f"select '{catalog}', count(*), max(xmin::text::bigint) from {catalog}"  # noqa: S608 - names of our own
    for catalog in (
        "pg_attribute",
        "pg_constraint",
        "pg_proc",
        "pg_trigger",
        "pg_namespace",
        "pg_db_role_setting",
    )
)
"""What tests may change beside rows: whatever is made or altered has a newer row in one of these."""
_TABLES: Final = """
    select c.oid::regclass::text from pg_class c
    where c.relkind in ('r', 'p') and c.oid >= 16384 and c.relnamespace::regnamespace::text !~ '^pg_'
"""
_SEQUENCES: Final = """
    select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null
"""
_STATISTICS: Final = "delete from pg_statistic where starelid >= 16384"
_QUEUES: Final = "drop schema if exists pgmq cascade"
_OTHERS: Final = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Pristine:
    """What a migrated database looks like: its `shape`, and the rows (as text) of its tables that have some."""

    shape: str
    rows: dict[str, str]

    @classmethod
    def of(cls, address: str) -> Self:
        """As the database at `address` is now."""
        with psycopg.connect(address, autocommit=True) as connection:
            return cls(_shape(connection), _filled(connection))

    def restore(self, address: str) -> bool:
        """Empty whatever was filled; False where the database is not as it was all the same, or not there."""
        try:
            return self._restored(address)
        except psycopg.OperationalError:
            return False

    def _restored(self, address: str) -> bool:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(_OTHERS)
            connection.execute("set session_replication_role = replica")  # what is append-only, too
            connection.execute(_QUEUES)
            used = [table for table, rows in _filled(connection).items() if rows != self.rows.get(table)]
            if used and not set(used) & set(self.rows):
                connection.execute(
                    sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(map(_named, used)))
                )
                connection.execute(_STATISTICS)
            connection.execute(_SEQUENCES)
            return _shape(connection) == self.shape and _filled(connection) == self.rows


def _shape(connection: psycopg.Connection[Any]) -> str:
    return str(connection.execute(_SHAPE).fetchall())


def _filled(connection: psycopg.Connection[Any]) -> dict[str, str]:
    """A digest of the rows of each table that has some."""
    tables = [str(row[0]) for row in connection.execute(_TABLES)]
    found = sql.SQL(" union all ").join(
        sql.SQL(
            "select {}, md5(string_agg(t::text, ',' order by t::text)) from {} t having count(*) > 0"
        ).format(sql.Literal(table), _named(table))
        for table in tables
    )
    return {str(table): str(rows) for table, rows in connection.execute(found)}


def _named(table: str) -> sql.SQL:
    return sql.SQL(table)  # pyright: ignore[reportArgumentType] - regclass has quoted it
