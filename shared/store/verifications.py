"""SQL of what a verification reads of the ledger: the reconciler reads; the stock worker keeps its looks here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from shared.storable import storable, storable_text
from shared.verification import Balance, Known, KnownState, Listed, Look, from_json, to_json
from shared.vocabulary import AccountKey, ProductId, Size

LOOKS_KEPT: Final = "2 days"

_KNOWN: Final = """
    select l.product_id, coalesce(p.state, ''), w.product_id, coalesce(w.rev, 0),
        coalesce((
            select x.rev from write x
            where x.account = %(account)s and x.product_id = l.product_id and x.landed
                and coalesce(x.settled_at, x.planned_at) <= %(since)s
            order by x.rev desc limit 1
        ), 0),
        coalesce((
            select jsonb_agg(jsonb_build_array(k.units, k.at > %(since)s) order by k.id)
            from known_state k
            where k.account = %(account)s and k.product_id = l.product_id and k.marker = l.marker
        ), '[]'),
        coalesce((
            select k.units from known_state k
            where k.account = %(account)s and k.product_id = l.product_id and k.marker = coalesce((
                select x.marker from write x
                where x.account = %(account)s and x.product_id = l.product_id and x.landed
                order by x.rev desc limit 1
            ), '')
            order by k.id desc limit 1
        ), '{}'),
        coalesce((
            select jsonb_object_agg(v.size, jsonb_build_array(v.on_hand, (
                select coalesce(sum(m.delta), 0) from movement m
                where m.account = v.account and m.product_id = v.product_id and m.size = v.size
            ), v.state, v.opened))
            from variant v where v.account = %(account)s and v.product_id = l.product_id
        ), '{}'),
        p.dirty_since is null and not p.take_over and not p.recover and not exists (
            select from write x
            where x.account = %(account)s and x.product_id = l.product_id and x.state = 'PENDING'
        )
    from unnest(%(products)s::text[], %(markers)s::text[]) l (product_id, marker)
    left join product p on p.account = %(account)s and p.id = l.product_id
    left join lateral (
        select y.product_id, y.rev from write y
        where y.account = %(account)s and y.marker = l.marker and l.marker <> ''
        order by y.product_id = l.product_id desc limit 1
    ) w on true
"""
"""What the ledger knows of listed products, in one statement: so all of it is of one moment."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A product whose write or sync has waited for `seconds`."""

    product: ProductId
    name: str
    pending: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Verifications:
    """What is known of an account's products, over one connection."""

    _connection: Connection[Any]
    _account: AccountKey

    def known(self, page: Sequence[Listed], since: datetime) -> dict[ProductId, Known]:
        """What the ledger knows of each listed product, at one moment; `since` is when the pass began."""
        rows = self._connection.execute(
            _KNOWN,
            {
                "account": self._account,
                "since": since,
                "products": [listed.product for listed in page],
                "markers": [storable_text(listed.marker) for listed in page],
            },
        )
        return {ProductId(row[0]): _known(row[1:]) for row in rows}

    def disturb(self, shown: Listed) -> None:
        """Spoil what is known under the product's marker, one unit too many of each size, as if from before the pass.

        Only inside a transaction that is taken back.
        """
        wrong = {str(size): units + 1 for size, units in shown.sheet.units.items()}
        self._connection.execute(
            """
            insert into known_state (account, product_id, marker, units, at)
            values (%s, %s, %s, %s, '-infinity')
            """,
            (self._account, shown.product, storable_text(shown.marker), Jsonb(storable(wrong))),
        )

    def others(self, after: ProductId, limit: int) -> list[ProductId]:
        """The products that ought to be in Stripe, by id, from the one that follows `after`."""
        rows = self._connection.execute(
            "select id from product where account = %s and id > %s and state <> 'closed' order by id limit %s",
            (self._account, after, limit),
        )
        return [ProductId(row[0]) for row in rows]

    def stuck(self, older_than: float) -> list[Stuck]:
        """Products whose write is pending, or that wait for a sync, for more than `older_than` seconds."""
        rows = self._connection.execute(
            """
            select p.id, p.name, w.planned_at is not null,
                extract(epoch from now() - least(w.planned_at, p.dirty_since))::float8
            from product p left join write w
                on w.account = p.account and w.product_id = p.id and w.state = 'PENDING'
            where p.account = %s and least(w.planned_at, p.dirty_since) < now() - make_interval(secs => %s)
                and (p.state in ('tracked', 'untracked') or p.take_over or p.recover)
            order by p.id
            """,
            (self._account, older_than),
        )
        return [Stuck(ProductId(row[0]), *row[1:]) for row in rows]

    def dirty(self, products: Sequence[ProductId]) -> int:
        """How many of `products` wait for a sync; one that was never seen does."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                """
                select count(*) from unnest(%s::text[]) wanted (id) where not exists (
                    select from product p
                    where p.account = %s and p.id = wanted.id and p.dirty_since is null
                )
                """,
                (list(products), self._account),
            )
            return cursor.fetchall()[0]

    def keep_look(self, check: str, product: ProductId, look: int, seen: Look) -> None:
        """Keep what a look saw; the first of two answers stands."""
        self._connection.execute(
            """
            insert into product_look (account, check_id, product_id, look, seen) values (%s, %s, %s, %s, %s)
            on conflict do nothing
            """,
            (self._account, check, product, look, Jsonb(storable(to_json(seen)))),
        )

    def looks(self, check: str, look: int) -> dict[ProductId, Look]:
        """What look number `look` of a check saw, by product."""
        rows = self._connection.execute(
            "select product_id, seen from product_look where account = %s and check_id = %s and look = %s",
            (self._account, check, look),
        )
        return {ProductId(row[0]): from_json(row[1]) for row in rows}

    def answered(self, check: str, look: int) -> int:
        """How many products were looked at."""
        with self._connection.cursor(row_factory=scalar_row) as cursor:
            cursor.execute(
                "select count(*) from product_look where account = %s and check_id = %s and look = %s",
                (self._account, check, look),
            )
            return cursor.fetchall()[0]

    def forget_looks(self, check: str) -> None:
        """Drop the looks of a check that is over, and what others left behind."""
        self._connection.execute(
            "delete from product_look where (account = %s and check_id = %s) or at < now() - %s::interval",
            (self._account, check, LOOKS_KEPT),
        )


def _known(row: Sequence[Any]) -> Known:
    state, owner, rev, landed, states, published, balances, at_rest = row
    return Known(
        state=state,
        owner=None if owner is None else ProductId(owner),
        rev=rev,
        landed_before=landed,
        states=tuple(KnownState({Size(s): n for s, n in units.items()}, late) for units, late in states),
        published={Size(size): units for size, units in published.items()},
        balances={Size(size): Balance(int(b[0]), int(b[1]), b[2], b[3]) for size, b in balances.items()},
        at_rest=bool(at_rest),
    )
