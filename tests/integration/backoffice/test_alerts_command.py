from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest

from shared import clock
from shared.alerts import NewAlert, product_facts
from shared.database.pool import Database
from shared.store.alerts import Alerts
from shared.vocabulary import AlertKind, account_key
from tests.support.command import Command, stocksync

ACCOUNT = account_key(None, livemode=False)


@pytest.fixture
def command(database_url: str) -> Command:
    """Runs `stocksync alerts` on the test's database."""
    return partial(stocksync, "alerts", DATABASE_URL=database_url, COLUMNS="200")


@pytest.fixture
def ids(database: Database) -> list[int]:
    """Two open alerts."""
    news = [
        NewAlert(ACCOUNT, AlertKind.QUARANTINE, "prod_1", product_facts("prod_1", "Mug [red]")),
        NewAlert(ACCOUNT, AlertKind.JOB_FAILED, "recover", {"job": "recover"}),
    ]
    return database.run(lambda connection: Alerts(connection, ACCOUNT).raise_(news))


def listed(command: Command) -> dict[int, str]:
    """The state of each open alert."""
    return {one["id"]: one["state"] for one in json.loads(command("list", "--json").stdout)}


def test_alerts_are_shown_acknowledged_and_snoozed(command: Command, ids: list[int]) -> None:
    """A person sees what is open, says of one that it is seen to and of another that it can wait."""
    shown = command("list").stdout
    assert "Mug [red] (prod_1)" in shown
    assert shown.count("waits") == 2
    assert command("ack", str(ids[0])).returncode == 0
    snoozed = command("snooze", str(ids[1]), "--for", "3h", "--json")
    assert json.loads(snoozed.stdout)["snoozed"] == [ids[1]]
    assert listed(command) == {ids[0]: "acknowledged", ids[1]: "snoozed"}
    assert "acknowledged by" in command("list").stdout


def test_until_is_meant_in_the_shops_time_zone(command: Command, ids: list[int]) -> None:
    """A time without a zone is one on the shop's wall."""
    found = command("snooze", str(ids[0]), "--until", in_a_while(), "--json", TIME_ZONE="Pacific/Kiritimati")
    assert json.loads(found.stdout)["until"].endswith("+14:00")


def in_a_while() -> str:
    """A day within the next year."""
    return f"{clock.now() + timedelta(days=100):%Y-%m-%d}"


def test_what_is_not_open_is_named_and_nothing_changes(command: Command, ids: list[int]) -> None:
    """One id that is not open leaves all as they were; exit code 1."""
    for arguments in (("ack",), ("snooze", "--for", "1d")):
        ended = command(*arguments, str(ids[0]), "98765")
        assert ended.returncode == 1
        assert ended.stderr == "stocksync: no open alert: 98765; nothing was changed\n"
    assert set(listed(command).values()) == {"waits"}


def test_nothing_open_says_so(command: Command) -> None:
    """An empty list is a sentence for people and an empty list for machines."""
    assert command("list").stdout == "nothing is open\n"
    assert json.loads(command("list", "--json").stdout) == []
