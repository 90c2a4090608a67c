"""SQL of snapshots: the reconciler writes them; reports, trends and the back office read those that were finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.storable import storable_text
from shared.store.levels import Named
from shared.vocabulary import AccountKey, ProductId, Size, StockStatus

AT_ONCE: Final = 2000
"""Rows that reading a snapshot holds in memory."""

_SELECT: Final = """
    select id, planned_at, actor, reason, started_at, finished_at, products, sizes, units, low, out_of_stock,
        not_a_number, no_value
    from snapshot
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished snapshot: when, who and why, and its totals; `low`, `out_of_stock` and the like count sizes."""

    id: int
    planned_at: datetime
    actor: str
    reason: str
    started_at: datetime
    finished_at: datetime
    products: int
    sizes: int
    units: int
    low: int
    out_of_stock: int
    not_a_number: int
    no_value: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One size of one product; `value` is Stripe's text (None: there is no key), `units` the number in it."""

    product: ProductId
    size: Size
    name: str
    active: bool
    value: str | None
    units: int | None
    status: StockStatus


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Thresholds in units that differ from the shop's, by product and by (product, size)."""

    products: Mapping[ProductId, int]
    sizes: Mapping[tuple[ProductId, Size], int]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """An account's snapshots, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def begin(self, planned_at: datetime, *, actor: str, reason: str) -> int:
        """A new snapshot's id. What was begun before and never finished is thrown away."""
        self._connection.execute(
            "delete from snapshot where account = %s and finished_at is null", (self._account,)
        )
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                "insert into snapshot (account, planned_at, actor, reason) values (%s, %s, %s, %s) returning id",
                (self._account, planned_at, actor, reason),
            )
            return cursor.fetchall()[0]

    def add(self, snapshot: int, rows: Sequence[SnapshotRow]) -> None:
        """Add rows; a size that is there already stays as it is."""
        self._connection.execute(
            """
            insert into snapshot_row (snapshot_id, product_id, size, name, active, value, units, status)
            select %s, * from unnest(
                %s::text[], %s::text[], %s::text[], %s::boolean[], %s::text[], %s::bigint[], %s::text[]
            )
            on conflict do nothing
            """,
            (
                snapshot,
                [row.product for row in rows],
                [storable_text(row.size) for row in rows],
                [storable_text(row.name) for row in rows],
                [row.active for row in rows],
                [row.value if row.value is None else storable_text(row.value) for row in rows],
                [row.units for row in rows],
                [row.status.value for row in rows],
            ),
        )

    def finish(self, snapshot: int) -> Snapshot:
        """Count the totals and show the snapshot from now on."""
        with self._connection.cursor(row_factory=class_row(Snapshot)) as cursor:
            cursor.execute(
                """
                update snapshot s set finished_at = now(), products = t.products, sizes = t.sizes, units = t.units,
                    low = t.low, out_of_stock = t.out_of_stock, not_a_number = t.not_a_number, no_value = t.no_value
                from (
                    select count(distinct product_id) as products, count(*) as sizes,
                        coalesce(sum(units), 0) as units,
                        count(*) filter (where status = 'LOW STOCK') as low,
                        count(*) filter (where status = 'OUT OF STOCK') as out_of_stock,
                        count(*) filter (where status = 'NOT A NUMBER') as not_a_number,
                        count(*) filter (where status = 'NO VALUE') as no_value
                    from snapshot_row where snapshot_id = %(snapshot)s
                ) t
                where s.id = %(snapshot)s
                returning s.id, s.planned_at, s.actor, s.reason, s.started_at, s.finished_at, s.products, s.sizes,
                    s.units, s.low, s.out_of_stock, s.not_a_number, s.no_value
                """,
                {"snapshot": snapshot},
            )
            return cursor.fetchall()[0]

    def latest(self, before: datetime | None = None) -> Snapshot | None:
        """The last one that was finished (at or before `before`); None where there is none."""
        with self._connection.cursor(row_factory=class_row(Snapshot)) as cursor:
            return cursor.execute(
                f"""
                {_SELECT} where account = %s and finished_at is not null
                    and (%s::timestamptz is null or finished_at <= %s)
                order by finished_at desc limit 1
                """,
                (self._account, before, before),
            ).fetchone()

    def taken(self) -> list[tuple[int, datetime]]:
        """(id, when) of those that were finished, oldest first."""
        return self._connection.execute(
            "select id, finished_at from snapshot where account = %s and finished_at is not null order by 2",
            (self._account,),
        ).fetchall()

    def drop(self, snapshot: int) -> None:
        """Forget one with its rows."""
        self._connection.execute(
            "delete from snapshot where account = %s and id = %s", (self._account, snapshot)
        )

    def called(self, wanted: str, limit: int) -> list[Named]:
        """Products of the latest whose id or name is `wanted` or begins so, whatever the case; exact ones first."""
        found = self._connection.execute(
            """
            select distinct product_id, name, product_id = %(wanted)s, lower(name) = lower(%(wanted)s)
            from snapshot_row
            where snapshot_id = (
                    select id from snapshot where account = %(account)s and finished_at is not null
                    order by finished_at desc limit 1
                )
                and (starts_with(product_id, %(wanted)s) or starts_with(lower(name), lower(%(wanted)s)))
            order by 3 desc, 4 desc, name, product_id limit %(limit)s
            """,
            {"account": self._account, "wanted": wanted, "limit": limit},
        )
        return [Named(ProductId(row[0]), str(row[1])) for row in found]

    def courses(self, product: ProductId, days: Sequence[datetime]) -> dict[Size, dict[int, int]]:
        """Units of each size by day as its last snapshot shows them; `days` count from 1, given by when they begin."""
        found = self._connection.execute(
            """
            select distinct on (r.size, day)
                r.size, width_bucket(s.finished_at, %(days)s::timestamptz[]) as day, r.units
            from snapshot s join snapshot_row r on r.snapshot_id = s.id
            where s.account = %(account)s and s.finished_at >= %(since)s and r.product_id = %(product)s
            order by r.size, day, s.finished_at desc
            """,
            {"account": self._account, "product": product, "days": list(days), "since": days[0]},
        )
        courses: dict[Size, dict[int, int]] = {}
        for size, day, units in found:
            if units is not None:
                courses.setdefault(Size(size), {})[int(day)] = int(units)
        return courses

    def rows(self, snapshot: int) -> Iterator[SnapshotRow]:
        """The rows of a snapshot that was finished, by product and size; read AT_ONCE at a time."""
        last = ("", "")
        while True:
            rows = self._connection.execute(
                """
                select r.product_id, r.size, r.name, r.active, r.value, r.units, r.status
                from snapshot_row r join snapshot s on s.id = r.snapshot_id
                where s.id = %s and s.account = %s and s.finished_at is not null
                    and (r.product_id, r.size) > (%s, %s)
                order by r.product_id, r.size limit %s
                """,
                (snapshot, self._account, *last, AT_ONCE),
            ).fetchall()
            for product, size, name, active, value, units, status in rows:
                yield SnapshotRow(
                    ProductId(product), Size(size), name, active, value, units, StockStatus(status)
                )
            if len(rows) < AT_ONCE:
                return
            last = (rows[-1][0], rows[-1][1])

    def thresholds(self, products: Sequence[ProductId]) -> Thresholds:
        """Those of `products` and their sizes that have one of their own."""
        rows = self._connection.execute(
            """
            select id, null as size, threshold from product
            where account = %(account)s and id = any(%(ids)s) and threshold is not null
            union all
            select product_id, size, threshold from variant
            where account = %(account)s and product_id = any(%(ids)s) and threshold is not null
            """,
            {"account": self._account, "ids": list(products)},
        ).fetchall()
        return Thresholds(
            {ProductId(product): units for product, size, units in rows if size is None},
            {(ProductId(product), Size(size)): units for product, size, units in rows if size is not None},
        )
