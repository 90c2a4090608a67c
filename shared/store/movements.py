"""SQL of the append-only ledger: the stock worker appends; everybody else reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from shared.alerts import OfVariant, OversoldSale, Sold
from shared.vocabulary import AccountKey, Movement, ProductId, SessionId, Size


@dataclass(frozen=True, slots=True)
class Movements:
    """An account's ledger, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def append(self, movements: Sequence[Movement]) -> frozenset[str]:
        """Append what is not in the ledger yet; the source keys that were new. Balances follow by trigger."""
        if not movements:
            return frozenset()
        rows = self._connection.execute(
            """
            insert into movement
                (account, product_id, size, delta, kind, source_key, session_id, event_id, actor, reason)
            select * from unnest(
                %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                %s::text[], %s::text[], %s::text[], %s::text[], %s::text[]
            )
            on conflict (source_key) do nothing
            returning source_key
            """,
            (
                [m.account for m in movements],
                [m.product for m in movements],
                [m.size for m in movements],
                [m.delta for m in movements],
                [m.kind.value for m in movements],
                [m.source_key for m in movements],
                [m.session for m in movements],
                [m.event for m in movements],
                [m.actor for m in movements],
                [m.reason for m in movements],
            ),
        )
        return frozenset(str(row[0]) for row in rows)

    def newest_sales(self, product: ProductId, size: Size, *, units: int) -> list[OversoldSale]:
        """The newest sales of a size that together took at least `units`, newest first, at most 50."""
        rows = self._connection.execute(
            """
            select session_id, -delta from movement
            where account = %s and product_id = %s and size = %s and kind = 'sale'
            order by id desc limit 50
            """,
            (self._account, product, size),
        )
        sales: list[OversoldSale] = []
        for session, sold in rows:
            left = units - sum(sale.units for sale in sales)
            if left <= 0:
                break
            sales.append(OversoldSale(SessionId(session), min(int(sold), left)))
        return sales


def sold_lately(
    connection: Connection[Any], variants: Collection[OfVariant], *, days: int
) -> dict[OfVariant, Sold]:
    """What was sold of each within the last `days`; a variant without a movement is not among them."""
    wanted = sorted(set(variants))
    rows = connection.execute(
        """
        select wanted.account, wanted.product, wanted.size,
            (
                select coalesce(sum(-m.delta), 0)::bigint from movement m
                where m.account = wanted.account and m.product_id = wanted.product and m.size = wanted.size
                    and m.kind = 'sale' and m.at > now() - make_interval(days => %s)
            ),
            least(%s, extract(epoch from now() - first.at) / 86400)::float
        from unnest(%s::text[], %s::text[], %s::text[]) as wanted (account, product, size)
        join lateral (
            select m.at from movement m
            where m.account = wanted.account and m.product_id = wanted.product and m.size = wanted.size
            order by m.id limit 1
        ) first on true
        """,
        (days, days, *([one[part] for one in wanted] for part in range(3))),
    )
    return {(row[0], row[1], row[2]): Sold(int(row[3]), max(0.0, row[4])) for row in rows}
