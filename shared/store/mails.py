"""SQL of the mails that tell of alerts: the notifier claims what waits and records what became of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row

from shared.alerts import Claim, ClaimedAlert, Waiting
from shared.vocabulary import AlertKind


def waiting(connection: Connection[Any], *, abandoned_after: float) -> Waiting:
    """What waits to be mailed; a claim older than `abandoned_after` seconds was left behind by a crash."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        cursor.execute(
            """
            select
                count(*) filter (where claimed_at is null) as alerts,
                count(*) filter (where claimed_at < now() - make_interval(secs => %(after)s)) as abandoned,
                coalesce(extract(epoch from
                    now() - min(raised_at) filter (where claimed_at is null)), 0)::float as oldest,
                coalesce(extract(epoch from
                    now() - max(raised_at) filter (where claimed_at is null)), 0)::float as newest,
                coalesce(extract(epoch from
                    max(next_attempt_at) filter (where claimed_at is null and attempts > 0) - now()
                ), 0)::float as retry_in,
                (select count(*) from mail where sent_at > now() - interval '1 hour') as mails_last_hour,
                (select extract(epoch from now() - max(sent_at))::float from mail
                    where sent_at > now() - interval '1 hour') as since_last
            from alert where mailed_at is null and failed_at is null and dropped_at is null
            """,
            {"after": abandoned_after},
        )
        return cursor.fetchall()[0]


def claim(connection: Connection[Any], *, abandoned_after: float, limit: int) -> Claim | None:
    """Take up to `limit` alerts in hand for one mail, None where there are none.

    What one crashed notifier had in hand is taken as it was, so that its mail keeps its Message-ID.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            """
            with crashed as (
                select min(claimed_at) as at from alert
                where mailed_at is null and failed_at is null and dropped_at is null
                    and claimed_at < now() - make_interval(secs => %(after)s)
            ), taken as (
                select id from alert
                where mailed_at is null and failed_at is null and dropped_at is null
                    and claimed_at is not distinct from (select at from crashed)
                order by id limit %(limit)s for update skip locked
            )
            update alert set claimed_at = now(), attempts = attempts + 1
            from taken where alert.id = taken.id
            returning alert.claimed_at, alert.id, revision, account, kind, subject, facts, raised_at,
                resolved_at, attempts, (
                    select variant.on_hand from variant
                    where variant.account = alert.account and variant.product_id = alert.facts->>'product'
                        and variant.size = alert.facts->>'size'
                ) as on_hand
            """,
            {"after": abandoned_after, "limit": limit},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[1])
    return Claim(rows[0][0], tuple(_claimed(row[1:]) for row in rows)) if rows else None


def _claimed(row: tuple[Any, ...]) -> ClaimedAlert:
    number, revision, account, kind, *rest = row
    return ClaimedAlert(number, revision, account, AlertKind(kind), *rest)


def mark_mailed(connection: Connection[Any], claim: Claim, told: Collection[int], message_id: str) -> None:
    """Record that the mail was accepted; what was added to an alert meanwhile stays to be told."""
    connection.execute(
        "update alert set mailed_at = now(), last_error = '' where id = any(%s) and claimed_at = %s",
        (list(told), claim.at),
    )
    connection.execute(
        "insert into mail (message_id, alerts) values (%s, %s) on conflict (message_id) do nothing",
        (message_id, len(told)),
    )


def mark_dropped(connection: Connection[Any], claim: Claim, over: Collection[int]) -> None:
    """Record that nobody has to be told of `over` any more."""
    connection.execute(
        "update alert set dropped_at = now() where id = any(%s) and claimed_at = %s", (list(over), claim.at)
    )


def mark_retry(connection: Connection[Any], claim: Claim, *, seconds: float, error: str) -> None:
    """Give the claim back, to be tried again in `seconds`; `error` without secrets."""
    connection.execute(
        """
        update alert set claimed_at = null, last_error = %s,
            next_attempt_at = now() + make_interval(secs => %s)
        where id = any(%s) and claimed_at = %s
        """,
        (error, seconds, claim.ids, claim.at),
    )


def mark_unsure(connection: Connection[Any], claim: Claim, *, error: str) -> None:
    """Note that nobody knows whether the mail was taken; the claim stands until it counts as abandoned."""
    connection.execute(
        "update alert set last_error = %s where id = any(%s) and claimed_at = %s",
        (error, claim.ids, claim.at),
    )


def mark_failed(connection: Connection[Any], claim: Claim, *, error: str) -> None:
    """Record that the mail server refused the mail for ever; `rearm_failed` brings it back."""
    connection.execute(
        "update alert set failed_at = now(), last_error = %s where id = any(%s) and claimed_at = %s",
        (error, claim.ids, claim.at),
    )


def rearm_failed(connection: Connection[Any]) -> int:
    """Let every alert that the mail server refused wait to be mailed again; how many."""
    return connection.execute(
        """
        update alert set failed_at = null, claimed_at = null, attempts = 0, next_attempt_at = now()
        where failed_at is not null
        """
    ).rowcount


def pending_count(connection: Connection[Any]) -> int:
    """How many alerts nobody was told of yet, those in hand included."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute(
            """
            select count(*) from alert
            where mailed_at is null and failed_at is null and dropped_at is null
            """
        )
        return cursor.fetchall()[0]
