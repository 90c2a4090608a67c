"""SQL of what only people decide: taking quarantined products over, and going on after a restored backup."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.vocabulary import AccountKey, ProductId


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A product that is left alone until a person acts, and why."""

    id: ProductId
    name: str
    reason: str


def quarantined(connection: Connection[Any], account: AccountKey) -> list[Quarantined]:
    """The account's products in quarantine, by id."""
    with connection.cursor(row_factory=class_row(Quarantined)) as cursor:
        return cursor.execute(
            """
            select id, name, state_reason as reason from product
            where account = %s and state = 'quarantined' order by id
            """,
            (account,),
        ).fetchall()


def take_over(
    connection: Connection[Any], account: AccountKey, products: Collection[ProductId]
) -> set[ProductId]:
    """Have the next sync of each take Stripe's numbers for right; those that still were in quarantine."""
    rows = connection.execute(
        """
        update product set take_over = true, dirty_since = coalesce(dirty_since, now())
        where account = %s and id = any(%s) and state = 'quarantined' returning id
        """,
        (account, list(products)),
    )
    return {ProductId(row[0]) for row in rows}


def recover_all(connection: Connection[Any], account: AccountKey) -> list[ProductId]:
    """Have every product synced, after its event log was read for writes that a restored backup forgot; their ids."""
    rows = connection.execute(
        """
        update product set recover = true, dirty_since = coalesce(dirty_since, now())
        where account = %s returning id
        """,
        (account,),
    )
    return sorted(ProductId(row[0]) for row in rows)


def newest_known(connection: Connection[Any], account: AccountKey) -> datetime | None:
    """When this database last booked a sale or planned a write; None where it never did."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(
            """
            select greatest(
                (select max(booked_at) from sale where account = %(account)s),
                (select max(planned_at) from write where account = %(account)s)
            )
            """,
            {"account": account},
        ).fetchone()
