"""SQL of booked sessions, lines that wait for a person, and the delivery log; the stock worker writes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from shared.storable import storable_text
from shared.store import customers
from shared.vocabulary import AccountKey, EventId, SessionId, UnplacedSale


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought, where the shop wants it kept; shown by no repr."""

    name: str | None = field(repr=False)
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sale:
    """A paid session that was booked; `unplaced` of its `lines` wait for a person, `skipped` take no stock.

    A recovered one has a `reason` in words, and the `delay` from its payment to now. `customer` is Stripe's id, cus_…,
    if there is one.
    """

    account: AccountKey
    session: SessionId
    origin: str
    event: EventId | None
    created_at: datetime
    lines: int
    unplaced: int
    reason: str = ""
    delay: timedelta | None = None
    skipped: int | None = None
    customer: str | None = None
    buyer: Buyer | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """One event that was handled; `outcome` in a word or two. A `recovered` one came by no webhook."""

    account: AccountKey
    event: EventId
    type: str
    outcome: str
    created_at: datetime
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Sales:
    """An account's sessions, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def booked(self, sessions: Collection[SessionId]) -> set[SessionId]:
        """Those of `sessions` that are booked already."""
        rows = self._connection.execute(
            "select session_id from sale where account = %s and session_id = any(%s)",
            (self._account, list(sessions)),
        )
        return {SessionId(row[0]) for row in rows}

    def record(self, sales: Sequence[Sale]) -> None:
        """Note that sessions are booked; harmless to repeat."""
        self._connection.execute(
            """
            insert into sale
                (account, session_id, origin, event_id, created_at, lines, unplaced, reason, delay, skipped, customer)
            select * from unnest(
                %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::int[],
                %s::text[], %s::interval[], %s::int[], %s::text[]
            )
            on conflict (account, session_id) do nothing
            """,
            (
                [s.account for s in sales],
                [s.session for s in sales],
                [s.origin for s in sales],
                [s.event for s in sales],
                [s.created_at for s in sales],
                [s.lines for s in sales],
                [s.unplaced for s in sales],
                [s.reason for s in sales],
                [s.delay for s in sales],
                [s.skipped for s in sales],
                [s.customer for s in sales],
            ),
        )
        customers.keep(
            self._connection,
            [(s.account, s.session, s.buyer.name, s.buyer.email) for s in sales if s.buyer is not None],
        )

    def hold(self, lines: Sequence[UnplacedSale]) -> set[str]:
        """Keep lines for a person; the source keys of those that are new."""
        rows = self._connection.execute(
            """
            insert into unplaced_sale
                (account, session_id, line_item_id, source_key, product_id, size_hint, quantity, reason,
                line_name, vague)
            select * from unnest(
                %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                %s::text[], %s::bool[]
            )
            on conflict (source_key) do nothing
            returning source_key
            """,
            (
                [u.account for u in lines],
                [u.session for u in lines],
                [u.line for u in lines],
                [u.source_key for u in lines],
                [u.product for u in lines],
                [u.size_hint for u in lines],
                [u.quantity for u in lines],
                [u.reason for u in lines],
                [storable_text(u.name) for u in lines],
                [u.vague for u in lines],
            ),
        )
        return {str(row[0]) for row in rows}

    def log_deliveries(self, handled: Sequence[Handled]) -> None:
        """Count events in the delivery log; the first outcome stays."""
        once = {h.event: h for h in reversed(handled)}
        counts = {event: sum(1 for h in handled if h.event == event) for event in once}
        arrived = {h.event for h in handled if not h.recovered}
        rows = sorted(once.values(), key=lambda h: h.event)
        self._connection.execute(
            """
            insert into delivery (account, event_id, type, outcome, created_at, handled, arrived_at)
            select account, event_id, type, outcome, created_at, handled, case when arrived then now() end
            from unnest(
                %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::int[], %s::bool[]
            ) as h (account, event_id, type, outcome, created_at, handled, arrived)
            on conflict (account, event_id) do update set
                handled = delivery.handled + excluded.handled,
                arrived_at = coalesce(excluded.arrived_at, delivery.arrived_at)
            """,
            (
                [h.account for h in rows],
                [h.event for h in rows],
                [h.type for h in rows],
                [h.outcome for h in rows],
                [h.created_at for h in rows],
                [counts[h.event] for h in rows],
                [h.event in arrived for h in rows],
            ),
        )
