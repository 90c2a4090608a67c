"""SQL of aliases, what people taught that sold lines mean: the back office writes, the stock worker reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.aliases import Alias, Told
from shared.vocabulary import AccountKey, ProductId, Size


@dataclass(frozen=True, slots=True)
class Taught:
    """One alias as people see it; `standing` is why it places nothing now, '' where it does."""

    id: int
    told_product: str
    told_name: str
    told_size: str
    product: ProductId
    name: str
    size: Size
    by: str
    at: datetime
    standing: str


@dataclass(frozen=True, slots=True)
class Aliases:
    """An account's aliases, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def telling(self, products: Collection[str], names: Collection[str]) -> dict[Told, Alias]:
        """The aliases of lines that name one of `products`, or none and are called one of `names` (normalized)."""
        rows = self._connection.execute(
            """
            select told_product, told_name, told_size, id, product_id, size, by from alias
            where account = %(account)s and forgotten_at is null and (
                (told_product = any(%(products)s) and told_name = '')
                or (told_product = '' and told_name = any(%(names)s))
            )
            """,
            {"account": self._account, "products": list(products), "names": list(names)},
        )
        return {
            Told(product, name, size): Alias(number, ProductId(meant), Size(meant_size), by)
            for product, name, size, number, meant, meant_size, by in rows
        }

    def listed(self) -> list[Taught]:
        """All, oldest first."""
        with self._connection.cursor(row_factory=class_row(Taught)) as cursor:
            return cursor.execute(
                """
                select a.id, a.told_product, a.told_name, a.told_size, a.product_id as product, p.name, a.size, a.by,
                    a.at, case when p.state <> 'tracked' then p.state when v.state <> 'managed' then v.state else ''
                    end as standing
                from alias a
                join product p on p.account = a.account and p.id = a.product_id
                join variant v on v.account = a.account and v.product_id = a.product_id and v.size = a.size
                where a.account = %s and a.forgotten_at is null order by a.id
                """,
                (self._account,),
            ).fetchall()

    def teach(self, told: Told, product: ProductId, size: Size, by: str) -> tuple[int, bool]:
        """Have lines that say so mean this size; the alias's number, and whether they meant another before."""
        # Nobody else teaches meanwhile; the stock worker reads on.
        self._connection.execute("lock table alias in share row exclusive mode")
        known = self.telling([told.product], [told.name]).get(told)
        if known is not None and (known.product, known.size) == (product, size):
            return known.id, False
        replaced = known is not None and self.forget(known.id, by)
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            number: int = cursor.execute(
                """
                insert into alias (account, told_product, told_name, told_size, product_id, size, by)
                values (%s, %s, %s, %s, %s, %s, %s) returning id
                """,
                (self._account, told.product, told.name, told.size, product, size, by),
            ).fetchall()[0]
        return number, replaced

    def forget(self, number: int, by: str) -> bool:
        """Have it place nothing any more; whether there was one with this number."""
        return bool(
            self._connection.execute(
                """
                update alias set forgotten_at = now(), forgotten_by = %s
                where account = %s and id = %s and forgotten_at is null
                """,
                (by, self._account, number),
            ).rowcount
        )
