"""SQL of what became of events: the delivery log beside the sales, products and refunds they are about; only reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from shared.store.journal import ENTRY, Moved
from shared.vocabulary import AccountKey, EventId, ProductId, RefundId, SessionId

MOST_MOVEMENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as it was handled: the first outcome, how often, and whether its webhook came at all."""

    event: EventId
    outcome: str
    handled: int
    first_handled_at: datetime
    arrived: bool


@dataclass(frozen=True, slots=True)
class Booked:
    """A session that is booked, by which event (None: recovery found the session itself) and how that came."""

    session: SessionId
    event: EventId | None
    origin: str
    reason: str
    booked_at: datetime
    lines: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A product: whether it waits for a sync, and when it last agreed with Stripe."""

    product: ProductId
    waits: bool
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A refund or dispute that people were asked about."""

    refund: RefundId
    session: SessionId
    state: str


_MOVED: Final[LiteralString] = f"""
    {ENTRY} from movement m join product p on p.account = m.account and p.id = m.product_id
"""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """An account's, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def of(self, events: Collection[EventId]) -> dict[EventId, Delivered]:
        """Those of `events` that are in the delivery log."""
        with self._connection.cursor(row_factory=class_row(Delivered)) as cursor:
            rows = cursor.execute(
                """
                select event_id as event, outcome, handled, first_handled_at, arrived_at is not null as arrived
                from delivery where account = %s and event_id = any(%s)
                """,
                (self._account, list(events)),
            )
            return {row.event: row for row in rows}

    def booked(self, sessions: Collection[SessionId]) -> dict[SessionId, Booked]:
        """Those of `sessions` that are booked."""
        with self._connection.cursor(row_factory=class_row(Booked)) as cursor:
            rows = cursor.execute(
                """
                select session_id as session, event_id as event, origin, reason, booked_at, lines, unplaced
                from sale where account = %s and session_id = any(%s)
                """,
                (self._account, list(sessions)),
            )
            return {row.session: row for row in rows}

    def watched(self, products: Collection[ProductId]) -> dict[ProductId, Watched]:
        """Those of `products` that were ever seen."""
        with self._connection.cursor(row_factory=class_row(Watched)) as cursor:
            rows = cursor.execute(
                """
                select id as product, dirty_since is not null as waits, synced_at
                from product where account = %s and id = any(%s)
                """,
                (self._account, list(products)),
            )
            return {row.product: row for row in rows}

    def own_writes(self, keys: Collection[str]) -> set[str]:
        """Those of these idempotency keys that are of our own writes."""
        rows = self._connection.execute(
            "select idempotency_key from write where account = %s and idempotency_key = any(%s)",
            (self._account, list(keys)),
        )
        return {str(row[0]) for row in rows}

    def asked(self, refunds: Collection[RefundId]) -> dict[RefundId, Asked]:
        """Those of `refunds` that people were asked about."""
        with self._connection.cursor(row_factory=class_row(Asked)) as cursor:
            rows = cursor.execute(
                """
                select refund_id as refund, session_id as session, state
                from refund where account = %s and refund_id = any(%s)
                """,
                (self._account, list(refunds)),
            )
            return {row.refund: row for row in rows}

    def moved_by_session(self, session: SessionId) -> list[Moved]:
        """What the session moved, oldest first."""
        with self._connection.cursor(row_factory=class_row(Moved)) as cursor:
            return cursor.execute(
                f"{_MOVED} where m.account = %s and m.session_id = %s order by m.id limit %s",
                (self._account, session, MOST_MOVEMENTS),
            ).fetchall()

    def moved_by_event(self, event: EventId, product: ProductId, since: datetime) -> list[Moved]:
        """What the event of a product that happened at `since` moved of it, oldest first."""
        with self._connection.cursor(row_factory=class_row(Moved)) as cursor:
            return cursor.execute(
                f"""
                {_MOVED}
                where m.account = %s and m.product_id = %s and m.at >= %s - interval '1 hour' and m.event_id = %s
                order by m.id limit %s
                """,
                (self._account, product, since, event, MOST_MOVEMENTS),
            ).fetchall()
