"""SQL of a week's figures; the reconciler reads. Each query costs what happened lately, not what the ledger holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.periods import Period
from shared.vocabulary import AccountKey
from shared.weekly_report import Doubt, KindSum, Recovered, Sold


@dataclass(frozen=True, slots=True)
class Emptied:
    """A size whose last unit went at a moment of the period, and what is left of it now."""

    product: str
    name: str
    size: str
    at: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Weekly:
    """An account's period, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey
    _period: Period

    def by_kind(self) -> list[KindSum]:
        """The sums of movements by product and kind."""
        with self._connection.cursor(row_factory=class_row(KindSum)) as cursor:
            return cursor.execute(
                """
                select p.id as product, p.name, m.kind, sum(m.delta)::bigint as delta
                from movement m join product p on p.account = m.account and p.id = m.product_id
                where m.account = %s and m.at >= %s and m.at < %s
                group by p.id, p.name, m.kind order by p.id, m.kind
                """,
                (self._account, self._period.begins, self._period.ends),
            ).fetchall()

    def orders(self) -> int:
        """Sessions that took something off the stock."""
        row = self._connection.execute(
            """
            select count(distinct session_id) from movement
            where account = %s and at >= %s and at < %s and kind = 'sale'
            """,
            (self._account, self._period.begins, self._period.ends),
        ).fetchone()
        return int(row[0]) if row else 0

    def sold(self, lately: datetime) -> list[Sold]:
        """Sizes that were sold since `lately` and still have a number in Stripe."""
        with self._connection.cursor(row_factory=class_row(Sold)) as cursor:
            return cursor.execute(
                """
                select p.id as product, p.name, v.size, v.on_hand as left, s.sold, s.sold_lately, f.at as first
                from (
                    select product_id, size, -sum(delta)::bigint as sold_lately,
                        coalesce(-sum(delta) filter (where at >= %(begins)s), 0)::bigint as sold
                    from movement
                    where account = %(account)s and at >= %(lately)s and at < %(ends)s and kind = 'sale'
                    group by product_id, size
                ) s
                join variant v on v.account = %(account)s and v.product_id = s.product_id and v.size = s.size
                join product p on p.account = v.account and p.id = v.product_id
                join lateral (
                    select m.at from movement m
                    where m.account = v.account and m.product_id = v.product_id and m.size = v.size
                    order by m.id limit 1
                ) f on true
                where v.state = 'managed' and p.state in ('tracked', 'quarantined')
                order by s.sold desc, p.name, p.id, v.size
                """,
                {
                    "account": self._account,
                    "lately": lately,
                    "begins": self._period.begins,
                    "ends": self._period.ends,
                },
            ).fetchall()

    def emptied(self) -> list[Emptied]:
        """Sizes that fell to nothing, the latest time for each, in order of time.

        The balance after a movement is today's without all later ones.
        """
        with self._connection.cursor(row_factory=class_row(Emptied)) as cursor:
            return cursor.execute(
                """
                with since as (
                    select m.product_id, m.size, m.at, m.delta, v.on_hand, v.on_hand - coalesce(sum(m.delta) over (
                        partition by m.product_id, m.size order by m.id desc
                        rows between unbounded preceding and 1 preceding
                    ), 0) as balance
                    from movement m join variant v
                        on v.account = m.account and v.product_id = m.product_id and v.size = m.size
                    where m.account = %(account)s and m.at >= %(begins)s
                ), latest as (
                    select distinct on (product_id, size) product_id, size, at, on_hand from since
                    where balance <= 0 and balance - delta > 0 and at < %(ends)s
                    order by product_id, size, at desc
                )
                select p.id as product, p.name, l.size, l.at, l.on_hand as left
                from latest l join product p on p.account = %(account)s and p.id = l.product_id
                where p.state <> 'closed' order by l.at, p.id, l.size
                """,
                {
                    "account": self._account,
                    "begins": self._period.begins,
                    "ends": self._period.ends,
                },
            ).fetchall()

    def unplaced(self) -> tuple[int, datetime | None]:
        """How many sold lines wait for a person, and since when the oldest does."""
        row = self._connection.execute(
            "select count(*), min(created_at) from unplaced_sale where account = %s and state = 'open'",
            (self._account,),
        ).fetchone()
        return (int(row[0]), row[1]) if row else (0, None)

    def doubts(self) -> list[Doubt]:
        """What does not add up now, by cause, the oldest first."""
        rows = self._connection.execute(
            """
            select cause, count(*), min(first_seen_at) from finding
            where account = %s and state <> 'resolved' group by cause order by min(first_seen_at), cause
            """,
            (self._account,),
        )
        return [Doubt(cause=row[0], findings=row[1], oldest=row[2]) for row in rows]

    def recovered(self) -> list[Recovered]:
        """Sales booked in the period that no webhook told of, by reason, the most frequent first."""
        rows = self._connection.execute(
            """
            select reason, count(*), coalesce(extract(epoch from max(delay)), 0)::bigint from sale
            where account = %s and booked_at >= %s and booked_at < %s and reason <> ''
            group by reason order by count(*) desc, reason
            """,
            (self._account, self._period.begins, self._period.ends),
        )
        return [Recovered(reason=row[0], sales=row[1], longest_seconds=row[2]) for row in rows]

    def units(self) -> int:
        """All units there are now; a size without a number in Stripe has none, whatever is left of it in the ledger."""
        row = self._connection.execute(
            "select coalesce(sum(on_hand), 0)::bigint from variant where account = %s and state = 'managed'",
            (self._account,),
        ).fetchone()
        return int(row[0]) if row else 0

    def daily(self, days: Sequence[datetime]) -> dict[int, tuple[int, int]]:
        """(what all movements changed, units sold) of each of `days`, counted from 1; of the last, all that came since.

        A day is given by when it begins. Changes are those of sizes that `units` counts.
        """
        found = self._connection.execute(
            """
            select width_bucket(m.at, %(days)s::timestamptz[]) as day,
                coalesce(sum(m.delta) filter (where v.state = 'managed'), 0)::bigint,
                coalesce(-sum(m.delta) filter (where m.kind = 'sale'), 0)::bigint
            from movement m
            join variant v on v.account = m.account and v.product_id = m.product_id and v.size = m.size
            where m.account = %(account)s and m.at >= %(since)s group by day
            """,
            {"account": self._account, "days": list(days), "since": days[0]},
        )
        return {int(row[0]): (int(row[1]), int(row[2])) for row in found}
