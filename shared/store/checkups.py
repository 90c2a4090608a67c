"""SQL of what a check-up looks at: who we are, what waits too long, what nobody may write; nobody writes here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.vocabulary import AccountKey, EventId


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait for longer than they should, and how long the oldest has (seconds; 0 for none)."""

    count: int
    oldest: float


@dataclass(frozen=True, slots=True)
class Untold:
    """Alerts that nobody was told of for too long, and those that the mail server refused."""

    late: int
    refused: int


def server_version(connection: Connection[Any]) -> int:
    """PostgreSQL's version as a number, 150004 for 15.4."""
    return connection.info.server_version


def unsynced(connection: Connection[Any], account: AccountKey, *, longer_than: float) -> Waiting:
    """Products that have waited for a sync for more than `longer_than` seconds."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            """
            select count(*) as count,
                coalesce(extract(epoch from now() - min(dirty_since)), 0)::float8 as oldest
            from product
            where account = %s and dirty_since < now() - make_interval(secs => %s)
                and state in ('tracked', 'untracked')
            """,
            (account, longer_than),
        ).fetchall()[0]


def unanswered(connection: Connection[Any], account: AccountKey, *, longer_than: float) -> Waiting:
    """Writes that have been PENDING for more than `longer_than` seconds."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            """
            select count(*) as count,
                coalesce(extract(epoch from now() - min(planned_at)), 0)::float8 as oldest
            from write
            where account = %s and state = 'PENDING' and planned_at < now() - make_interval(secs => %s)
            """,
            (account, longer_than),
        ).fetchall()[0]


def untold(connection: Connection[Any], account: AccountKey, *, longer_than: float) -> Untold:
    """Alerts raised more than `longer_than` seconds ago that still wait, and those that never go out."""
    with connection.cursor(row_factory=class_row(Untold)) as cursor:
        return cursor.execute(
            """
            select
                count(*) filter (
                    where failed_at is null and raised_at < now() - make_interval(secs => %s)
                ) as late,
                count(*) filter (where failed_at is not null) as refused
            from alert where account = %s and mailed_at is null and dropped_at is null
                and acknowledged_at is null
                and (snoozed_until is null or snoozed_until < now() - make_interval(secs => %s))
            """,
            (longer_than, account, longer_than),
        ).fetchall()[0]


def handled(connection: Connection[Any], account: AccountKey, event: EventId) -> bool:
    """Whether the stock worker has handled the event."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return bool(
            cursor.execute(
                "select exists (select from delivery where account = %s and event_id = %s)", (account, event)
            ).fetchone()
        )
