"""SQL of the snapshots that were finished, as the web pages list them; the back office reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from shared.store.snapshots import Snapshot
from shared.vocabulary import AccountKey

_SELECT: Final[LiteralString] = """
    select id, planned_at, actor, reason, started_at, finished_at, products, sizes, units, low, out_of_stock,
        not_a_number, no_value
    from snapshot where account = %s and finished_at is not null
"""


@dataclass(frozen=True, slots=True)
class SnapshotPages:
    """An account's finished snapshots, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def before(self, moment: datetime, limit: int) -> list[Snapshot]:
        """The latest that were finished before `moment`, newest first."""
        with self._connection.cursor(row_factory=class_row(Snapshot)) as cursor:
            return cursor.execute(
                f"{_SELECT} and finished_at < %s order by finished_at desc limit %s",
                (self._account, moment, limit),
            ).fetchall()

    def numbered(self, number: int) -> Snapshot | None:
        """The one with this id."""
        with self._connection.cursor(row_factory=class_row(Snapshot)) as cursor:
            return cursor.execute(f"{_SELECT} and id = %s", (self._account, number)).fetchone()
