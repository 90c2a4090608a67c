"""SQL of what Stripe's event log tells of our own writes: which events were seen, and from where on there are more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from shared.store.writes import EVENT_LATE
from shared.vocabulary import AccountKey, ProductId
from shared.writes import Write


@dataclass(frozen=True, slots=True)
class Tail:
    """Whether own events of writes are `owed`, and when the last write before them executed (None: not known)."""

    owed: bool
    since: datetime | None


@dataclass(frozen=True, slots=True)
class OwnEvents:
    """The own events of an account's writes, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def mark_digested(self, write: Write, executed_at: datetime) -> None:
        """Note that the write's own event was seen, and that Stripe made it at `executed_at`."""
        self._connection.execute(
            """
            update write set landed = true, digested = true, executed_at = %s
            where account = %s and product_id = %s and rev = %s
            """,
            (executed_at, write.account, write.product, write.rev),
        )

    def mark_looked_up(self, product: ProductId) -> None:
        """Note that what the event log might explain was looked up there, found or not."""
        self._connection.execute(
            """
            update write set looked_up = true
            where account = %s and product_id = %s and not looked_up and not digested
                and (state = 'SETTLED' or (landed and planned_at < now() - %s::interval))
            """,
            (self._account, product, EVENT_LATE),
        )

    def undigested_before(self, write: Write) -> bool:
        """Whether an earlier write of the product landed and its own event was not digested yet."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return bool(
                cursor.execute(
                    """
                    select exists (
                        select from write where account = %s and product_id = %s and rev < %s
                            and landed and not digested
                    )
                    """,
                    (write.account, write.product, write.rev),
                ).fetchone()
            )

    def tail(self, product: ProductId) -> Tail:
        """How much of the event log holds the own events of writes that were not seen yet, and what came between."""
        with self._connection.cursor(row_factory=class_row(Tail)) as cursor:
            found = cursor.execute(
                """
                select owed.rev is not null as owed, (
                        select executed_at from write
                        where account = %(account)s and product_id = %(product)s and digested
                            and (owed.rev is null or rev < owed.rev)
                        order by rev desc limit 1
                    ) as since
                from (
                    select min(rev) as rev from write where account = %(account)s and product_id = %(product)s
                        and not digested and (landed or (state = 'SETTLED' and not looked_up))
                ) owed
                """,
                {"account": self._account, "product": product},
            ).fetchone()
            return found or Tail(owed=False, since=None)

    def log_since(self, product: ProductId, *, restored: bool = False) -> datetime:
        """From when on Stripe's event log may tell something about the product that is not known here yet.

        After a restored backup that is everything since the newest write that this database knows of.
        """
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            found = cursor.execute(
                """
                select least(
                    (
                        select min(planned_at) - interval '10 minutes' from write
                        where account = %(account)s and product_id = %(product)s
                            and ((landed and not digested) or (state = 'SETTLED' and not looked_up))
                    ),
                    now() - interval '3 days',
                    case when %(restored)s then coalesce(
                        (
                            select max(planned_at) - interval '1 hour' from write
                            where account = %(account)s and installation = any((
                                select former from installation
                            )::text[])
                        ),
                        now() - interval '30 days'
                    ) end
                )
                """,
                {"account": self._account, "product": product, "restored": restored},
            ).fetchone()
            return cast("datetime", found)
