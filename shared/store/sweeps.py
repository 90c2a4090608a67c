"""SQL that finds work whose hint was lost, for the reconciler."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from shared.store.writes import EVENT_LATE
from shared.vocabulary import AccountKey, ProductId


def stale_dirty_products(
    connection: Connection[Any], older_than: float, limit: int
) -> list[tuple[AccountKey, ProductId]]:
    """The products that have waited for a sync for more than `older_than` seconds, longest first.

    What is in quarantine waits for a person, until one took it over or restored a backup.
    """
    rows = connection.execute(
        """
        select account, id from product
        where dirty_since < now() - make_interval(secs => %s)
            and (state in ('tracked', 'untracked') or (state = 'quarantined' and (take_over or recover)))
        order by dirty_since limit %s
        """,
        (older_than, limit),
    ).fetchall()
    return [(AccountKey(account), ProductId(product)) for account, product in rows]


def expect_events(connection: Connection[Any]) -> int:
    """Have those products synced whose writes landed and whose own events did not come; how many.

    Such an event may tell of an edit that the write trampled, so the sync looks for it in Stripe's event log.
    """
    return connection.execute(
        """
        update product set dirty_since = now()
        where dirty_since is null and state = 'tracked' and exists (
            select from write
            where write.account = product.account and write.product_id = product.id
                and landed and not digested and not looked_up and planned_at < now() - %s::interval
        )
        """,
        (EVENT_LATE,),
    ).rowcount
