"""SQL of what was imported at once: the back office writes and reads.

A batch is found again by the ledger's own source keys: each names its batch, and a partial index holds that name of
imports alone. So there is no second record that could differ from the ledger, sales pay nothing for it, and the
ledger is never scanned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from shared.vocabulary import AccountKey, ProductId, Size


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import added to, or took from, one size."""

    product: ProductId
    size: Size
    delta: int
    source_key: str


def source_key(batch: str, account: AccountKey, product: ProductId, size: Size) -> str:
    """The key of the one movement that a batch makes of a size."""
    return f"import:{batch}:{account}:{product}:{size}"


def opposite(key: str) -> str:
    """The source key of the movement that takes the one under `key` back."""
    return f"undo:{key}"


@dataclass(frozen=True, slots=True)
class Imports:
    """An account's imports, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def batch(self, batch: str) -> list[Imported]:
        """All that the batch changed, by product and size; empty where there was none."""
        with self._connection.cursor(row_factory=class_row(Imported)) as cursor:
            return cursor.execute(
                """
                select product_id as product, size, delta, source_key from movement
                where starts_with(source_key, 'import:') and split_part(source_key, ':', 2) = %s and account = %s
                order by product_id, size
                """,
                (batch, self._account),
            ).fetchall()

    def undone(self, change: Imported) -> tuple[datetime, str] | None:
        """When and by whom `change` was taken back, and all of its batch with it; None where it was not."""
        row = self._connection.execute(
            "select at, actor from movement where source_key = %s", (opposite(change.source_key),)
        ).fetchone()
        return (row[0], str(row[1])) if row else None
