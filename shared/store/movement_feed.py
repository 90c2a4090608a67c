"""SQL that hands the ledger out in order, none left out: the back office exports, the reconciler announces.

Ids are taken before their transactions commit, so a smaller id may come up after a greater one was read. A movement's
transaction has its number before the movement has its id (migration 0011). So what is seen up to some id is all there
will ever be up to it, once every transaction that had a number by then is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.movement_feed import Recorded
from shared.vocabulary import AccountKey


@dataclass(slots=True)
class Horizon:
    """The id up to which nothing can come up any more; `advance` it on one connection, outside of a transaction."""

    settled: int = 0
    _newest: int = field(default=0, init=False)
    _waits_for: int | None = field(default=None, init=False)

    def advance(self, connection: Connection[Any]) -> int:
        """Look once more; the horizon, which only grows."""
        if self._waits_for is None:
            self._look(connection)
        if self._waits_for is not None and self._over(connection, self._waits_for):
            self.settled, self._waits_for = self._newest, None
        return self.settled

    @property
    def waiting(self) -> bool:
        """Whether it waits for others to end."""
        return self._waits_for is not None

    def _look(self, connection: Connection[Any]) -> None:
        """Note the newest id, and after that a transaction's number that is greater than all given out so far."""
        newest = _number(connection, "select coalesce(max(id), 0) from movement")
        if newest > self.settled:
            self._newest = newest
            self._waits_for = _number(connection, "select pg_current_xact_id()::text::bigint")

    def _over(self, connection: Connection[Any], number: int) -> bool:
        """Whether all transactions before `number` are over."""
        oldest = _number(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return oldest >= number


def _number(connection: Connection[Any], query: Any) -> int:  # noqa: ANN401 - a literal of this module
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class MovementFeed:
    """An account's ledger as a sequence, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def first_since(self, since: datetime) -> int | None:
        """The smallest id of a movement since then; None where there is none."""
        # The inner query is kept apart, or the search would begin at the oldest movement there is.
        row = self._connection.execute(
            """
            select min(id) from (
                select id from movement where account = %s and at >= %s offset 0
            ) since
            """,
            (self._account, since),
        ).fetchone()
        return None if row is None or row[0] is None else int(row[0])

    def between(self, after: int, upto: int, *, since: datetime | None = None, limit: int) -> list[Recorded]:
        """The first `limit` movements with greater ids than `after`, up to `upto`, in order."""
        with self._connection.cursor(row_factory=class_row(Recorded)) as cursor:
            return cursor.execute(
                """
                select id, at, account, product_id as product, size, delta, kind, source_key,
                    session_id as session, event_id as event, actor, reason
                from movement
                where account = %(account)s and id > %(after)s and id <= %(upto)s
                    and (%(since)s::timestamptz is null or at >= %(since)s)
                order by id limit %(limit)s
                """,
                {"account": self._account, "after": after, "upto": upto, "since": since, "limit": limit},
            ).fetchall()

    def position(self, feed: str) -> int:
        """The id up to which `feed` has told; 0 where it never did."""
        row = self._connection.execute(
            "select last_id from feed_position where account = %s and feed = %s", (self._account, feed)
        ).fetchone()
        return int(row[0]) if row else 0

    def save_position(self, feed: str, last_id: int) -> None:
        """Note that `feed` has told up to `last_id`; it never goes back."""
        self._connection.execute(
            """
            insert into feed_position as p (account, feed, last_id) values (%s, %s, %s)
            on conflict (account, feed) do update set last_id = greatest(p.last_id, excluded.last_id)
            """,
            (self._account, feed, last_id),
        )
