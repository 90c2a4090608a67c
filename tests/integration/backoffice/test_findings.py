from __future__ import annotations

import json
from functools import partial

import pytest

from services.backoffice.operations import findings as operations
from shared.database.pool import Database
from shared.findings import WORDS, Cause, NewFinding
from shared.store.findings import Findings, retell
from shared.vocabulary import ProductId, Size, account_key
from tests.support.command import Command, stocksync

ACCOUNT = account_key(None, livemode=False)


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync findings` on the test's database."""
    return partial(stocksync, "findings", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def found(database: Database) -> list[int]:
    """Two findings that people were told of."""
    with database.transaction() as connection:
        numbers = Findings(connection, ACCOUNT).see(
            [
                NewFinding(
                    Cause.NOT_A_NUMBER, ProductId("prod_1"), Size("S"), "Shirt [x]", "it shows “3 pcs”"
                ),
                NewFinding(Cause.MARKER_FOREIGN, ProductId("prod_2"), name="Mug"),
            ]
        )
        assert retell(connection, ACCOUNT, news=True)
    return numbers


def open_alerts(database: Database) -> list[list[dict[str, int]]]:
    """The counts of the open alerts."""
    with database.transaction() as connection:
        rows = connection.execute("select facts->'counts' from alert where resolved_at is null")
        return [row[0] for row in rows]


def test_the_list_says_what_happened_and_what_to_do(command: Command, found: list[int]) -> None:
    """Every open finding is shown with its cause in words, what to do first, and the one command."""
    shown = command("list")
    assert shown.returncode == 0
    assert "Shirt [x]" in shown.stdout
    assert "not a plain whole number" in shown.stdout
    assert "stocksync takeover prod_2" in shown.stdout
    words = " ".join(shown.stdout.split())
    assert "Type a plain number" in words
    assert "To mend it:" in words
    listed = json.loads(command("list", "--json").stdout)
    assert sorted(one["id"] for one in listed) == sorted(found)
    assert {one["purpose"] for one in listed} == {"To mend it", "To have it looked at again"}
    assert {one["command"] for one in listed} == {"stocksync jobs run verify", "stocksync takeover prod_2"}


@pytest.mark.usefixtures("found")
def test_the_alert_holds_what_to_do_first(database: Database) -> None:
    """What the mail tells of each is the same as what the list shows."""
    with database.transaction() as connection:
        ((told,),) = connection.execute(
            "select facts->'findings' from alert where resolved_at is null"
        ).fetchall()
    assert [one["first"] for one in told] == [
        WORDS[cause].first for cause in (Cause.NOT_A_NUMBER, Cause.MARKER_FOREIGN)
    ]
    assert [one["purpose"] for one in told] == ["To have it looked at again", "To mend it"]


def test_what_is_acknowledged_stays_and_is_told_no_more(
    command: Command, database: Database, found: list[int]
) -> None:
    """An acknowledged finding is still listed, but the alert tells only of the others, and ends with the last."""
    assert command("ack", str(found[0])).returncode == 0
    assert [[one["findings"] for one in counts] for counts in open_alerts(database)] == [[1]]
    assert json.loads(command("ack", "--json", str(found[1])).stdout) == {"acknowledged": [found[1]]}
    assert open_alerts(database) == []
    assert {one["state"] for one in json.loads(command("list", "--json").stdout)} == {"acknowledged"}


def test_what_is_resolved_is_over_and_can_be_found_anew(
    command: Command, database: Database, found: list[int]
) -> None:
    """A resolved finding leaves the list and is shown with --all; seen again it is a new one."""
    assert command("resolve", "--how", "typed 3", *map(str, found)).returncode == 0
    assert "nothing is wrong" in command("list").stdout
    assert open_alerts(database) == []
    kept = operations.found(database, ACCOUNT, operations.EVERY, 10)
    assert {(one.state, one.resolution) for one in kept} == {("resolved", "typed 3")}
    with database.transaction() as connection:
        again = Findings(connection, ACCOUNT).see([NewFinding(Cause.MARKER_FOREIGN, ProductId("prod_2"))])
    assert not set(again) & set(found)
    assert command("list", "--all").stdout.count("resolved") == 2


def test_a_number_that_is_none_changes_nothing(
    command: Command, database: Database, found: list[int]
) -> None:
    """Where one of the numbers is unknown, none of the others is acknowledged, and the error names it."""
    wrong = command("ack", str(found[0]), "999")
    assert wrong.returncode == 1
    assert {one.state for one in operations.found(database, ACCOUNT, operations.EVERY, 10)} == {"open"}
