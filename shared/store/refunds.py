"""SQL of refunds, disputes, and what people make of them: the stock worker proposes, the back office decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey, LineItemId, ProductId, RefundId, SessionId, Size


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A line of a session that was taken off the stock: `units`, of which `returned` came back already.

    `asked` are those that people are being asked about.
    """

    line: LineItemId
    product: ProductId
    size: Size
    units: int
    returned: int
    asked: int


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of one line that are `proposed` to be put back, and those that were (`returned`)."""

    line: LineItemId
    product: ProductId
    name: str
    size: Size
    sold: int
    proposed: int
    returned: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back by refund or dispute; `amount` in the currency's smallest unit.

    `state` is open, accepted, dismissed or void.
    """

    id: RefundId
    session: SessionId
    kind: str
    likeness: str
    amount: int
    currency: str
    state: str
    proposed_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refunds:
    """An account's refunds, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def lock_session(self, session: SessionId) -> bool:
        """Keep others from deciding about the session's refunds until the transaction ends; whether it is booked."""
        row = self._connection.execute(
            "select from sale where account = %s and session_id = %s for no key update",
            (self._account, session),
        ).fetchone()
        return row is not None

    def booked(self, session: SessionId) -> list[BookedLine]:
        """The session's lines in the ledger, by line item."""
        with self._connection.cursor(row_factory=class_row(BookedLine)) as cursor:
            return cursor.execute(
                """
                select substring(m.source_key from '[^:]+$') as line,
                    m.product_id as product, m.size, -m.delta as units, back.returned, back.asked
                from movement m cross join lateral (
                    select coalesce(sum(l.returned), 0)::integer as returned,
                        coalesce(sum(l.proposed) filter (where r.state = 'open'), 0)::integer as asked
                    from refund_line l join refund r using (account, refund_id)
                    where r.account = m.account and r.session_id = m.session_id
                        and l.line_item_id = substring(m.source_key from '[^:]+$')
                ) back
                where m.account = %s and m.session_id = %s and m.kind = 'sale'
                order by m.id
                """,
                (self._account, session),
            ).fetchall()

    def dismissed(self, session: SessionId, *, but_by: str) -> bool:
        """Whether somebody else than `but_by` said of a refund of the session that nothing came back."""
        row = self._connection.execute(
            """
            select from refund
            where account = %s and session_id = %s and state = 'dismissed' and decided_by <> %s limit 1
            """,
            (self._account, session, but_by),
        ).fetchone()
        return row is not None

    def propose(self, refund: Refund, lines: Sequence[BookedLine], units: Sequence[int]) -> bool:
        """Keep a refund with the `units` proposed of each of `lines`; False where it is kept already.

        One that was void is asked about anew: the money went back after all.
        """
        new = self._connection.execute(
            """
            insert into refund (account, refund_id, session_id, kind, likeness, amount, currency)
            values (%s, %s, %s, %s, %s, %s, %s)
            on conflict (account, refund_id) do update set kind = excluded.kind, likeness = excluded.likeness,
                amount = excluded.amount, state = 'open', proposed_at = now(), decided_at = null, decided_by = null,
                reason = ''
            where refund.state = 'void'
            """,
            (
                self._account,
                refund.id,
                refund.session,
                refund.kind,
                refund.likeness,
                refund.amount,
                refund.currency,
            ),
        ).rowcount
        if new:
            self._replace_lines(refund.id, lines, units)
        return bool(new)

    def _replace_lines(self, refund: RefundId, lines: Sequence[BookedLine], units: Sequence[int]) -> None:
        self._connection.execute(
            "delete from refund_line where account = %s and refund_id = %s", (self._account, refund)
        )
        self._connection.execute(
            """
            insert into refund_line (account, refund_id, line_item_id, product_id, size, sold, proposed)
            select %s, %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::integer[], %s::integer[])
            """,
            (
                self._account,
                refund,
                [line.line for line in lines],
                [line.product for line in lines],
                [line.size for line in lines],
                [line.units for line in lines],
                list(units),
            ),
        )

    def lock(self, refund: RefundId) -> Refund | None:
        """The refund, its row locked until the transaction ends; None where it was never seen."""
        with self._connection.cursor(row_factory=class_row(Refund)) as cursor:
            return cursor.execute(
                """
                select refund_id as id, session_id as session, kind, likeness, amount, currency, state,
                    proposed_at, decided_at, decided_by, reason
                from refund where account = %s and refund_id = %s for update
                """,
                (self._account, refund),
            ).fetchone()

    def lines(self, refund: RefundId) -> list[RefundLine]:
        """The refund's lines."""
        return self.lines_of([refund]).get(refund, [])

    def lines_of(self, refunds: Sequence[RefundId]) -> dict[RefundId, list[RefundLine]]:
        """The lines of each of `refunds` that has some."""
        rows = self._connection.execute(
            """
            select l.refund_id, l.line_item_id, l.product_id, p.name, l.size, l.sold, l.proposed, l.returned
            from refund_line l join product p on (p.account, p.id) = (l.account, l.product_id)
            where l.account = %s and l.refund_id = any(%s) order by l.line_item_id
            """,
            (self._account, list(refunds)),
        )
        lines: dict[RefundId, list[RefundLine]] = {}
        for refund, *line in rows:
            lines.setdefault(RefundId(refund), []).append(RefundLine(*line))
        return lines

    def decide(
        self,
        refund: RefundId,
        state: str,
        *,
        by: str,
        reason: str = "",
        returned: Mapping[LineItemId, int] | None = None,
    ) -> None:
        """Note what a person said of a refund, and how many units of each line came back."""
        self._connection.execute(
            """
            update refund set state = %s, decided_at = now(), decided_by = %s, reason = %s
            where account = %s and refund_id = %s
            """,
            (state, by, reason, self._account, refund),
        )
        units = returned or {}
        self._connection.execute(
            """
            update refund_line l set returned = u.units
            from unnest(%s::text[], %s::integer[]) u (line, units)
            where l.account = %s and l.refund_id = %s and l.line_item_id = u.line
            """,
            (list(units), list(units.values()), self._account, refund),
        )

    def listed(self, states: Sequence[str], limit: int, *, offset: int = 0) -> list[Refund]:
        """Refunds in one of `states` after `offset` others, newest first."""
        with self._connection.cursor(row_factory=class_row(Refund)) as cursor:
            return cursor.execute(
                """
                select refund_id as id, session_id as session, kind, likeness, amount, currency, state,
                    proposed_at, decided_at, decided_by, reason
                from refund where account = %s and state = any(%s)
                order by proposed_at desc, refund_id limit %s offset %s
                """,
                (self._account, list(states), limit, offset),
            ).fetchall()
