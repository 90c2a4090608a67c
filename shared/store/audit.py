"""SQL that compares the ledger with the sales it was made from; the back office reads.

It reads what happened in the period, and the whole history of the sizes that moved in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.periods import Period
from shared.vocabulary import AccountKey


@dataclass(frozen=True, slots=True)
class Balance:
    """One size over a period, in units: at its beginning, what each kind of movement changed, at its end.

    `total` is the sum of all movements until now, `on_hand` the balance that is kept beside them.
    """

    product: str
    name: str
    size: str
    opening: int
    kinds: Mapping[str, int]
    closing: int
    total: int
    on_hand: int


@dataclass(frozen=True, slots=True)
class SoldLine:
    """What one session took off one size; who bought, as far as it is kept."""

    session: str
    at: datetime
    origin: str
    product: str
    name: str
    size: str
    units: int
    customer: str | None = field(repr=False)
    buyer: str | None = field(repr=False)
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A sold line that was held for a person."""

    session: str
    line: str
    product: str | None
    size: str | None
    units: int
    reason: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Counted:
    """A booked session that does not add up: its lines, what became of them; `unplaced` were held at its booking."""

    session: str
    lines: int
    moved: int
    held: int
    skipped: int | None
    unplaced: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A movement of a sale that nobody booked, or a line that is placed without a movement."""

    session: str | None
    source_key: str


@dataclass(frozen=True, slots=True)
class Books:
    """An account's books over a period, over one connection in one transaction."""

    _connection: Connection[Any]
    _account: AccountKey
    _period: Period

    @property
    def _values(self) -> dict[str, object]:
        return {"account": self._account, "begins": self._period.begins, "ends": self._period.ends}

    def balances(self) -> list[Balance]:
        """Every size that moved in the period; opening, kinds and closing are added up apart."""
        with self._connection.cursor(row_factory=class_row(Balance)) as cursor:
            return cursor.execute(
                """
                with moved as (
                    select product_id, size, jsonb_object_agg(kind, delta) as kinds from (
                        select product_id, size, kind, sum(delta)::bigint as delta from movement
                        where account = %(account)s and at >= %(begins)s and at < %(ends)s
                        group by product_id, size, kind
                    ) by_kind group by product_id, size
                )
                select p.id as product, p.name, v.size, moved.kinds, v.on_hand, h.opening, h.closing, h.total
                from moved
                join variant v on v.account = %(account)s and v.product_id = moved.product_id and v.size = moved.size
                join product p on p.account = v.account and p.id = v.product_id
                cross join lateral (
                    select coalesce(sum(m.delta) filter (where m.at < %(begins)s), 0)::bigint as opening,
                        coalesce(sum(m.delta) filter (where m.at < %(ends)s), 0)::bigint as closing,
                        sum(m.delta)::bigint as total
                    from movement m
                    where m.account = v.account and m.product_id = v.product_id and m.size = v.size
                ) h
                order by p.name, p.id, v.size
                """,
                self._values,
            ).fetchall()

    def sold(self, limit: int | None) -> list[SoldLine]:
        """What each session of the period took off, in order of booking; at most `limit`, None is all."""
        with self._connection.cursor(row_factory=class_row(SoldLine)) as cursor:
            return cursor.execute(
                """
                select s.session_id as session, s.booked_at as at, s.origin, p.id as product, p.name, m.size,
                    -m.delta as units, s.customer, c.name as buyer, c.email
                from sale s
                join movement m on m.account = s.account and m.session_id = s.session_id and m.kind = 'sale'
                join product p on p.account = m.account and p.id = m.product_id
                left join customer c on c.account = s.account and c.session_id = s.session_id
                where s.account = %(account)s and s.booked_at >= %(begins)s and s.booked_at < %(ends)s
                order by s.booked_at, s.session_id, m.id limit %(limit)s
                """,
                {**self._values, "limit": limit},
            ).fetchall()

    def sold_count(self) -> int:
        """How many `sold` has in all."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select count(*) from sale s
                join movement m on m.account = s.account and m.session_id = s.session_id and m.kind = 'sale'
                where s.account = %(account)s and s.booked_at >= %(begins)s and s.booked_at < %(ends)s
                """,
                self._values,
            ).fetchall()[0]

    def held(self) -> list[HeldLine]:
        """The lines of the period that were held for a person, whatever became of them."""
        with self._connection.cursor(row_factory=class_row(HeldLine)) as cursor:
            return cursor.execute(
                """
                select session_id as session, line_item_id as line, product_id as product, size_hint as size,
                    quantity as units, reason, state, created_at as at
                from unplaced_sale
                where account = %(account)s and created_at >= %(begins)s and created_at < %(ends)s
                order by created_at, id
                """,
                self._values,
            ).fetchall()

    def miscounted(self) -> list[Counted]:
        """Sessions of the period whose lines are not what moved, what was held and what takes no stock together.

        What takes no stock was not always noted; then there may only be too much.
        """
        with self._connection.cursor(row_factory=class_row(Counted)) as cursor:
            return cursor.execute(
                """
                select s.session_id as session, s.lines, m.moved, u.held, s.skipped, s.unplaced from sale s
                cross join lateral (
                    select count(*) as moved from movement m
                    where m.account = s.account and m.session_id = s.session_id and m.kind = 'sale'
                ) m
                cross join lateral (
                    select count(*) as ever, count(*) filter (where u.state <> 'placed') as held from unplaced_sale u
                    where u.account = s.account and u.session_id = s.session_id
                ) u
                where s.account = %(account)s and s.booked_at >= %(begins)s and s.booked_at < %(ends)s
                    and (
                        u.ever <> s.unplaced or m.moved + u.held + coalesce(s.skipped, 0) > s.lines
                        or m.moved + u.held + s.skipped < s.lines
                    )
                order by s.booked_at, s.session_id
                """,
                self._values,
            ).fetchall()

    def unbooked(self) -> list[Stray]:
        """Movements of sales in the period whose session is not booked."""
        with self._connection.cursor(row_factory=class_row(Stray)) as cursor:
            return cursor.execute(
                """
                select m.session_id as session, m.source_key from movement m
                where m.account = %(account)s and m.at >= %(begins)s and m.at < %(ends)s and m.kind = 'sale'
                    and not exists (
                        select from sale s where s.account = m.account and s.session_id = m.session_id
                    )
                order by m.id
                """,
                self._values,
            ).fetchall()

    def misplaced(self) -> list[Stray]:
        """Held lines of the period that are placed without a movement, or have one and are not."""
        with self._connection.cursor(row_factory=class_row(Stray)) as cursor:
            return cursor.execute(
                """
                select u.session_id as session, u.source_key from unplaced_sale u
                where u.account = %(account)s and u.created_at >= %(begins)s and u.created_at < %(ends)s
                    and (u.state = 'placed') <> exists (
                        select from movement m where m.source_key = u.source_key
                    )
                order by u.id
                """,
                self._values,
            ).fetchall()
