"""SQL that finds work whose hint was lost: the reconciler reads, nobody writes."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from shared.vocabulary import AccountKey, ProductId


def stale_dirty_products(
    connection: Connection[Any], older_than: float, limit: int
) -> list[tuple[AccountKey, ProductId]]:
    """The products that have waited for a sync for more than `older_than` seconds, longest first."""
    rows = connection.execute(
        """
        select account, id from product
        where dirty_since < now() - make_interval(secs => %s) and state in ('tracked', 'untracked')
        order by dirty_since limit %s
        """,
        (older_than, limit),
    ).fetchall()
    return [(AccountKey(account), ProductId(product)) for account, product in rows]
