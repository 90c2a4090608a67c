"""SQL of the products as the web pages list them; the back office reads. It grows with the products alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey, ProductId

Standing = Literal["all", "low", "out", "unreadable"]


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product: sizes that keep stock, their units in all, how many are `low`, `out`, or no plain number.

    `matching` is how many products there are in the whole list, of which this is one.
    """

    id: ProductId
    name: str
    sizes: int
    units: int
    low: int
    out: int
    unreadable: int
    matching: int


@dataclass(frozen=True, slots=True)
class ProductPages:
    """An account's products, over one connection; `low_stock` is the shop's threshold in units."""

    _connection: Connection[Any]
    _account: AccountKey
    low_stock: int

    def page(self, search: str, standing: Standing, *, limit: int, offset: int) -> list[ProductLine]:
        """Products by name, those whose name holds `search` or whose id begins with it, of one standing."""
        with self._connection.cursor(row_factory=class_row(ProductLine)) as cursor:
            return cursor.execute(
                """
                select *, count(*) over () as matching from (
                    select product as id, name, count(*) as sizes,
                        coalesce(sum(greatest(units, 0)), 0)::bigint as units,
                        count(*) filter (where units between 1 and coalesce(threshold, %(low)s)) as low,
                        count(*) filter (where units <= 0) as out,
                        count(*) filter (where units is null) as unreadable
                    from stock_level
                    where account = %(account)s
                        and (%(search)s = '' or strpos(lower(name), lower(%(search)s)) > 0
                            or starts_with(product, %(search)s))
                    group by product, name
                ) as line
                where %(standing)s = 'all' or (%(standing)s = 'low' and low > 0)
                    or (%(standing)s = 'out' and out > 0) or (%(standing)s = 'unreadable' and unreadable > 0)
                order by name, id limit %(limit)s offset %(offset)s
                """,
                {
                    "account": self._account,
                    "low": self.low_stock,
                    "search": search,
                    "standing": standing,
                    "limit": limit,
                    "offset": offset,
                },
            ).fetchall()

    def courses(
        self, products: Sequence[ProductId], days: Sequence[datetime]
    ) -> dict[ProductId, tuple[int, dict[int, int]]]:
        """Units of each product now, and what each day changed; `days` count from 1, given by when they begin.

        Only sizes that keep a number count. It grows with what moved in those days.
        """
        found = self._connection.execute(
            """
            with daily as (
                select m.product_id, width_bucket(m.at, %(days)s::timestamptz[]) as day, sum(m.delta)::bigint as delta
                from movement m
                join variant v on v.account = m.account and v.product_id = m.product_id and v.size = m.size
                where m.account = %(account)s and m.product_id = any(%(products)s) and m.at >= %(since)s
                    and v.account = %(account)s and v.product_id = any(%(products)s) and v.state = 'managed'
                group by m.product_id, day
            )
            select s.product, coalesce(sum(s.units), 0)::bigint,
                coalesce((select array_agg(d.day) from daily d where d.product_id = s.product), '{}'),
                coalesce((select array_agg(d.delta) from daily d where d.product_id = s.product), '{}')
            from stock_level s where s.account = %(account)s and s.product = any(%(products)s)
            group by s.product
            """,
            {
                "account": self._account,
                "products": list(products),
                "days": list(days),
                "since": days[0],
            },
        )
        return {
            ProductId(product): (int(units), dict(zip(on, deltas, strict=True)))
            for product, units, on, deltas in found
        }
