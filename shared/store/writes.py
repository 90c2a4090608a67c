"""SQL of writes to Stripe and of the states known under their markers: the stock worker writes; others read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from shared.database.errors import DatabaseOutage
from shared.vocabulary import AccountKey, ProductId
from shared.writes import Units, Write, WriteState

EVENT_LATE: Final = "10 minutes"
"""How long a write's own event may take before it is looked for in Stripe's event log."""

KEPT_BY_STRIPE: Final = "20 hours"
"""How long a write may be sent again; Stripe keeps idempotency keys for at least 24 hours."""


_SELECT: Final = """
    select account, product_id as product, rev, installation, idempotency_key as key, body, marker, target,
        base_marker, base_values, landed, digested, planned_at < now() - %s::interval as expired
    from write
"""


class Superseded(DatabaseOutage):
    """The database goes on under another installation id than this process knows: it has to start anew."""


@dataclass(frozen=True, slots=True)
class Revs:
    """The highest rev ever planned and the highest seen landed (0: none), and whether the event log may tell more."""

    highest: int
    landed: int
    unexplained: bool


@dataclass(frozen=True, slots=True)
class Writes:
    """An account's writes to Stripe and known states, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def hold_installation(self, installation: str) -> None:
        """Keep the database's id from changing until the transaction ends; raises Superseded where it is another."""
        row = self._connection.execute("select id from installation for share").fetchone()
        if row is not None and row[0] != installation:
            raise Superseded("`stocksync restored` was run: stock workers that ran before must start anew")

    def pending(self, product: ProductId) -> Write | None:
        """The product's write that may still execute."""
        with self._connection.cursor(row_factory=class_row(Write)) as cursor:
            return cursor.execute(
                f"{_SELECT} where account = %s and product_id = %s and state = 'PENDING'",
                (KEPT_BY_STRIPE, self._account, product),
            ).fetchone()

    def by_key(self, key: str) -> Write | None:
        """The write with this idempotency key."""
        with self._connection.cursor(row_factory=class_row(Write)) as cursor:
            return cursor.execute(f"{_SELECT} where idempotency_key = %s", (KEPT_BY_STRIPE, key)).fetchone()

    def by_marker(self, marker: str) -> Write | None:
        """The account's write with this marker, of whatever product."""
        with self._connection.cursor(row_factory=class_row(Write)) as cursor:
            return cursor.execute(
                f"{_SELECT} where account = %s and marker = %s", (KEPT_BY_STRIPE, self._account, marker)
            ).fetchone()

    def insert(self, write: Write) -> None:
        """Commit to `write` before its POST."""
        self._insert(write, WriteState.PENDING)

    def _insert(self, write: Write, state: WriteState) -> None:
        self._connection.execute(
            """
            insert into write (account, product_id, rev, installation, idempotency_key, body, marker, target,
                               base_marker, base_values, state, planned_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, case when %s then now() else 'epoch' end)
            """,
            (
                write.account,
                write.product,
                write.rev,
                write.installation,
                write.key,
                json.dumps(dict(write.body)),
                write.marker,
                Jsonb(dict(write.target)),
                write.base_marker,
                Jsonb(dict(write.base_values)),
                state.value,
                state is WriteState.PENDING,
            ),
        )

    def reconstruct(self, write: Write) -> None:
        """Keep a write that this database forgot: Stripe's event log says that it executed."""
        self._insert(write, WriteState.APPLIED)

    def leave_pending(self, write: Write, state: WriteState, answer: str) -> bool:
        """Move a PENDING write on; whether it still was PENDING."""
        return (
            self._connection.execute(
                """
                update write set state = %s, landed = landed or %s, answer = %s, settled_at = now()
                where account = %s and product_id = %s and rev = %s and state = 'PENDING'
                """,
                (
                    state.value,
                    state is WriteState.APPLIED,
                    answer[:200],
                    write.account,
                    write.product,
                    write.rev,
                ),
            ).rowcount
            == 1
        )

    def mark_landed(self, write: Write) -> None:
        """Note that the write's marker was seen in Stripe."""
        self._connection.execute(
            "update write set landed = true where account = %s and product_id = %s and rev = %s",
            (write.account, write.product, write.rev),
        )

    def revs(self, product: ProductId) -> Revs:
        """Where the product's revs stand."""
        with self._connection.cursor(row_factory=class_row(Revs)) as cursor:
            found = cursor.execute(
                """
                select coalesce((
                        select rev from write where account = %(account)s and product_id = %(product)s
                        order by rev desc limit 1
                    ), 0) as highest,
                    coalesce((
                        select rev from write where account = %(account)s and product_id = %(product)s and landed
                        order by rev desc limit 1
                    ), 0) as landed,
                    exists (
                        select from write where account = %(account)s and product_id = %(product)s
                            and not digested and not looked_up and (landed or state = 'SETTLED')
                            and (not landed or planned_at < now() - %(late)s::interval)
                    ) as unexplained
                """,
                {"account": self._account, "product": product, "late": EVENT_LATE},
            ).fetchone()
            return found or Revs(0, 0, unexplained=False)

    def last_known(self, product: ProductId, marker: str) -> Units | None:
        """K(marker).last: the values last seen under `marker` ('' for none)."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select units from known_state where account = %s and product_id = %s and marker = %s
                order by id desc limit 1
                """,
                (self._account, product, marker),
            ).fetchone()

    def append_known(self, product: ProductId, marker: str, *, units: Units) -> None:
        """K(marker).append(units)."""
        self._connection.execute(
            "insert into known_state (account, product_id, marker, units) values (%s, %s, %s, %s)",
            (self._account, product, marker, Jsonb(dict(units))),
        )

    def since_last(self, product: ProductId) -> float | None:
        """Seconds since the product's last write was planned; None where there was none."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(
                """
                select extract(epoch from now() - planned_at)::float8 from write
                where account = %s and product_id = %s order by rev desc limit 1
                """,
                (self._account, product),
            ).fetchone()
