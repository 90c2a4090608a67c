"""What the keeper's database says of the recovery: how sales came, what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from psycopg.rows import class_row

_CAME = """
    select origin, reason, count(*) as sales, min(delay) as shortest, max(delay) as longest from sale
    group by origin, reason order by count(*) desc
"""
_UNFINISHED = """
    select (select count(*) from job_run where state in ('planned', 'running'))
        + (select count(*) from untold_alert where resolved_at is null)
"""
_OPEN = "select cause || ' ' || subject from finding where state <> 'resolved' order by id"
_FAILED = "select job || ': ' || error from job_run where state = 'failed' order by planned_at"


@dataclass(frozen=True, slots=True)
class Came:
    """Sales that came to be known in the same way, and how late they were booked where it was by recovery."""

    origin: str
    reason: str
    sales: int
    shortest: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True)
class Books:
    """How sales came, `findings` that are open, `failures` of jobs."""

    came: Sequence[Came]
    findings: Sequence[str]
    failures: Sequence[str]


class Keeper:
    """The database of the running pipeline, over a connection that commits by itself."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def booked(self) -> int:
        """How many sales are booked."""
        return self._connection.execute("select count(*) from sale").fetchall()[0][0]

    def rests(self) -> bool:
        """Whether no job runs or waits to, and people were told of everything."""
        return self._connection.execute(_UNFINISHED).fetchall()[0][0] == 0

    def books(self) -> Books:
        """How it stands now."""
        with self._connection.cursor(row_factory=class_row(Came)) as cursor:
            came = cursor.execute(_CAME).fetchall()
        return Books(
            came,
            [str(row[0]) for row in self._connection.execute(_OPEN).fetchall()],
            [str(row[0]) for row in self._connection.execute(_FAILED).fetchall()],
        )
