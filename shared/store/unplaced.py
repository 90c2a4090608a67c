"""SQL of sold lines that fit no size: the stock worker holds them, the back office says what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.aliases import Told, told
from shared.vocabulary import AccountKey, LineItemId, ProductId, SessionId


@dataclass(frozen=True, slots=True)
class Held:
    """A line of a paid session that waits for a person, or did; `quantity` in units.

    `state` is open, placed or dismissed. `product`, `line_name` and `size_hint` are what the session said, as far as
    it did; `vague` where it names sizes, but not of which line. `money_back` went back of the session by refund or
    dispute, in the smallest unit of `currency`.
    """

    id: int
    session: SessionId
    line: LineItemId
    source_key: str
    product: ProductId | None
    name: str
    line_name: str
    vague: bool
    size_hint: str | None
    quantity: int
    reason: str
    state: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    money_back: int
    currency: str | None

    @property
    def told(self) -> Told:
        """What it said of itself."""
        return told(self.product, self.line_name, self.size_hint)


_SELECT = """
    select u.id, u.session_id as session, u.line_item_id as line, u.source_key, u.product_id as product,
        coalesce(p.name, '') as name, u.line_name, u.vague, u.size_hint, u.quantity, u.reason, u.state,
        u.created_at, u.resolved_at, u.resolved_by, back.money_back, back.currency
    from unplaced_sale u left join product p on p.account = u.account and p.id = u.product_id
        cross join lateral (
            select coalesce(sum(r.amount), 0)::bigint as money_back, max(r.currency) as currency
            from refund r
            where r.account = u.account and r.session_id = u.session_id and r.state <> 'void'
        ) back
"""


@dataclass(frozen=True, slots=True)
class UnplacedSales:
    """An account's held lines, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def listed(
        self, states: Sequence[str], limit: int, *, offset: int = 0, newest: bool = False
    ) -> list[Held]:
        """Those in one of `states` after `offset` others, oldest first or `newest` first."""
        order = "u.id desc" if newest else "u.created_at, u.id"
        with self._connection.cursor(row_factory=class_row(Held)) as cursor:
            return cursor.execute(
                f"{_SELECT} where u.account = %s and u.state = any(%s) order by {order} limit %s offset %s",
                (self._account, list(states), limit, offset),
            ).fetchall()

    def one(self, number: int) -> Held | None:
        """The line with this number."""
        with self._connection.cursor(row_factory=class_row(Held)) as cursor:
            return cursor.execute(
                f"{_SELECT} where u.account = %s and u.id = %s", (self._account, number)
            ).fetchone()

    def of_sessions(self, sessions: Sequence[SessionId]) -> list[Held]:
        """Those of these sessions, whatever became of them, in order."""
        with self._connection.cursor(row_factory=class_row(Held)) as cursor:
            return cursor.execute(
                f"{_SELECT} where u.account = %s and u.session_id = any(%s) order by u.id",
                (self._account, list(sessions)),
            ).fetchall()

    def waits(self, session: SessionId) -> bool:
        """Whether a line of the session is open."""
        row = self._connection.execute(
            "select from unplaced_sale where account = %s and session_id = %s and state = 'open' limit 1",
            (self._account, session),
        ).fetchone()
        return row is not None

    def lock(self, number: int) -> Held | None:
        """The line with this number, nobody else's until the transaction ends."""
        with self._connection.cursor(row_factory=class_row(Held)) as cursor:
            return cursor.execute(
                f"{_SELECT} where u.account = %s and u.id = %s for no key update of u",
                (self._account, number),
            ).fetchone()

    def alike(self, told: Told) -> list[Held]:
        """Those that are open and say the same, oldest first."""
        with self._connection.cursor(row_factory=class_row(Held)) as cursor:
            found = cursor.execute(
                f"""
                {_SELECT}
                where u.account = %s and u.state = 'open' and not u.vague
                    and coalesce(u.product_id, '') = %s and coalesce(u.size_hint, '') = %s
                order by u.created_at, u.id
                """,
                (self._account, told.product, told.size),
            ).fetchall()
        return [one for one in found if one.told == told]

    def decide(self, number: int, state: str, by: str) -> None:
        """Say what became of it: placed or dismissed."""
        self._connection.execute(
            """
            update unplaced_sale set state = %s, resolved_at = now(), resolved_by = %s
            where account = %s and id = %s
            """,
            (state, by, self._account, number),
        )
