"""SQL of movements and sales a page at a time, newest first; the back office reads.

A page costs the same however long the ledger is: it begins at a mark, follows an index, and looks at LOOK rows at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from shared.store.journal import ENTRY, Mark, Moved, SoldUnits
from shared.vocabulary import AccountKey, MovementKind, ProductId, SessionId, Size

LOOK: Final = 5_000
"""Movements that are looked through for one page where no index knows what is sought."""


NEWEST: Final = Mark(datetime.max.replace(tzinfo=UTC), str(2**63 - 1))
NEWEST_SALE: Final = Mark(NEWEST.at, "")


@dataclass(frozen=True, slots=True)
class Sought:
    """Movements of a product, of one size of it, of a kind; None: of whatever."""

    product: ProductId | None = None
    size: Size | None = None
    kind: MovementKind | None = None


@dataclass(frozen=True, slots=True)
class PaidSale:
    """A session that was booked; a recovered one has a `reason`, and the `delay` from its payment to its booking."""

    session: SessionId
    booked_at: datetime
    created_at: datetime
    origin: str
    reason: str
    delay: timedelta | None
    lines: int
    unplaced: int
    skipped: int | None
    customer: str | None = field(repr=False)

    @property
    def mark(self) -> Mark:
        """The page that ends with it."""
        return Mark(self.booked_at, self.session)


_MARK: Final[LiteralString] = "select m.at, m.id from"
_MOVEMENT: Final[LiteralString] = "select * from movement where account = %(account)s"
_SALE: Final[LiteralString] = """
    select session_id as session, booked_at, created_at, origin, reason, delay, lines, unplaced, skipped, customer
    from sale where account = %(account)s
"""


@dataclass(frozen=True, slots=True)
class JournalPages:
    """An account's journal, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def movements(self, sought: Sought, before: Mark, limit: int) -> list[Moved]:
        """At most `limit` before the mark, newest first, of LOOK that are looked through."""
        with self._connection.cursor(row_factory=class_row(Moved)) as cursor:
            return cursor.execute(
                f"""
                {ENTRY} from ({_looked_through(sought)}) m
                join product p on p.account = m.account and p.id = m.product_id
                where (%(size)s::text is null or m.size = %(size)s)
                    and (%(kind)s::text is null or m.kind = %(kind)s)
                order by m.at desc, m.id desc limit %(limit)s
                """,
                {**self._values(sought, before), "limit": limit},
            ).fetchall()

    def looked_until(self, sought: Sought, before: Mark) -> Mark | None:
        """The last of the LOOK that `movements` looks through; None where it sees the beginning of the ledger."""
        row = self._connection.execute(
            f"{_MARK} ({_looked_through(sought)}) m order by m.at desc, m.id desc offset %(last)s",
            {**self._values(sought, before), "last": LOOK - 1},
        ).fetchone()
        return Mark(row[0], str(row[1])) if row else None

    def sales(self, before: Mark, since: datetime | None, limit: int, *, recovered: bool) -> list[PaidSale]:
        """At most `limit` booked before the mark, newest first; only those that no webhook told of, if `recovered`."""
        only: LiteralString = "and origin = 'recovery'" if recovered else ""
        mark: LiteralString = (
            "and (booked_at, session_id) < (%(at)s, %(key)s)" if before.key else "and booked_at < %(at)s"
        )
        with self._connection.cursor(row_factory=class_row(PaidSale)) as cursor:
            return cursor.execute(
                f"""
                {_SALE} {only} {mark} and booked_at >= coalesce(%(since)s::timestamptz, '-infinity')
                order by booked_at desc, session_id desc limit %(limit)s
                """,
                {
                    "account": self._account,
                    "at": before.at,
                    "key": before.key,
                    "since": since,
                    "limit": limit,
                },
            ).fetchall()

    def sale(self, session: SessionId) -> PaidSale | None:
        """The booking of this session."""
        with self._connection.cursor(row_factory=class_row(PaidSale)) as cursor:
            return cursor.execute(
                f"{_SALE} and session_id = %(session)s", {"account": self._account, "session": session}
            ).fetchone()

    def sold(self, sessions: Sequence[SessionId]) -> dict[SessionId, list[SoldUnits]]:
        """What each of `sessions` took off the stock."""
        rows = self._connection.execute(
            """
            select m.session_id, m.product_id, p.name, m.size, -m.delta from movement m
            join product p on p.account = m.account and p.id = m.product_id
            where m.account = %s and m.session_id = any(%s) and m.kind = 'sale' order by m.id
            """,
            (self._account, list(sessions)),
        )
        found: dict[SessionId, list[SoldUnits]] = {}
        for session, product, name, size, units in rows:
            found.setdefault(SessionId(session), []).append(SoldUnits(product, name, size, units))
        return found

    def of_session(self, session: SessionId) -> list[Moved]:
        """All movements of a session: what was sold, what came back; in order."""
        with self._connection.cursor(row_factory=class_row(Moved)) as cursor:
            return cursor.execute(
                f"""
                {ENTRY} from movement m join product p on p.account = m.account and p.id = m.product_id
                where m.account = %s and m.session_id = %s order by m.id
                """,
                (self._account, session),
            ).fetchall()

    def _values(self, sought: Sought, before: Mark) -> dict[str, object]:
        return {
            "account": self._account,
            "product": sought.product,
            "size": sought.size,
            "kind": sought.kind.value if sought.kind else None,
            "at": before.at,
            "id": int(before.key),
            "look": LOOK,
        }


def _looked_through(sought: Sought) -> LiteralString:
    """The newest movements before a mark, by the index that knows most of what is sought."""
    narrowed: LiteralString = ""
    if sought.product is not None:
        narrowed = "and product_id = %(product)s"
    elif sought.kind not in {None, MovementKind.SALE}:
        narrowed = "and kind = %(kind)s and kind <> 'sale'"
    return f"""
        {_MOVEMENT} {narrowed} and (at, id) < (%(at)s, %(id)s)
        order by at desc, id desc limit %(look)s
    """
