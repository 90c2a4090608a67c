"""SQL of how much there is of what, now and at any moment of the past; everybody reads.

Nothing here reads the whole ledger: a past balance is the present one without what came later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.size_order import rank
from shared.stock_levels import Level, Totals, status
from shared.vocabulary import AccountKey, ProductId, Size


@dataclass(frozen=True, slots=True)
class Named:
    """A product by its id and its name."""

    id: ProductId
    name: str


@dataclass(frozen=True, slots=True)
class Course:
    """One size over some days: units now, when it was first seen, what each day changed (in order)."""

    size: Size
    on_hand: int
    first_seen: datetime
    deltas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """An account's stock, over one connection; `low_stock` is the shop's threshold in units."""

    _connection: Connection[Any]
    _account: AccountKey
    low_stock: int

    def now(self, product: ProductId | None = None) -> list[Level]:
        """Every size that has a number in Stripe, or something else in its place; of `product` or of all."""
        found = self._connection.execute(
            """
            select product, name, size, units, coalesce(threshold, %(low)s) from stock_level
            where account = %(account)s and (%(product)s::text is null or product = %(product)s)
            order by name, product, size
            """,
            {"account": self._account, "product": product, "low": self.low_stock},
        )
        return _in_order(map(_level, found))

    def totals(self) -> Totals:
        """The figures over all that `now` shows."""
        with self._connection.cursor(row_factory=class_row(Totals)) as cursor:
            return cursor.execute(
                """
                select count(distinct product) as products, count(*) as sizes,
                    coalesce(sum(greatest(units, 0)), 0)::bigint as units,
                    count(*) filter (where units between 1 and coalesce(threshold, %(low)s)) as low,
                    count(*) filter (where units <= 0) as out
                from stock_level where account = %(account)s
                """,
                {"account": self._account, "low": self.low_stock},
            ).fetchall()[0]

    def shortest(self, limit: int) -> list[Level]:
        """At most `limit` of what `now` shows, in its order; of which there is enough is left out first."""
        found = self._connection.execute(
            """
            select * from (
                select product, name, size, units, coalesce(threshold, %(low)s) as threshold from stock_level
                where account = %(account)s
                order by coalesce(units > greatest(coalesce(threshold, %(low)s), 0), false), name, product, size
                limit %(limit)s
            ) short order by name, product, size
            """,
            {"account": self._account, "low": self.low_stock, "limit": limit},
        )
        return _in_order(map(_level, found))

    def at(self, moment: datetime, product: ProductId | None = None) -> list[Level]:
        """Every size that was known at `moment`, with its balance then; names and thresholds are today's."""
        found = self._connection.execute(
            """
            with later as (
                select product_id, size, sum(delta)::bigint as delta from movement
                where account = %(account)s and at > %(moment)s
                    and (%(product)s::text is null or product_id = %(product)s)
                group by product_id, size
            )
            select v.product_id, p.name, v.size, v.on_hand - coalesce(l.delta, 0),
                coalesce(v.threshold, p.threshold, %(low)s)
            from variant v join product p on p.account = v.account and p.id = v.product_id
            left join later l on l.product_id = v.product_id and l.size = v.size
            where v.account = %(account)s and (%(product)s::text is null or v.product_id = %(product)s)
                and (p.state <> 'closed' or v.on_hand <> coalesce(l.delta, 0))
                and (
                    select m.at from movement m
                    where m.account = v.account and m.product_id = v.product_id and m.size = v.size
                    order by m.id limit 1
                ) <= %(moment)s
            order by p.name, v.product_id, v.size
            """,
            {"account": self._account, "product": product, "low": self.low_stock, "moment": moment},
        )
        return _in_order(map(_level, found))

    def thresholds(self) -> dict[tuple[ProductId, Size | None], int]:
        """Thresholds of their own, by product and size; the size is None where it is the whole product's."""
        found = self._connection.execute(
            """
            select id, null, threshold from product where account = %(account)s and threshold is not null
            union all
            select product_id, size, threshold from variant
            where account = %(account)s and threshold is not null
            """,
            {"account": self._account},
        )
        return {(ProductId(row[0]), row[1] if row[1] is None else Size(row[1])): int(row[2]) for row in found}

    def named(self, product: ProductId) -> Named | None:
        """The product with this id, kept or not."""
        with self._connection.cursor(row_factory=class_row(Named)) as cursor:
            return cursor.execute(
                "select id, name from product where account = %s and id = %s", (self._account, product)
            ).fetchone()

    def called(self, wanted: str, limit: int) -> list[Named]:
        """Products whose id or name is `wanted` or begins so, whatever the case; what fits exactly first."""
        found = self._connection.execute(
            """
            select id, name from product
            where account = %(account)s and state <> 'untracked'
                and (starts_with(id, %(wanted)s) or starts_with(lower(name), lower(%(wanted)s)))
            order by id = %(wanted)s desc, name = %(wanted)s desc,
                lower(name) = lower(%(wanted)s) desc, name, id
            limit %(limit)s
            """,
            {"account": self._account, "wanted": wanted, "limit": limit},
        )
        return [Named(ProductId(row[0]), str(row[1])) for row in found]

    def courses(self, product: ProductId, days: Sequence[datetime]) -> list[Course]:
        """How each size of `product` went from the first of `days` on, each given by when it began."""
        found = self._connection.execute(
            """
            with daily as (
                select size, width_bucket(at, %(days)s::timestamptz[]) as day, sum(delta)::bigint as delta
                from movement
                where account = %(account)s and product_id = %(product)s and at >= %(since)s
                group by size, day
            )
            select v.size, v.on_hand, first.at,
                coalesce((select array_agg(d.day order by d.day) from daily d where d.size = v.size), '{}'),
                coalesce((select array_agg(d.delta order by d.day) from daily d where d.size = v.size), '{}')
            from variant v cross join lateral (
                select m.at from movement m
                where m.account = v.account and m.product_id = v.product_id and m.size = v.size
                order by m.id limit 1
            ) first
            where v.account = %(account)s and v.product_id = %(product)s
            """,
            {"account": self._account, "product": product, "days": list(days), "since": days[0]},
        )
        courses = [
            Course(Size(size), int(on_hand), first, _by_day(dict(zip(on, deltas, strict=True)), len(days)))
            for size, on_hand, first, on, deltas in found
        ]
        return sorted(courses, key=lambda course: rank(course.size))


def _by_day(changes: dict[int, int], days: int) -> tuple[int, ...]:
    return tuple(changes.get(day, 0) for day in range(1, days + 1))


def _in_order(levels: Iterable[Level]) -> list[Level]:
    """The levels with the sizes of each product, which stand together, as people name them."""
    products = groupby(levels, key=lambda level: level.product)
    return [level for _, own in products for level in sorted(own, key=lambda level: rank(level.size))]


def _level(row: tuple[Any, ...]) -> Level:
    product, name, size, units, threshold = row
    return Level(ProductId(product), name, Size(size), units, status(units, threshold))
