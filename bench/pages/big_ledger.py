"""A ledger that has kept a big shop for a year: products in three sizes and very many movements, most of them sales."""

from __future__ import annotations

from typing import Final

from shared.database.migrate import migrate
from shared.database.pool import Database

SIZES: Final = ("S", "M", "L")
AT_ONCE: Final = 25_000
OPENING: Final = 1_000_000  # units of each size, so that nothing runs out before it should

_PRODUCTS: Final = """
    insert into product (account, id, name, synced_at)
    select 'self:test', 'prod_bench' || lpad(n::text, 7, '0'), 'Shirt ' || n, now() from generate_series(1, %s::int) n
"""
_VARIANTS: Final = """
    insert into variant (account, product_id, size, opened)
    select p.account, p.id, s.size, true from product p, unnest(%s::text[]) s (size)
"""
_OPENINGS: Final = """
    insert into movement (account, product_id, size, delta, kind, source_key, actor, at)
    select v.account, v.product_id, v.size, %s, 'opening', 'open:' || v.product_id || ':' || v.size, 'stripe',
        now() - interval '366 days'
    from variant v
"""
# Number n is sold, spread over the products and over the year up to now; every fiftieth is a restock.
_MOVEMENTS: Final = """
    insert into movement (account, product_id, size, delta, kind, source_key, session_id, actor, at)
    select 'self:test', 'prod_bench' || lpad((n::bigint * 7919 %% %(products)s + 1)::text, 7, '0'),
        (%(sizes)s::text[])[n %% 3 + 1], case when n %% 50 = 0 then 40 else -1 end,
        case when n %% 50 = 0 then 'restock' else 'sale' end, 'bench:' || n,
        case when n %% 50 <> 0 then 'cs_bench_' || n end, case when n %% 50 = 0 then 'anna' else 'stripe' end,
        now() - interval '365 days' * (1 - n / %(movements)s::float8)
    from generate_series(%(first)s::int, %(last)s::int) n
"""
_SALES: Final = """
    insert into sale (account, session_id, origin, event_id, created_at, booked_at, lines, skipped)
    select account, session_id, case when mod(id, 500) = 0 then 'recovery' else 'webhook' end, 'evt_bench_' || id,
        at, at, 1, 0
    from movement where session_id is not null
"""
_DELIVERIES: Final = """
    insert into delivery (account, event_id, type, outcome, created_at, first_handled_at, arrived_at)
    select account, event_id, 'checkout.session.completed', 'done', created_at, booked_at, booked_at from sale
"""
# What is left of each size in the end: some of them low, some out.
_REST: Final = """
    insert into movement (account, product_id, size, delta, kind, source_key, actor, reason)
    select account, product_id, size, (hashtext(product_id || size) & 63) - on_hand, 'adjustment',
        'rest:' || product_id || ':' || size, 'anna', 'counted'
    from variant
"""
_WRITES: Final = """
    insert into write (account, product_id, rev, installation, idempotency_key, body, marker, target, base_marker,
        base_values, state, landed, digested, planned_at, settled_at)
    select account, id, n, 'bench', id || ':' || n, '{}', n::text, '{}', '', '{}', 'SETTLED', true, true,
        now() - interval '1 day' * n, now() - interval '1 day' * n + interval '1 second'
    from product, generate_series(1, 20) n
"""


def keep(address: str, products: int, movements: int) -> None:
    """Migrate the database and write the year down."""
    migrate(address)
    database = Database(address, name="stocksync bench", size=1)
    with database.transaction() as connection:
        connection.execute(_PRODUCTS, (products,))
        connection.execute(_VARIANTS, (list(SIZES),))
        connection.execute(_OPENINGS, (OPENING,))
    for first in range(1, movements + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, movements)
        with database.transaction() as connection:
            connection.execute("set local statement_timeout = '10min'")
            connection.execute(
                _MOVEMENTS,
                {
                    "products": products,
                    "sizes": list(SIZES),
                    "movements": movements,
                    "first": first,
                    "last": last,
                },
            )
    for statement in (_REST, _SALES, _DELIVERIES, _WRITES):
        with database.transaction() as connection:
            connection.execute("set local statement_timeout = '10min'")
            connection.execute(statement)
    with database.session() as connection:
        connection.execute("set statement_timeout = '10min'")
        connection.execute("vacuum analyze")
    database.close()
