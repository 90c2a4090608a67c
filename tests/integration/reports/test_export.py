from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from threading import Timer

import pytest

from services.backoffice.operations.reports.export import Wanted, export
from services.backoffice.operations.reports.products import Unclear
from shared import clock
from shared.database.pool import Connection
from shared.store.movement_feed import Horizon, MovementFeed
from shared.store.movements import Movements
from shared.vocabulary import Movement, MovementKind, ProductId, Size
from tests.integration.reports.conftest import Place
from tests.integration.reports.ledger import Entry, append, create
from tests.integration.stock_worker.shop import ACCOUNT
from tests.support.command import Command

NOW = clock.now()
MUG, CAP = ProductId("prod_mug"), ProductId("prod_cap")
PLAIN = Size("")


@pytest.fixture(scope="module", autouse=True)
def entries(place: Place) -> list[Entry]:
    """Five thousand sales of two products, one every minute until now."""
    create(place.shop.database, {MUG: "Mug", CAP: "=Cap"})
    made = [
        Entry((MUG, CAP)[n % 2], PLAIN, -1, MovementKind.SALE, NOW - timedelta(minutes=5000 - n), f"cs_{n}")
        for n in range(5000)
    ]
    append(place.shop.database, made)
    return made


def ids(place: Place, wanted: Wanted) -> list[int]:
    """The ids of an export."""
    return [movement.id for movement in export(place.ledger, wanted)]


def all_ids(place: Place) -> list[int]:
    """Every id in the ledger."""
    with place.shop.database.transaction() as connection:
        return [int(row[0]) for row in connection.execute("select id from movement order by id")]


def test_everything_is_exported_in_order(place: Place) -> None:
    """Every movement comes once, by id."""
    assert ids(place, Wanted()) == all_ids(place)


def test_an_export_goes_on_where_one_ended(place: Place) -> None:
    """What was cut off after any movement is completed by --after, nothing doubled, nothing left out."""
    whole = all_ids(place)
    for cut in (1, 1999, 2000, 2001, 4999, 5000):
        first = [movement.id for movement in islice(export(place.ledger, Wanted()), cut)]
        assert first + ids(place, Wanted(after=first[-1])) == whole


def test_a_moment_limits_the_export(place: Place) -> None:
    """Movements since a moment come, older ones don't; none is no error."""
    assert len(ids(place, Wanted(since=NOW - timedelta(minutes=100)))) == 100
    assert ids(place, Wanted(since=NOW + timedelta(minutes=1))) == []


def test_the_command_writes_the_documented_schema(command: Command) -> None:
    """JSON lines hold every field as it is; in CSV the same fields stand, and numbers stay numbers."""
    since = (NOW - timedelta(minutes=2, seconds=30)).isoformat()
    answer = command("export", "--since", since)
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(lines) == 2
    assert lines[0] | {"id": 0, "source_key": ""} == {
        "schema": "stocksync.movement/1",
        "id": 0,
        "at": (NOW - timedelta(minutes=2)).isoformat(),
        "account": "self:test",
        "product": MUG,
        "size": "",
        "delta": -1,
        "kind": "sale",
        "source_key": "",
        "session": "cs_4998",
        "event": None,
        "actor": "stripe",
        "reason": "",
    }
    table = command("export", "--after", str(lines[0]["id"]), "--format", "csv").stdout
    assert table.startswith(",".join(lines[0]) + "\r\n")
    assert table.count("\r\n") == 2
    assert f",{CAP},,-1,sale," in table


@pytest.fixture
def pair(place: Place) -> Iterator[tuple[Connection, Connection]]:
    """Two connections for two writers."""
    with place.shop.database.session() as one, place.shop.database.session() as other:
        yield one, other


def sell(connection: Connection, product: ProductId, key: str) -> None:
    """One more sale, in whatever transaction the connection is in."""
    movement = Movement(ACCOUNT, product, PLAIN, -1, MovementKind.SALE, key)
    assert Movements(connection, ACCOUNT).append([movement]) == {key}


def test_commits_in_the_other_order_lose_nothing(place: Place, pair: tuple[Connection, Connection]) -> None:
    """While a smaller id is uncommitted the horizon stays below it, and the export waits; then both come."""
    early, late = pair
    horizon, before = Horizon(), all_ids(place)[-1]
    with place.shop.database.session() as reader:
        assert horizon.advance(reader) == before
        with early.transaction():
            sell(early, MUG, "early")
            with late.transaction():
                sell(late, CAP, "late")
            # The control: whoever goes by what is seen skips the uncommitted one.
            seen = MovementFeed(reader, ACCOUNT).between(before, 10**9, limit=10)
            assert [one.source_key for one in seen] == ["late"]
            assert [horizon.advance(reader) for _ in range(3)] == [before] * 3
            with pytest.raises(Unclear, match="try again later"):
                list(export(place.ledger, Wanted(after=before), patience=0.2))
        upto = horizon.advance(reader)
        both = MovementFeed(reader, ACCOUNT).between(before, upto, limit=10)
    assert [one.source_key for one in both] == ["early", "late"]


def test_the_export_waits_for_writers(place: Place, pair: tuple[Connection, Connection]) -> None:
    """An export that begins while a smaller id is uncommitted has it, once its writer is through."""
    early, late = pair
    before = all_ids(place)[-1]
    early.execute("begin")
    sell(early, MUG, "slow")
    with late.transaction():
        sell(late, CAP, "quick")
    commit = Timer(0.5, lambda: early.execute("commit"))
    commit.start()
    found = [movement.source_key for movement in export(place.ledger, Wanted(after=before))]
    commit.join()
    assert found == ["slow", "quick"]


def test_a_rolled_back_id_is_a_gap(place: Place, pair: tuple[Connection, Connection]) -> None:
    """An id that was taken and given up holds nobody up."""
    early, late = pair
    before = all_ids(place)[-1]
    early.execute("begin")
    sell(early, MUG, "never")
    with late.transaction():
        sell(late, CAP, "after all")
    early.execute("rollback")
    found = [movement.source_key for movement in export(place.ledger, Wanted(after=before), patience=5)]
    assert found == ["after all"]


def test_a_number_comes_before_an_id(pair: tuple[Connection, Connection]) -> None:
    """A transaction that is about to insert has its number before any id is taken, as the horizon relies on."""
    early, _ = pair
    with early.transaction():
        row = early.execute("select pg_current_xact_id_if_assigned() is null").fetchone()
        assert row == (True,)
        early.execute(
            "insert into movement (account, product_id, size, delta, kind, source_key, actor)"
            " select account, product_id, size, delta, kind, source_key, actor from movement where false"
        )
        row = early.execute("select pg_current_xact_id_if_assigned() is null").fetchone()
        assert row == (False,)
