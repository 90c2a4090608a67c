"""SQL of the newest movements and sales, one after the other; the back office reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey, ProductId, SessionId, Size

ENTRY: Final[LiteralString] = """
    select m.id, m.at, m.product_id as product, p.name, m.size, m.kind, m.delta, m.session_id as session, m.actor,
        m.reason, case when starts_with(m.source_key, 'import:') then split_part(m.source_key, ':', 2) end as batch
"""
"""The columns of Moved, of a movement `m` and its product `p`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ends: the moment of its last entry, and its id, which tells apart what happened at once."""

    at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement: `delta` units that came or went, who or which sale did it, and the import it is of."""

    id: int
    at: datetime
    product: ProductId
    name: str
    size: Size
    kind: str
    delta: int
    session: SessionId | None
    actor: str
    reason: str
    batch: str | None

    @property
    def mark(self) -> Mark:
        """The page that ends with it."""
        return Mark(self.at, str(self.id))


@dataclass(frozen=True, slots=True)
class Entry(Moved):
    """A movement, and what was on hand `after` it."""

    after: int


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
                f"""
                {ENTRY}, v.on_hand - coalesce(sum(m.delta) over (
                        partition by m.product_id, m.size order by m.at desc, m.id desc
                        rows between unbounded preceding and 1 preceding
                    ), 0)::bigint as after
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
                """,  # noqa: S608 - all of the text is ours
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
