from __future__ import annotations

import pytest

from shared.alerts import Sold
from shared.database.pool import Connection, Database
from shared.store.movements import sold_lately
from shared.store.products import Products
from shared.vocabulary import AccountKey, ProductId, Size

ACCOUNT, OTHER = AccountKey("self:test"), AccountKey("self:live")
MUG = ProductId("prod_mug")
M, L = (ACCOUNT, MUG, "M"), (ACCOUNT, MUG, "L")


def moved(connection: Connection, days_ago: float, delta: int, kind: str) -> None:
    """A movement of the mug in M, so long ago."""
    connection.execute(
        """
        insert into movement (account, product_id, size, delta, kind, source_key, actor, at)
        values (%s, %s, 'M', %s, %s, gen_random_uuid()::text, 'test', now() - make_interval(secs => %s))
        """,
        (ACCOUNT, MUG, delta, kind, days_ago * 86_400),
    )


def with_sizes(connection: Connection) -> None:
    Products(connection, ACCOUNT).create(MUG, "Mug")
    Products(connection, ACCOUNT).save_sizes(MUG, {Size("M"): "managed", Size("L"): "managed"}, opened=[])


def test_only_sales_of_the_last_weeks_count(database: Database) -> None:
    """Openings, restocks and older sales are no pace; what is asked for twice is told once."""
    with database.transaction() as connection:
        with_sizes(connection)
        moved(connection, 40, 100, "opening")
        moved(connection, 30, -50, "sale")
        moved(connection, 27, -3, "sale")
        moved(connection, 1, -4, "sale")
        moved(connection, 1, -9, "external")
        moved(connection, 1, 2, "oversold")
        assert sold_lately(connection, [M, M], days=28) == {M: Sold(7, 28)}


def test_a_young_size_is_as_old_as_its_ledger(database: Database) -> None:
    """The days of a size that is known for less than four weeks are its age; an unknown one is not told."""
    with database.transaction() as connection:
        with_sizes(connection)
        moved(connection, 5, 10, "opening")
        moved(connection, 2, -6, "sale")
        found = sold_lately(connection, [M, L, (OTHER, MUG, "M"), ("", "", "")], days=28)
    assert set(found) == {M}
    assert found[M].units == 6
    assert found[M].days == pytest.approx(5, abs=0.01)


def test_nothing_asked_nothing_told(database: Database) -> None:
    """A digest without stock asks for nothing."""
    with database.transaction() as connection:
        assert sold_lately(connection, [], days=28) == {}


def test_the_sum_is_read_from_an_index(database: Database) -> None:
    """Of a size with many sales only those of the weeks in question are read."""
    with database.transaction() as connection:
        with_sizes(connection)
        connection.execute(
            """
            insert into movement (account, product_id, size, delta, kind, source_key, actor, at)
            select %s, %s, 'M', -1, 'sale', 's' || n, 'test', now() - make_interval(hours => n)
            from generate_series(1, 5000) n
            """,
            (ACCOUNT, MUG),
        )
    with database.session() as connection:
        connection.execute("analyze movement")
        connection.execute("set plan_cache_mode = force_generic_plan")
        plan = connection.execute(
            """
            explain select sum(-m.delta) from movement m
            where m.account = %s and m.product_id = %s and m.size = %s
                and m.kind = 'sale' and m.at > now() - make_interval(days => 28)
            """,
            M,
        ).fetchall()
        assert any("Index Cond" in row[0] and "at > " in row[0] for row in plan)
        assert sold_lately(connection, [M], days=28)[M].units in {671, 672}
