"""Writing a history into a ledger: products with sizes, and movements at times of their own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.database.pool import Database
from shared.store.products import Products
from shared.vocabulary import AccountKey, MovementKind, ProductId, Size

ACCOUNT = AccountKey("self:test")


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement of the past."""

    product: ProductId
    size: Size
    delta: int
    kind: MovementKind
    at: datetime
    session: str | None = None


def create(database: Database, products: Mapping[ProductId, str], sizes: Sequence[str] = ("",)) -> None:
    """Products by name, each in all of these sizes."""
    managed = {Size(size): "managed" for size in sizes}
    with database.transaction() as connection:
        known = Products(connection, ACCOUNT)
        for product, name in products.items():
            known.create(product, name)
            known.save_sizes(product, managed, opened=list(managed))
            known.mark_clean(product, name=name)


def append(database: Database, entries: Sequence[Entry]) -> None:
    """Movements, in this order."""
    with database.transaction() as connection, connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into movement (account, product_id, size, delta, kind, source_key, session_id, actor, at)
            values (%s, %s, %s, %s, %s, %s, %s, 'stripe', %s)
            """,
            [
                (ACCOUNT, e.product, e.size, e.delta, e.kind.value, uuid.uuid4().hex, e.session, e.at)
                for e in entries
            ],
        )
