"""SQL of products and their sizes: the stock worker writes; reconciler, notifier and back office read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.vocabulary import AccountKey, ProductId, Size


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product; `threshold` None means the shop's default."""

    id: ProductId
    name: str
    state: str
    version: int
    threshold: int | None
    dirty: bool
    recover: bool = False
    take_over: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class VariantRow:
    """One size of a product; `state` is managed, unreadable or missing."""

    product_id: ProductId
    size: Size
    on_hand: int
    state: str
    opened: bool
    threshold: int | None


_ROW = """
    select id, name, state, version, threshold, dirty_since is not null as dirty, recover, take_over,
        state_reason as reason
    from product
"""


@dataclass(frozen=True, slots=True)
class Products:
    """An account's products and their sizes, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def lock(self, product: ProductId) -> ProductRow | None:
        """The product, its row locked until the transaction ends; None where it was never seen."""
        with self._connection.cursor(row_factory=class_row(ProductRow)) as cursor:
            return cursor.execute(
                f"{_ROW} where account = %s and id = %s for update", (self._account, product)
            ).fetchone()

    def rows(self, products: Collection[ProductId]) -> list[ProductRow]:
        """Those of `products` that were seen before."""
        with self._connection.cursor(row_factory=class_row(ProductRow)) as cursor:
            return cursor.execute(
                f"{_ROW} where account = %s and id = any(%s) order by id", (self._account, list(products))
            ).fetchall()

    def lock_all(self, products: Collection[ProductId]) -> None:
        """Lock the products' rows in one order for all, so that bookings of several products can't deadlock."""
        self._connection.execute(
            "select from product where account = %s and id = any(%s) order by id for update",
            (self._account, list(products)),
        )

    def states(self, products: Collection[ProductId]) -> dict[ProductId, str]:
        """The state of each of `products` that was seen before."""
        rows = self._connection.execute(
            "select id, state from product where account = %s and id = any(%s)",
            (self._account, list(products)),
        )
        return {ProductId(row[0]): str(row[1]) for row in rows}

    def variants(self, products: Collection[ProductId]) -> list[VariantRow]:
        """Every size of `products` that was ever seen."""
        with self._connection.cursor(row_factory=class_row(VariantRow)) as cursor:
            return cursor.execute(
                """
                select product_id, size, on_hand, state, opened, threshold
                from variant where account = %s and product_id = any(%s) order by product_id, size
                """,
                (self._account, list(products)),
            ).fetchall()

    def create(self, product: ProductId, name: str) -> None:
        """Make the product's row, dirty, unless it is there."""
        self._connection.execute(
            """
            insert into product (account, id, name, dirty_since, recover)
            select %s, %s, %s, now(), coalesce((
                select restored_at > now() - interval '30 days' from installation
            ), false)
            on conflict (account, id) do nothing
            """,
            (self._account, product, name),
        )

    def save_sizes(
        self,
        product: ProductId,
        states: Mapping[Size, str],
        *,
        opened: Iterable[Size],
    ) -> None:
        """Note how each size stands in Stripe, and which ones are adopted now."""
        self._connection.execute(
            """
            insert into variant (account, product_id, size, state, opened)
            select %s, %s, s.size, s.state, s.size = any(%s) from unnest(%s::text[], %s::text[]) s (size, state)
            on conflict (account, product_id, size) do update set
                state = excluded.state, opened = variant.opened or excluded.opened
            where variant.state <> excluded.state or (excluded.opened and not variant.opened)
            """,
            (self._account, product, list(opened), list(states.keys()), list(states.values())),
        )

    def set_state(self, product: ProductId, state: str, *, reason: str = "") -> None:
        """Put the product into `state` (tracked, untracked, quarantined, closed)."""
        self._connection.execute(
            """
            update product set state = %s, state_reason = %s
            where account = %s and id = %s and (state, state_reason) is distinct from (%s, %s)
            """,
            (state, reason, self._account, product, state, reason),
        )

    def next_version(self, product: ProductId) -> None:
        """Something was observed or written: whoever looked before must look again."""
        self._connection.execute(
            "update product set version = version + 1 where account = %s and id = %s",
            (self._account, product),
        )

    def look_again(self, products: Collection[ProductId]) -> None:
        """Have all of `products` looked at anew; nobody who looked before may call them clean."""
        self._connection.execute(
            """
            update product set dirty_since = coalesce(dirty_since, now()), version = version + 1
            where account = %s and id = any(%s)
            """,
            (self._account, list(products)),
        )

    def clean(self, products: Collection[ProductId]) -> frozenset[ProductId]:
        """Those of `products` that were looked at and do not wait for a sync."""
        rows = self._connection.execute(
            "select id from product where account = %s and id = any(%s) and dirty_since is null",
            (self._account, list(products)),
        )
        return frozenset(ProductId(row[0]) for row in rows)

    def mark_dirty(self, products: Collection[ProductId]) -> None:
        """Note that the metadata of `products` may differ from the ledger."""
        self._connection.execute(
            """
            update product set dirty_since = now()
            where account = %s and id = any(%s) and dirty_since is null
            """,
            (self._account, list(products)),
        )

    def set_recover(self, product: ProductId, *, recover: bool) -> None:
        """Note whether Stripe's event log has to be read for writes that a restored backup forgot."""
        self._connection.execute(
            "update product set recover = %s where account = %s and id = %s and recover <> %s",
            (recover, self._account, product, recover),
        )

    def taken_over(self, product: ProductId) -> None:
        """Stripe's numbers were taken over, as a person wanted."""
        self._connection.execute(
            "update product set take_over = false where account = %s and id = %s", (self._account, product)
        )

    def mark_clean(self, product: ProductId, *, name: str | None = None) -> None:
        """Note that metadata and ledger agreed, in the transaction that saw it; `name` as Stripe has it."""
        self._connection.execute(
            """
            update product set dirty_since = null, synced_at = now(), name = coalesce(%s, name)
            where account = %s and id = %s
            """,
            (name, self._account, product),
        )

    def is_dirty(self, product: ProductId) -> bool:
        """Whether the product waits for a sync; one that was never seen does."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            found = cursor.execute(
                "select dirty_since is not null from product where account = %s and id = %s",
                (self._account, product),
            ).fetchone()
            return found is None or bool(found)
