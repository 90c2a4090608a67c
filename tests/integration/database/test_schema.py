from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from shared.database.pool import Connection, Database

ACCOUNT = "self:test"


@pytest.fixture
def stocked(database: Database) -> Database:
    """A product `prod_1` with sizes S, M and L, none of them in stock."""
    with database.transaction() as connection:
        connection.execute("insert into product (account, id) values (%s, 'prod_1')", (ACCOUNT,))
        connection.execute(
            "insert into variant (account, product_id, size) select %s, 'prod_1', unnest(array['S', 'M', 'L'])",
            (ACCOUNT,),
        )
    return database


def move(connection: Connection, *lines: tuple[str, int, str], once: bool = False) -> int:
    """Book (size, delta, source key) lines in one statement; how many were new."""
    conflict = b" on conflict (source_key) do nothing" if once else b""
    sizes, deltas, keys = (list(column) for column in zip(*lines, strict=True))
    return connection.execute(
        b"insert into movement (account, product_id, size, delta, kind, source_key, actor)"
        b" select %s, 'prod_1', size, delta, 'sale', key, 'tests'"
        b" from unnest(%s::text[], %s::bigint[], %s::text[]) as line (size, delta, key)" + conflict,
        (ACCOUNT, sizes, deltas, keys),
    ).rowcount


def on_hand(database: Database) -> dict[str, int]:
    """Size -> units."""
    with database.transaction() as connection:
        return dict(connection.execute("select size, on_hand from variant").fetchall())


def write(connection: Connection, rev: int, state: str = "PENDING") -> None:
    """Plan write `rev` of the product."""
    connection.execute(
        "insert into write (account, product_id, rev, installation, idempotency_key, body, marker, target,"
        " base_marker, base_values, state)"
        " values (%s, 'prod_1', %s, 'tests', %s, '{}', '', '{}', '', '{}', %s)",
        (ACCOUNT, rev, f"key-{rev}", state),
    )


@pytest.mark.parametrize(
    "statement",
    [
        b"update movement set delta = 0",
        b"delete from movement",
        b"truncate movement",
        b"truncate movement cascade",
        b"""
        insert into movement (account, product_id, size, delta, kind, source_key, actor)
        values ('self:test', 'prod_1', 'S', 1, 'sale', 'one', 'x')
        on conflict (source_key) do update set delta = 9
        """,
    ],
)
def test_a_movement_never_changes(stocked: Database, statement: bytes) -> None:
    """Neither update, delete, truncate nor upsert alters the ledger, not even for its owner."""
    with stocked.transaction() as connection:
        move(connection, ("S", -1, "one"))
    with (
        pytest.raises(psycopg.errors.RaiseException, match="append-only"),
        stocked.transaction() as connection,
    ):
        connection.execute(statement)
    with stocked.transaction() as connection:
        assert connection.execute("select delta from movement").fetchall() == [(-1,)]


def test_the_balance_follows_a_statement_of_many_rows(stocked: Database) -> None:
    """Several lines of one variant in one statement all count."""
    with stocked.transaction() as connection:
        move(connection, ("S", 10, "a"), ("S", -3, "b"), ("M", 4, "c"), ("S", -2, "d"))
    assert on_hand(stocked) == {"S": 5, "M": 4, "L": 0}


def test_what_was_booked_before_moves_nothing(stocked: Database) -> None:
    """A doubled source key is skipped, its neighbours count, and the balance stays the sum of the ledger."""
    with stocked.transaction() as connection:
        assert move(connection, ("S", -1, "a"), ("M", -1, "b"), once=True) == 2
        assert move(connection, ("S", -1, "a"), ("L", -1, "c"), ("L", -1, "c"), once=True) == 1
    assert on_hand(stocked) == {"S": -1, "M": -1, "L": -1}


def test_an_undone_booking_moves_nothing(stocked: Database) -> None:
    """Ledger and balance are undone together."""

    def fail(connection: Connection) -> None:
        move(connection, ("S", -1, "a"))
        raise KeyError

    with pytest.raises(KeyError):
        stocked.run(fail)
    assert on_hand(stocked)["S"] == 0


def test_fault_25_fifty_at_once_book_one_sale_once(stocked: Database) -> None:
    """However many book the same source key at once, one of them does."""

    def book(_: int) -> int:
        return stocked.run(lambda connection: move(connection, ("S", -1, "sale:1"), once=True))

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(book, range(50))) == 1
    assert on_hand(stocked)["S"] == -1


def test_writers_of_several_variants_do_not_deadlock(stocked: Database) -> None:
    """Two statements that name the same variants in opposite orders wait for each other, but never for ever."""
    ready = threading.Barrier(2, timeout=20)

    def book(writer: int) -> None:
        sizes = ("S", "M", "L") if writer else ("L", "M", "S")
        ready.wait()
        for n in range(100):
            with stocked.transaction() as connection:
                move(connection, *[(size, 1, f"{writer}-{n}-{size}") for size in sizes])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(book, range(2)))
    assert on_hand(stocked) == {"S": 200, "M": 200, "L": 200}


def test_a_movement_needs_its_variant(stocked: Database) -> None:
    """A line whose balance would be kept nowhere is refused."""
    with pytest.raises(psycopg.errors.ForeignKeyViolation), stocked.transaction() as connection:
        move(connection, ("XXL", -1, "a"))


def test_a_product_has_one_pending_write(stocked: Database) -> None:
    """A second PENDING is refused until the first has left that state, and a revision is used once."""
    with stocked.transaction() as connection:
        write(connection, 1)
    with pytest.raises(psycopg.errors.UniqueViolation), stocked.transaction() as connection:
        write(connection, 2)
    with stocked.transaction() as connection:
        connection.execute("update write set state = 'APPLIED'")
        write(connection, 2)
    with pytest.raises(psycopg.errors.UniqueViolation), stocked.transaction() as connection:
        write(connection, 1, "APPLIED")


def test_there_is_one_installation(database: Database) -> None:
    """A database belongs to one installation, whose id fits into a marker."""
    with database.transaction() as connection:
        connection.execute("insert into installation (id) values ('one')")
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction() as connection:
        connection.execute("insert into installation (id) values ('two')")


def test_an_alert_is_open_once(database: Database) -> None:
    """One open alert for each kind and subject; a resolved one makes room for the next."""
    raise_it = (
        "insert into alert (account, kind, subject, facts) values ('self:test', 'low_stock', 'p/S', '{}')"
    )
    with database.transaction() as connection:
        connection.execute(raise_it)
    with pytest.raises(psycopg.errors.UniqueViolation), database.transaction() as connection:
        connection.execute(raise_it)
    with database.transaction() as connection:
        connection.execute("update alert set resolved_at = now()")
        connection.execute(raise_it)
