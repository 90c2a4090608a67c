"""The SQL of the embedded queue: PGMQ's tables, one for each queue and one for its dead letters."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pgmq import install_pgmq_from_sql
from pgmq.install import PGMQInstallError
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from shared import clock
from shared.broker.port import BrokerDown, Delivery, Depth, Outgoing
from shared.database.pool import Connection
from shared.topology import Topology

INSTALL_LOCK: Final = 715_004
Headers = Mapping[str, Any]
NOT_DECLARED: Final = (errors.UndefinedTable, errors.InvalidSchemaName)


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of a topology are called in the database."""

    topology: Topology

    def work(self, queue: str) -> str:
        """The work queue."""
        return f"{self.topology.prefix}_{queue}".lower()

    def dead(self, queue: str) -> str:
        """The queue of its dead letters."""
        return f"{self.work(queue)}_dead"

    def channel(self, queue: str) -> str:
        """Where its consumers listen."""
        return f"{self.work(queue)}_new"


@dataclass(frozen=True, slots=True)
class Row:
    """One message in hand; `reads` counts deliveries, this one too."""

    id: int
    reads: int
    delivery: Delivery


def declare(connection: Connection, names: Names) -> None:
    """Make PGMQ and the queues, once for all processes that ask at the same time."""
    connection.execute("select pg_advisory_xact_lock(%s)", (INSTALL_LOCK,))
    if connection.execute("select to_regprocedure('pgmq.create(text)')").fetchone() == (None,):
        try:
            install_pgmq_from_sql(conn=connection)
        except PGMQInstallError:
            if connection.broken:
                raise BrokerDown("the database went away while the queue was made") from None
            raise
    for queue in names.topology.queues:
        for name in (names.work(queue.name), names.dead(queue.name)):
            if connection.execute("select to_regclass(%s)", (f"pgmq.q_{name}",)).fetchone() == (None,):
                connection.execute("select pgmq.create(%s)", (name,))


def missing(connection: Connection, names: Names) -> int:
    """How many of the queues that people publish to are not there."""
    tables = [f"pgmq.q_{names.work(queue.name)}" for queue in names.topology.queues]
    query = "select name from unnest(%s::text[]) as wanted(name) where to_regclass(name) is null"
    return len(connection.execute(query, (tables,)).fetchall())


def fresh(message: Outgoing) -> Headers:
    """The headers of a message that was never delivered."""
    return {
        "id": message.message_id,
        "correlation": message.correlation_id,
        "attempt": 1,
        "first_seen": clock.now().isoformat(),
    }


def again(delivery: Delivery, *, attempt: int, **more: str) -> Headers:
    """The headers of a message that is delivered again or parked."""
    return {
        "id": delivery.message_id,
        "correlation": delivery.correlation_id,
        "attempt": attempt,
        "first_seen": delivery.first_seen.isoformat(),
        **more,
    }


def send(
    connection: Connection, name: str, messages: Sequence[tuple[bytes, Headers]], *, delay: int = 0
) -> None:
    """Append messages to the queue called `name`, visible after `delay` seconds."""
    connection.execute(
        "select pgmq.send_batch(%s, %s::jsonb[], %s::jsonb[], %s::integer)",
        (name, [Jsonb(_stored(body)) for body, _ in messages], [Jsonb(dict(h)) for _, h in messages], delay),
    )


def notify(connection: Connection, channel: str) -> None:
    """Wake the consumers that listen."""
    connection.execute("select pg_notify(%s, '')", (channel,))


def take(connection: Connection, names: Names, queue: str, *, limit: int, lease: float) -> list[Row]:
    """Up to `limit` messages never delivered before, or a single one that came back unanswered.

    What came back may be what killed its consumer, so it goes alone, in random order: its neighbours are
    answered before it is delivered too often.
    """
    taken = table(names.work(queue))
    for which, most in ((_ALONE, 1), (_TOGETHER, limit)):
        query = _TAKE.format(table=taken, which=which)
        found = connection.execute(query, (most, lease)).fetchall()
        if found:
            return sorted((_row(queue, columns) for columns in found), key=lambda row: row.id)
    return []


def renew(connection: Connection, name: str, ids: Collection[int], lease: float) -> None:
    """Keep messages in hand hidden for another `lease` seconds."""
    connection.execute("select pgmq.set_vt(%s, %s::bigint[], %s::integer)", (name, list(ids), round(lease)))


def delete(connection: Connection, name: str, ids: Collection[int]) -> None:
    """Forget messages."""
    connection.execute("select pgmq.delete(%s, %s::bigint[])", (name, list(ids)))


def give_back(connection: Connection, name: str, ids: Collection[int]) -> None:
    """Make messages visible again as if they had not been delivered."""
    query = sql.SQL(
        "update {} set vt = clock_timestamp(), read_ct = greatest(read_ct - 1, 0) where msg_id = any(%s)"
    ).format(table(name))
    connection.execute(query, (list(ids),))


def depth(connection: Connection, names: Names, queue: str) -> Depth:
    """How much lies where."""
    query = sql.SQL(
        """
        select count(*) filter (where vt <= clock_timestamp() or read_ct > 0),
            count(*) filter (where vt > clock_timestamp() and read_ct = 0),
            (select count(*) from {dead})
        from {work}
        """
    ).format(work=table(names.work(queue)), dead=table(names.dead(queue)))
    row = connection.execute(query).fetchone() or (0, 0, 0)
    return Depth(int(row[0]), int(row[1]), int(row[2]))


_TAKE: Final = sql.SQL(
    """
    with chosen as (
        select msg_id from {table} where vt <= clock_timestamp() and {which} limit %s for update skip locked
    )
    update {table} m set
        vt = clock_timestamp() + make_interval(secs => %s), read_ct = read_ct + 1,
        last_read_at = clock_timestamp()
    from chosen where m.msg_id = chosen.msg_id
    returning m.msg_id, m.read_ct, m.message, m.headers
    """
)
_ALONE: Final = sql.SQL("read_ct > 0 order by random()")
_TOGETHER: Final = sql.SQL("read_ct = 0 order by msg_id")


def _row(queue: str, columns: tuple[Any, ...]) -> Row:
    row_id, reads, message, headers = columns
    return Row(
        row_id,
        reads,
        Delivery(
            queue=queue,
            body=body_of(message),
            message_id=headers["id"],
            correlation_id=headers["correlation"],
            attempt=int(headers["attempt"]),
            first_seen=datetime.fromisoformat(headers["first_seen"]),
        ),
    )


def table(name: str) -> sql.Identifier:
    """The table of the queue called `name`."""
    return sql.Identifier("pgmq", f"q_{name}")


def _stored(body: bytes) -> str | dict[str, str]:
    """A body as JSON: its text where PostgreSQL can hold it, so that people can read it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"base64": base64.b64encode(body).decode()} if "\0" in text else text


def body_of(stored: str | dict[str, str]) -> bytes:
    """The bytes of a stored body."""
    return stored.encode() if isinstance(stored, str) else base64.b64decode(stored["base64"])
