"""SQL of the sales that recovery has told the stock worker of: reconciler and back office note and read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from psycopg import Connection

from shared.store.recoveries import TRIED_FOR
from shared.vocabulary import AccountKey, SessionId

KEPT: Final = timedelta(days=30)
"""So long is known which sales recovery told of."""


@dataclass(frozen=True, slots=True)
class ToldSales:
    """An account's sales that were told of, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def note(self, sessions: Collection[SessionId]) -> None:
        """Note that the stock worker is told of these sales now; what was told long ago is forgotten."""
        self._connection.execute("delete from recovery_told where told_at < now() - %s::interval", (KEPT,))
        self._connection.execute(
            """
            insert into recovery_told (account, session_id)
            select distinct %s, session_id from unnest(%s::text[]) told (session_id) order by session_id
            on conflict (account, session_id) do update set told_at = now()
            """,
            (self._account, list(sessions)),
        )

    def among(self, sessions: Collection[SessionId], *, ever: bool = False) -> set[SessionId]:
        """Those of `sessions` that recovery told of while a message is tried, or `ever`, as far as is known."""
        rows = self._connection.execute(
            """
            select session_id from recovery_told
            where account = %s and session_id = any(%s) and told_at > now() - %s::interval
            """,
            (self._account, list(sessions), KEPT if ever else TRIED_FOR),
        )
        return {SessionId(row[0]) for row in rows}
