"""SQL of the alerts that are open: the stock worker and the notifier raise and resolve them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import scalar_row, tuple_row
from psycopg.types.json import Jsonb

from shared.alerts import JSON, AlertKey, NewAlert
from shared.vocabulary import AccountKey, AlertKind, ProductId

ACCUMULATING: Final = frozenset({AlertKind.OVERSOLD})
"""Kinds whose open alert takes in the `sales` of a further one, and is told again."""


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
                        'sales',
                        coalesce(alert.facts->'sales', '[]') || coalesce(excluded.facts->'sales', '[]')
                    ),
                    revision = alert.revision + 1,
                    claimed_at = null, mailed_at = null, failed_at = null, dropped_at = null
                returning id
                """,
                (alert.account, alert.kind.value, storable_text(alert.subject), Jsonb(storable(alert.facts))),
            )
            return cursor.fetchall()[0]

    def renew(self, alert: NewAlert, *, news: bool) -> list[int]:
        """Open the alert, or put its facts in place of those of the open one; its id where people must be told.

        An open one is told again only where there is `news`.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                """
                insert into alert (account, kind, subject, facts) values (%(account)s, %(kind)s, %(subject)s, %(facts)s)
                on conflict (account, kind, subject) where resolved_at is null do update set
                    facts = excluded.facts,
                    revision = alert.revision + %(news)s::boolean::integer,
                    claimed_at = case when %(news)s then null else alert.claimed_at end,
                    mailed_at = case when %(news)s then null else alert.mailed_at end,
                    failed_at = case when %(news)s then null else alert.failed_at end,
                    dropped_at = case when %(news)s then null else alert.dropped_at end
                returning case when xmax = 0 or %(news)s then id end
                """,
                {
                    "account": alert.account,
                    "kind": alert.kind.value,
                    "subject": storable_text(alert.subject),
                    "facts": Jsonb(storable(alert.facts)),
                    "news": news,
                },
            )
            return [number for number in cursor.fetchall() if number is not None]

    def untold(self, product: ProductId) -> list[int]:
        """Ids of open alerts on a product that nobody has been told of, nor is being told of now."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select id from alert
                where mailed_at is null and failed_at is null and dropped_at is null and claimed_at is null
                    and resolved_at is null and attempts = 0 and account = %s and facts->>'product' = %s
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


def storable_text(text: str) -> str:
    """`text` without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def storable(value: JSON) -> JSON:
    """`value` with only such texts in it."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(key): storable(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [storable(inner) for inner in value]
    return value
