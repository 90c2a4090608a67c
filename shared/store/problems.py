"""SQL of problems without a fact that ends them: the notifier and the web pages note them, the notifier ends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from shared.alerts import NewAlert
from shared.storable import storable, storable_text
from shared.vocabulary import AlertKind


def notice(connection: Connection[Any], problem: NewAlert) -> None:
    """Open the alert of a problem, or note that the one which is open lasts."""
    connection.execute(
        """
        insert into alert (account, kind, subject, facts, seen_at) values (%s, %s, %s, %s, now())
        on conflict (account, kind, subject) where resolved_at is null do update set seen_at = now()
        """,
        (
            problem.account,
            problem.kind.value,
            storable_text(problem.subject),
            Jsonb(storable(problem.facts)),
        ),
    )


def end_past(connection: Connection[Any], quiet: Mapping[AlertKind, timedelta]) -> int:
    """End what nobody has noticed for as long as `quiet` says of its kind; how many.

    What people were not told of yet stays, so that they hear of it.
    """
    return connection.execute(
        """
        update alert set resolved_at = now()
        from unnest(%s::text[], %s::interval[]) as quiet (kind, length)
        where alert.kind = quiet.kind and alert.resolved_at is null and alert.seen_at < now() - quiet.length
            and (alert.told_at is not null or alert.failed_at is not null or alert.acknowledged_at is not null)
        """,
        ([kind.value for kind in quiet], list(quiet.values())),
    ).rowcount
