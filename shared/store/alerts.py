"""SQL of the alerts: the stock worker and the notifier raise and resolve, the notifier claims and mails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb

from shared.alerts import JSON, AlertKey, Claim, ClaimedAlert, NewAlert, Waiting
from shared.vocabulary import AccountKey, AlertKind, ProductId

ACCUMULATING: Final = frozenset({AlertKind.OVERSOLD})
"""Kinds whose open alert takes in the `sales` of a further one, and is told again."""


def open_alerts(
    connection: Connection[Any], account: AccountKey, subjects: Collection[str]
) -> set[tuple[AlertKind, str]]:
    """(kind, subject) of what is open on `subjects`."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            """
            select kind, subject from alert
            where account = %s and subject = any(%s) and resolved_at is null
            """,
            (account, list(subjects)),
        )
        return {(AlertKind(kind), subject) for kind, subject in cursor}


def raise_(connection: Connection[Any], alerts: Collection[NewAlert]) -> list[int]:
    """Open `alerts`; ids of those that people must now be told of, an already open one is not among them."""
    ordered = sorted(
        alerts, key=lambda alert: (alert.account, alert.kind, alert.subject)
    )  # against deadlocks
    fresh = [alert for alert in ordered if alert.kind not in ACCUMULATING]
    opened = _open(connection, fresh) if fresh else []
    added = [_open_or_add(connection, alert) for alert in ordered if alert.kind in ACCUMULATING]
    return [*opened, *dict.fromkeys(added)]


def _open(connection: Connection[Any], alerts: Sequence[NewAlert]) -> list[int]:
    with connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute(
            """
            insert into alert (account, kind, subject, facts)
            select * from unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])
            on conflict (account, kind, subject) where resolved_at is null do nothing
            returning id
            """,
            (
                [alert.account for alert in alerts],
                [alert.kind.value for alert in alerts],
                [_text(alert.subject) for alert in alerts],
                [Jsonb(_storable(alert.facts)) for alert in alerts],
            ),
        )
        return cursor.fetchall()


def _open_or_add(connection: Connection[Any], alert: NewAlert) -> int:
    with connection.cursor(row_factory=scalar_row) as cursor:
        cursor.execute(
            """
            insert into alert (account, kind, subject, facts) values (%s, %s, %s, %s)
            on conflict (account, kind, subject) where resolved_at is null do update set
                facts = excluded.facts || jsonb_build_object(
                    'sales',
                    coalesce(alert.facts->'sales', '[]') || coalesce(excluded.facts->'sales', '[]')
                ),
                revision = alert.revision + 1,
                claimed_at = null, mailed_at = null, failed_at = null, dropped_at = null
            returning id
            """,
            (alert.account, alert.kind.value, _text(alert.subject), Jsonb(_storable(alert.facts))),
        )
        return cursor.fetchall()[0]


def untold(connection: Connection[Any], account: AccountKey, product: ProductId) -> list[int]:
    """Ids of open alerts on a product that nobody has been told of, nor is being told of now."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(
            """
            select id from alert
            where mailed_at is null and failed_at is null and dropped_at is null and claimed_at is null
                and resolved_at is null and attempts = 0 and account = %s and facts->>'product' = %s
            order by id
            """,
            (account, product),
        ).fetchall()


def resolve(connection: Connection[Any], account: AccountKey, keys: Collection[AlertKey]) -> int:
    """Close what is open under `keys`; how many were."""
    return connection.execute(
        """
        update alert set resolved_at = now()
        from unnest(%s::text[], %s::text[]) as over (kind, subject)
        where alert.account = %s and alert.resolved_at is null
            and alert.kind = over.kind and alert.subject = over.subject
        """,
        ([key.kind.value for key in keys], [key.subject for key in keys], account),
    ).rowcount


def _text(text: str) -> str:
    """`text` without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _storable(value: JSON) -> JSON:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_storable(inner) for inner in value]
    return value


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
