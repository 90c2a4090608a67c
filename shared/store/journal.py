"""SQL of the newest movements and sales, one after the other; the back office reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey, ProductId, SessionId, Size


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement: units that came or went (`delta`), and what was on hand `after` it; the import it is of."""

    id: int
    at: datetime
    product: ProductId
    name: str
    size: Size
    kind: str
    delta: int
    after: int
    session: SessionId | None
    actor: str
    reason: str
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class SoldUnits:
    """What a session took off one size."""

    product: ProductId
    name: str
    size: Size
    units: int


@dataclass(frozen=True, slots=True)
class BookedSale:
    """A paid session; `unplaced` of its lines fit no size when it was booked.

    `origin` is webhook or recovery, `reason` why no webhook told of it.
    """

    session: SessionId
    booked_at: datetime
    created_at: datetime
    origin: str
    reason: str
    unplaced: int
    customer: str | None = field(repr=False)
    lines: list[SoldUnits] = field(default_factory=list[SoldUnits])


@dataclass(frozen=True, slots=True)
class Journal:
    """An account's journal, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def movements(
        self, product: ProductId | None, size: Size | None, since: datetime, limit: int
    ) -> list[Entry]:
        """The newest movements since `since`, newest first; of one product and size, or of all (None)."""
        with self._connection.cursor(row_factory=class_row(Entry)) as cursor:
            return cursor.execute(
                """
                select m.id, m.at, m.product_id as product, p.name, m.size, m.kind, m.delta,
                    v.on_hand - coalesce(sum(m.delta) over (
                        partition by m.product_id, m.size order by m.at desc, m.id desc
                        rows between unbounded preceding and 1 preceding
                    ), 0)::bigint as after,
                    m.session_id as session, m.actor, m.reason,
                    case when starts_with(m.source_key, 'import:') then split_part(m.source_key, ':', 2) end as batch
                from (
                    select * from movement
                    where account = %(account)s and at >= %(since)s
                        and (%(product)s::text is null or product_id = %(product)s)
                        and (%(size)s::text is null or size = %(size)s)
                    order by at desc, id desc limit %(limit)s
                ) m
                join product p on p.account = m.account and p.id = m.product_id
                join variant v on v.account = m.account and v.product_id = m.product_id and v.size = m.size
                order by m.at desc, m.id desc
                """,
                {"account": self._account, "product": product, "size": size, "since": since, "limit": limit},
            ).fetchall()

    def sales(self, since: datetime, limit: int, *, recovered: bool) -> list[BookedSale]:
        """The sales booked since `since`, newest first; only those that no webhook told of, where `recovered`."""
        with self._connection.cursor(row_factory=class_row(BookedSale)) as cursor:
            found = cursor.execute(
                """
                select session_id as session, booked_at, created_at, origin, reason, unplaced, customer from sale
                where account = %(account)s and booked_at >= %(since)s
                    and (not %(recovered)s or origin = 'recovery')
                order by booked_at desc, session_id limit %(limit)s
                """,
                {"account": self._account, "since": since, "recovered": recovered, "limit": limit},
            ).fetchall()
        by_session = {one.session: one for one in found}
        rows = self._connection.execute(
            """
            select m.session_id, m.product_id, p.name, m.size, -m.delta from movement m
            join product p on p.account = m.account and p.id = m.product_id
            where m.account = %s and m.session_id = any(%s) and m.kind = 'sale' order by m.id
            """,
            (self._account, list(by_session)),
        )
        for session, product, name, size, units in rows:
            by_session[session].lines.append(SoldUnits(product, name, size, units))
        return found
