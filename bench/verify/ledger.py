"""A ledger that has adopted every product of the big shop."""

from __future__ import annotations

from typing import Final

from bench.verify.big_shop import SIZES, UNITS
from shared.database.migrate import migrate
from shared.database.pool import Database

AT_ONCE: Final = 5000

_PRODUCTS: Final = """
    insert into product (account, id, name, synced_at)
    select 'self:test', 'prod_bench' || lpad(n::text, 7, '0'), 'Shirt ' || n, now()
    from generate_series(%s::int, %s::int) n
"""
_VARIANTS: Final = """
    insert into variant (account, product_id, size, opened)
    select p.account, p.id, s.size, true from product p, unnest(%s::text[]) s (size)
"""
_MOVEMENTS: Final = """
    insert into movement (account, product_id, size, delta, kind, source_key, actor)
    select v.account, v.product_id, v.size, s.units, 'opening',
        'open:' || v.account || ':' || v.product_id || ':' || v.size, 'stripe'
    from variant v join unnest(%s::text[], %s::int[]) s (size, units) on s.size = v.size
    where v.product_id >= %s and v.product_id < %s
"""
_KNOWN: Final = """
    insert into known_state (account, product_id, marker, units)
    select account, product_id, '', jsonb_object_agg(size, on_hand) from variant group by account, product_id
"""


def keep(address: str, products: int) -> None:
    """Migrate the database and adopt all."""
    migrate(address)
    database = Database(address, name="stocksync bench", size=2)
    sizes, units = list(SIZES), list(UNITS)
    with database.transaction() as connection:
        connection.execute(_PRODUCTS, (0, products - 1))
        connection.execute(_VARIANTS, (sizes,))
    for start in range(0, products, AT_ONCE):
        first, last = (f"prod_bench{number:07}" for number in (start, start + AT_ONCE))
        with database.transaction() as connection:
            connection.execute(_MOVEMENTS, (sizes, units, first, last))
    with database.transaction() as connection:
        connection.execute(_KNOWN)
    with database.session() as connection:
        connection.execute("analyze")
    database.close()
