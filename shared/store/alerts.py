"""SQL of the alerts that are open: workers raise and resolve them, the back office sees to them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import kwargs_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb

from shared.alerts import AlertKey, Facts, NewAlert
from shared.storable import storable, storable_text
from shared.vocabulary import AccountKey, AlertKind, ProductId

ACCUMULATING: Final = frozenset({AlertKind.OVERSOLD})
"""Kinds whose open alert takes in the `sales` of a further one, and is told again unless acknowledged.

It names the newest 50 of them and counts all.
"""


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not over; times are None for what has not happened (`dropped_at`: overtaken by another)."""

    id: int
    kind: AlertKind
    subject: str
    facts: Facts
    raised_at: datetime
    mailed_at: datetime | None
    failed_at: datetime | None
    dropped_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    snoozed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Alerts:
    """An account's alerts, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def open_alerts(self, subjects: Collection[str]) -> set[tuple[AlertKind, str]]:
        """(kind, subject) of what is open on `subjects`."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(
                """
                select kind, subject from alert
                where account = %s and subject = any(%s) and resolved_at is null
                """,
                (self._account, list(subjects)),
            )
            return {(AlertKind(kind), subject) for kind, subject in cursor}

    def raise_(self, alerts: Collection[NewAlert]) -> list[int]:
        """Open `alerts`; ids of those that people must now be told of, an already open one is not among them."""
        ordered = sorted(
            alerts, key=lambda alert: (alert.account, alert.kind, alert.subject)
        )  # against deadlocks
        fresh = [alert for alert in ordered if alert.kind not in ACCUMULATING]
        opened = self._open(fresh) if fresh else []
        added = [self._open_or_add(alert) for alert in ordered if alert.kind in ACCUMULATING]
        return [*opened, *dict.fromkeys(added)]

    def _open(self, alerts: Sequence[NewAlert]) -> list[int]:
        with self._connection.cursor(row_factory=scalar_row) as cursor:
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
                    [storable_text(alert.subject) for alert in alerts],
                    [Jsonb(storable(alert.facts)) for alert in alerts],
                ),
            )
            return cursor.fetchall()

    def _open_or_add(self, alert: NewAlert) -> int:
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                """
                insert into alert (account, kind, subject, facts) values (%s, %s, %s, %s)
                on conflict (account, kind, subject) where resolved_at is null do update set
                    facts = excluded.facts || jsonb_build_object(
                        'sales', (
                            select coalesce(jsonb_agg(sale order by n), '[]') from (
                                select sale, n from jsonb_array_elements(
                                    coalesce(alert.facts->'sales', '[]') || coalesce(excluded.facts->'sales', '[]')
                                ) with ordinality as told (sale, n) order by n desc limit 50
                            ) newest
                        ),
                        'short', coalesce((alert.facts->>'short')::bigint, 0)
                            + coalesce((excluded.facts->>'short')::bigint, 0),
                        'sold', coalesce((alert.facts->>'sold')::bigint, 0)
                            + coalesce((excluded.facts->>'sold')::bigint, 0)
                    ),
                    revision = alert.revision + 1,
                    claimed_at = case when alert.acknowledged_at is not null then alert.claimed_at end,
                    mailed_at = case when alert.acknowledged_at is not null then alert.mailed_at end,
                    failed_at = null, dropped_at = null
                returning id
                """,
                (alert.account, alert.kind.value, storable_text(alert.subject), Jsonb(storable(alert.facts))),
            )
            return cursor.fetchall()[0]

    def renew(self, alert: NewAlert, *, again: bool) -> list[int]:
        """Open the alert, or put its facts in place of those of the open one; its id where people must be told.

        An open one is told `again` only where that is asked for, and nobody has acknowledged it.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                """
                insert into alert (account, kind, subject, facts) values (%(account)s, %(kind)s, %(subject)s, %(facts)s)
                on conflict (account, kind, subject) where resolved_at is null do update set
                    facts = excluded.facts,
                    revision = alert.revision + %(again)s::int,
                    claimed_at = case when not %(again)s or alert.acknowledged_at is not null then alert.claimed_at end,
                    mailed_at = case when not %(again)s or alert.acknowledged_at is not null then alert.mailed_at end,
                    failed_at = case when not %(again)s then alert.failed_at end,
                    dropped_at = case when not %(again)s then alert.dropped_at end
                returning case when xmax = 0 or %(again)s then id end
                """,
                {
                    "account": alert.account,
                    "kind": alert.kind.value,
                    "subject": storable_text(alert.subject),
                    "facts": Jsonb(storable(alert.facts)),
                    "again": again,
                },
            )
            return [number for number in cursor.fetchall() if number is not None]

    def facts_of(self, kind: AlertKind) -> dict[str, Facts]:
        """The facts of the open alerts of `kind`, by subject."""
        rows = self._connection.execute(
            "select subject, facts from alert where account = %s and kind = %s and resolved_at is null",
            (self._account, kind.value),
        )
        return {str(row[0]): row[1] for row in rows}

    def untold(self, product: ProductId) -> list[int]:
        """Ids of open alerts on a product that nobody has been told of, nor is being told of now."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select id from alert
                where mailed_at is null and failed_at is null and dropped_at is null and over_told_at is null
                    and claimed_at is null and resolved_at is null and attempts = 0
                    and account = %s and facts->>'product' = %s
                order by id
                """,
                (self._account, product),
            ).fetchall()

    def resolve(self, keys: Collection[AlertKey]) -> int:
        """Close what is open under `keys`; how many were."""
        return self._connection.execute(
            """
            update alert set resolved_at = now()
            from unnest(%s::text[], %s::text[]) as over (kind, subject)
            where alert.account = %s and alert.resolved_at is null
                and alert.kind = over.kind and alert.subject = over.subject
            """,
            ([key.kind.value for key in keys], [key.subject for key in keys], self._account),
        ).rowcount

    def end_acknowledged(self, kind: AlertKind) -> None:
        """Close the alerts of `kind` that somebody acknowledged: what comes now is news, and an alert of its own."""
        self._connection.execute(
            """
            update alert set resolved_at = now()
            where account = %s and kind = %s and resolved_at is null and acknowledged_at is not null
            """,
            (self._account, kind.value),
        )

    def resolve_refused(self) -> None:
        """Close the alerts of a refused key, unless Stripe still refuses just that, and within a day."""
        self._connection.execute(
            """
            update alert set resolved_at = now()
            where account = %(account)s and kind = %(kind)s and resolved_at is null
                and not exists (
                    select from stripe_pace p
                    where p.account = alert.account and p.refusal is not null
                        and p.probe_at > clock_timestamp() - interval '1 day'
                        and alert.subject = rtrim(p.account || ' ' || p.endpoint)
                )
            """,
            {"account": self._account, "kind": AlertKind.STRIPE_REFUSED.value},
        )

    def still_open(self, limit: int, *, offset: int = 0) -> list[OpenAlert]:
        """The newest `limit` alerts that are not over, after `offset` others, newest first."""
        with self._connection.cursor(row_factory=kwargs_row(_open_alert)) as cursor:
            return cursor.execute(
                """
                select id, kind, subject, facts, raised_at, mailed_at, failed_at, dropped_at, acknowledged_at,
                    acknowledged_by, snoozed_until
                from alert where account = %s and resolved_at is null order by id desc limit %s offset %s
                """,
                (self._account, limit, offset),
            ).fetchall()

    def acknowledge(self, ids: Collection[int], *, by: str) -> list[int]:
        """Have people told no more of open alerts while they last; the ids of those that are open."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                update alert set acknowledged_at = coalesce(acknowledged_at, now()),
                    acknowledged_by = case when acknowledged_at is null then %s else acknowledged_by end,
                    snoozed_until = null
                where account = %s and id = any(%s) and resolved_at is null returning id
                """,
                (storable_text(by), self._account, list(ids)),
            ).fetchall()

    def snooze(self, ids: Collection[int], until: datetime) -> list[int]:
        """Have open alerts wait, and those that still last `until` then told, again if need be; the ids of the open.

        The revision grows, so that the mail then is not taken for the one before.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                update alert set snoozed_until = %s, revision = revision + 1, acknowledged_at = null,
                    acknowledged_by = '', claimed_at = null, mailed_at = null, failed_at = null, dropped_at = null,
                    attempts = 0, next_attempt_at = now()
                where account = %s and id = any(%s) and resolved_at is null returning id
                """,
                (until, self._account, list(ids)),
            ).fetchall()


def _open_alert(kind: str, **columns: Any) -> OpenAlert:  # noqa: ANN401 - the columns, by name
    return OpenAlert(kind=AlertKind(kind), **columns)
