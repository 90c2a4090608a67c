"""SQL of the low-stock thresholds of products and sizes: the back office writes, the stock worker reads."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from shared.vocabulary import AccountKey, ProductId, Size


def set_for_product(
    connection: Connection[Any], account: AccountKey, product: ProductId, threshold: int | None
) -> bool:
    """Give the product its own threshold in units, or None for the shop's; False where it was never seen."""
    cursor = connection.execute(
        "update product set threshold = %s where account = %s and id = %s", (threshold, account, product)
    )
    return cursor.rowcount == 1


def set_for_size(
    connection: Connection[Any], account: AccountKey, product: ProductId, size: Size, *, threshold: int | None
) -> bool:
    """Give one size its own threshold in units, or None for its product's; False where it was never seen."""
    cursor = connection.execute(
        "update variant set threshold = %s where account = %s and product_id = %s and size = %s",
        (threshold, account, product, size),
    )
    return cursor.rowcount == 1
