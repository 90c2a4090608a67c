"""SQL of what recovery compares and remembers: the reconciler notes its doubts, the back office reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from shared.alerts import Recovered, recovered_facts
from shared.store.alerts import Alerts
from shared.vocabulary import AccountKey, AlertKind, EventId, SessionId

TOLD_AGAIN_AFTER: Final = timedelta(hours=6)
"""An open alert takes more sales in; people are told of it again when the last mail is this old."""
TRIED_FOR: Final = timedelta(hours=6)
"""So long a message is tried again before it counts as lost; by then it is in the dead letters, or booked."""
MOST_AT_ONCE: Final = 1000
"""Booked sessions of one span that are compared; there are far fewer."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When this installation began, up to when undelivered events were looked through, and sessions compared.

    None: never.
    """

    installed_at: datetime
    events_until: datetime | None
    sessions_until: datetime | None


@dataclass(frozen=True, slots=True)
class Recoveries:
    """An account's recovery, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def bounds(self) -> Bounds | None:
        """Where to begin; None before the first stock worker has run."""
        with self._connection.cursor(row_factory=class_row(Bounds)) as cursor:
            return cursor.execute(
                """
                select i.created_at as installed_at, r.events_until, r.sessions_until
                from installation i left join recovery r on r.account = %s
                """,
                (self._account,),
            ).fetchone()

    def looked_through(self, until: datetime) -> None:
        """Note that all undelivered events up to `until` were told of."""
        self._connection.execute(
            """
            insert into recovery (account, events_until) values (%s, %s)
            on conflict (account) do update
            set events_until = greatest(recovery.events_until, excluded.events_until)
            """,
            (self._account, until),
        )

    def compared(self, until: datetime) -> None:
        """Note that all sessions made up to `until` were compared, once events were `looked_through`."""
        self._connection.execute(
            "update recovery set sessions_until = greatest(sessions_until, %s) where account = %s",
            (until, self._account),
        )

    def handled(self, events: Collection[EventId]) -> set[EventId]:
        """Those of `events` that are in the delivery log."""
        rows = self._connection.execute(
            "select event_id from delivery where account = %s and event_id = any(%s)",
            (self._account, list(events)),
        )
        return {EventId(row[0]) for row in rows}

    def being_tried(self, events: Collection[EventId]) -> set[EventId]:
        """Those of `events` that were first handled not long ago, and then put back to be tried again."""
        rows = self._connection.execute(
            """
            select event_id from delivery
            where account = %s and event_id = any(%s) and outcome = 'retrylater'
                and first_handled_at > now() - %s::interval
            """,
            (self._account, list(events), TRIED_FOR),
        )
        return {EventId(row[0]) for row in rows}

    def booked_between(self, since: datetime, until: datetime, *, before: datetime) -> dict[SessionId, bool]:
        """Sessions made from `since` up to `until` and booked `before`: whether Stripe did not show them as paid."""
        rows = self._connection.execute(
            """
            select session_id, unlisted_since is not null from sale
            where account = %s and created_at >= %s and created_at < %s and booked_at < %s
            order by created_at desc limit %s
            """,
            (self._account, since, until, before, MOST_AT_ONCE),
        )
        return {SessionId(row[0]): bool(row[1]) for row in rows}

    def unlisted(self, sessions: Collection[SessionId]) -> set[SessionId]:
        """Those of `sessions` that are booked, and that Stripe did not show as paid when it was asked last."""
        rows = self._connection.execute(
            "select session_id from sale where account = %s and session_id = any(%s) and unlisted_since is not null",
            (self._account, list(sessions)),
        )
        return {SessionId(row[0]) for row in rows}

    def note_listing(self, *, unlisted: Collection[SessionId], listed: Collection[SessionId]) -> None:
        """Note which booked sessions Stripe does not show as paid, and which it does again."""
        self._connection.execute(
            """
            update sale set unlisted_since = case when session_id = any(%(unlisted)s) then now() end
            where account = %(account)s and (
                (session_id = any(%(unlisted)s) and unlisted_since is null)
                or (session_id = any(%(listed)s) and unlisted_since is not null)
            )
            """,
            {"account": self._account, "unlisted": list(unlisted), "listed": list(listed)},
        )

    def last_arrival(self) -> datetime | None:
        """When a webhook of a Checkout Session was last handled; None where none ever was."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select max(arrived_at) from delivery
                where account = %s and arrived_at is not null and type like 'checkout.session.%%'
                """,
                (self._account,),
            ).fetchone()

    def newest_handled(self) -> datetime | None:
        """When the newest event of a session happened whose webhook was handled today; None where none was."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select max(created_at) from delivery
                where account = %s and arrived_at > now() - interval '1 day' and type like 'checkout.session.%%'
                """,
                (self._account,),
            ).fetchone()

    def tell(self) -> tuple[int, int | None]:
        """Have the one open alert take in the recovered sales that none told of yet.

        How many they were, and the alert's id where people are to be told of it now. An acknowledgement is of the
        sales that were missed until then: those that come later are news, and an alert of their own.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            untold: int = cursor.execute(
                "select count(*) from sale where account = %s and reason <> '' and alert_id is null",
                (self._account,),
            ).fetchall()[0]
        if not untold:
            return 0, None
        Alerts(self._connection, self._account).end_acknowledged(AlertKind.SALE_RECOVERED)
        number, waits = self._open()
        taken = self._connection.execute(
            "update sale set alert_id = %s where account = %s and reason <> '' and alert_id is null",
            (number, self._account),
        ).rowcount
        self._connection.execute(
            "update alert set facts = %s where id = %s",
            (Jsonb(recovered_facts(self._recovered(number))), number),
        )
        return taken, number if waits else None

    def over(self) -> None:
        """Nothing is missed any more: end the alert, once people were told or said that they know."""
        self._connection.execute(
            """
            update alert set resolved_at = now()
            where account = %s and kind = %s and resolved_at is null
                and (mailed_at is not null or failed_at is not null or acknowledged_at is not null)
            """,
            (self._account, AlertKind.SALE_RECOVERED.value),
        )

    def _open(self) -> tuple[int, bool]:
        row = self._connection.execute(
            """
            insert into alert (account, kind, subject, facts) values (%(account)s, %(kind)s, %(account)s, '{}')
            on conflict (account, kind, subject) where resolved_at is null do update set
                revision = alert.revision + 1, claimed_at = null, failed_at = null, dropped_at = null,
                mailed_at = case when alert.mailed_at > now() - %(quiet)s::interval then alert.mailed_at end
            returning id, mailed_at is null
            """,
            {
                "account": self._account,
                "kind": AlertKind.SALE_RECOVERED.value,
                "quiet": TOLD_AGAIN_AFTER,
            },
        ).fetchall()[0]
        return int(row[0]), bool(row[1])

    def _recovered(self, alert: int) -> Recovered:
        """What the alert tells of."""
        reasons = self._connection.execute(
            "select reason, count(*) from sale where alert_id = %s group by reason order by count(*) desc, reason",
            (alert,),
        )
        (first, last, longest) = self._connection.execute(
            """
            select
                (select session_id from sale where alert_id = %(alert)s order by created_at, session_id limit 1),
                (select session_id from sale where alert_id = %(alert)s
                    order by created_at desc, session_id desc limit 1),
                (select coalesce(max(delay), interval '0') from sale where alert_id = %(alert)s)
            """,
            {"alert": alert},
        ).fetchall()[0]
        return Recovered({str(row[0]): int(row[1]) for row in reasons}, first, last, longest)
