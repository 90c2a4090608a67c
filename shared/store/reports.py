"""SQL of the reports that are mailed: the reconciler makes them, the notifier mails them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from shared.alerts import JSON
from shared.periods import Period
from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class ClaimedReport:
    """A report in a notifier's hands; `claimed_at` proves the claim when its outcome is recorded.

    `unsure`: nobody knows whether it was mailed already.
    """

    id: int
    account: AccountKey
    made_at: datetime
    data: JSON
    attempts: int
    claimed_at: datetime
    unsure: bool = False


def add(
    connection: Connection[Any], account: AccountKey, planned_at: datetime, period: Period, *, data: JSON
) -> int:
    """Keep the report of one run; its id. One that the same run made before stays as it is."""
    row = connection.execute(
        """
        with made as (
            insert into report (account, planned_at, begins_at, ends_at, data) values (%s, %s, %s, %s, %s)
            on conflict (account, planned_at) do nothing returning id
        )
        select id from made union all select id from report where account = %s and planned_at = %s limit 1
        """,
        (account, planned_at, period.begins, period.ends, Jsonb(data), account, planned_at),
    ).fetchone()
    if row is None:
        raise LookupError("somebody else makes the same report at the same moment")
    return int(row[0])


def claim(connection: Connection[Any], *, abandoned_after: float) -> ClaimedReport | None:
    """Take the oldest report that waits in hand; a claim that is so many seconds old was left by a crash."""
    with connection.cursor(row_factory=class_row(ClaimedReport)) as cursor:
        return cursor.execute(
            """
            update report set claimed_at = now(), attempts = attempts + 1
            where id = (
                select id from report
                where mailed_at is null and failed_at is null and next_attempt_at <= now()
                    and (claimed_at is null or claimed_at < now() - make_interval(secs => %s))
                order by id limit 1 for update skip locked
            )
            returning id, account, made_at, data, attempts, claimed_at, unsure
            """,
            (abandoned_after,),
        ).fetchone()


def mark_mailed(connection: Connection[Any], claimed: ClaimedReport) -> None:
    """Record that the mail was accepted."""
    connection.execute(
        "update report set mailed_at = now(), last_error = '' where id = %s and claimed_at = %s",
        (claimed.id, claimed.claimed_at),
    )


def mark_retry(connection: Connection[Any], claimed: ClaimedReport, *, seconds: float, error: str) -> None:
    """Give the claim back, to be tried again in `seconds`; `error` without secrets."""
    connection.execute(
        """
        update report set claimed_at = null, last_error = %s,
            next_attempt_at = now() + make_interval(secs => %s)
        where id = %s and claimed_at = %s
        """,
        (error, seconds, claimed.id, claimed.claimed_at),
    )


def mark_unsure(connection: Connection[Any], claimed: ClaimedReport, *, error: str) -> None:
    """Note that nobody knows whether the mail was taken; the claim stands until it counts as abandoned."""
    connection.execute(
        "update report set unsure = true, last_error = %s where id = %s and claimed_at = %s",
        (error, claimed.id, claimed.claimed_at),
    )


def mark_failed(connection: Connection[Any], claimed: ClaimedReport, *, error: str) -> None:
    """Record that it can't be mailed; `rearm_failed` brings it back."""
    connection.execute(
        "update report set failed_at = now(), last_error = %s where id = %s and claimed_at = %s",
        (error, claimed.id, claimed.claimed_at),
    )


def rearm_failed(connection: Connection[Any], lately: timedelta) -> int:
    """Let every report that was given up `lately` wait to be mailed again; how many."""
    return connection.execute(
        """
        update report set failed_at = null, claimed_at = null, attempts = 0, next_attempt_at = now()
        where failed_at > now() - %s::interval
        """,
        (lately,),
    ).rowcount
