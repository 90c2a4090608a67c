"""The dead letters of the embedded queue: looking at them, moving them back, and throwing them away."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from psycopg import sql

from shared.broker.embedded_store import Names, body_of, notify, table
from shared.broker.port import Parked
from shared.database.pool import Connection


def parked(connection: Connection, names: Names, queue: str, limit: int) -> list[Parked]:
    """The oldest dead letters."""
    query = sql.SQL("select message, headers, enqueued_at from {} order by msg_id limit %s").format(
        table(names.dead(queue))
    )
    return [
        Parked(
            queue=queue,
            message_id=headers["id"],
            correlation_id=headers["correlation"],
            body=body_of(message),
            reason=headers.get("reason", ""),
            attempts=int(headers["attempt"]),
            first_seen=datetime.fromisoformat(headers["first_seen"]),
            parked_at=at,
        )
        for message, headers, at in connection.execute(query, (limit,))
    ]


def replay(
    connection: Connection, names: Names, queue: str, *, limit: int, only: Collection[str] | None
) -> int:
    """Move dead letters back to their queue, attempts reset; how many."""
    query = sql.SQL(
        """
        with moved as (
            delete from {dead} where msg_id in (
                select msg_id from {dead} where %(any)s or headers->>'id' = any(%(only)s)
                order by msg_id limit %(limit)s for update skip locked
            )
            returning msg_id, message, headers
        )
        insert into {work} (vt, message, headers)
        select clock_timestamp(), message, (headers - 'reason') || '{{"attempt": 1}}'
        from moved order by msg_id
        """
    ).format(work=table(names.work(queue)), dead=table(names.dead(queue)))
    wanted = {"any": only is None, "only": list(only or ()), "limit": limit}
    moved = connection.execute(query, wanted).rowcount
    notify(connection, names.channel(queue))
    return moved


def drop(connection: Connection, names: Names, queue: str, only: Collection[str]) -> int:
    """Throw dead letters away; how many."""
    query = sql.SQL("delete from {} where headers->>'id' = any(%s)").format(table(names.dead(queue)))
    return connection.execute(query, (list(only),)).rowcount
