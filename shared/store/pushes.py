"""SQL of what is pushed to chats and phones beside mail: the notifier takes and gives back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from shared.alerts import ClaimedAlert
from shared.vocabulary import AlertKind

AT_ONCE = 1000


def take(connection: Connection[Any], kinds: Collection[AlertKind]) -> tuple[ClaimedAlert, ...]:
    """Open alerts of `kinds` that were never pushed and that nobody acknowledged or snoozed; they count as pushed.

    A crash between this and the push costs the push, not the mail.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            """
            with taken as (
                select id from alert
                where pushed_at is null and resolved_at is null and kind = any(%s)
                    and acknowledged_at is null and (snoozed_until is null or snoozed_until <= now())
                order by id limit %s for update skip locked
            )
            update alert set pushed_at = now() from taken where alert.id = taken.id
            returning alert.id, revision, account, kind, subject, facts, raised_at, resolved_at, attempts
            """,
            ([kind.value for kind in kinds], AT_ONCE),
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[0])
    return tuple(
        ClaimedAlert(number, revision, account, AlertKind(kind), *rest, on_hand=None)
        for number, revision, account, kind, *rest in rows
    )


def give_back(connection: Connection[Any], ids: Collection[int]) -> None:
    """Have `ids` pushed another time."""
    connection.execute("update alert set pushed_at = null where id = any(%s)", (list(ids),))
