from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from services.stripe_simulator.simulator import Simulator
from shared.database.embedded import EmbeddedPostgres
from shared.database.pool import Database
from shared.settings import child_environment
from shared.store import installations
from shared.store.products import Products
from shared.vocabulary import ProductId, Size, account_key
from tests.support.command import UNSET, Command, Ended, stocksync
from tests.support.postgres import home_folder

ACCOUNT = account_key(None, livemode=False)
PRODUCT = ProductId("prod_1")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """An embedded PostgreSQL for this module."""
    with home_folder() as home, EmbeddedPostgres(home) as address:
        yield address


@pytest.fixture
def command(dsn: str) -> Command:
    """Runs `stocksync` on that database, migrated."""
    run = partial(stocksync, DATABASE_URL=dsn)
    assert run("migrate").returncode == 0
    return run


@pytest.fixture
def database(dsn: str, command: Command) -> Iterator[Database]:
    """The same database, migrated, with one product in size M."""
    assert command
    opened = Database(dsn)
    with opened.transaction() as connection:
        Products(connection, ACCOUNT).create(PRODUCT, "Shirt")
        Products(connection, ACCOUNT).save_sizes(PRODUCT, {Size("M"): "managed"}, opened=[Size("M")])
    yield opened
    opened.close()


def _thresholds(database: Database) -> tuple[int | None, int | None]:
    with database.transaction() as connection:
        product = Products(connection, ACCOUNT).lock(PRODUCT)
        (variant,) = Products(connection, ACCOUNT).variants([PRODUCT])
    assert product is not None
    return product.threshold, variant.threshold


@pytest.mark.parametrize("arguments", [["migrate"], ["threshold", PRODUCT, "-1"]], ids=["well", "wrong"])
def test_what_tests_run_is_what_people_start(command: Command, dsn: str, arguments: list[str]) -> None:
    """A command that is forked from a waiting process says, and ends with, what one that is started anew does."""
    started = subprocess.run(
        [sys.executable, "-m", "services.backoffice", *arguments],
        env=child_environment(**{**UNSET, "DATABASE_URL": dsn}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert command(*arguments) == Ended(started.returncode, started.stdout, started.stderr)


def test_without_a_key_another_modes_ledger_is_not_taken_for_an_empty_one(
    database_url: str,
) -> None:
    """Where only live mode's stock is kept, a command that was given no key does not say that all is well."""
    live = Database(database_url)
    with live.transaction() as connection:
        Products(connection, account_key(None, livemode=True)).create(PRODUCT, "Shirt")
    live.close()
    unsaid = stocksync("findings", "list", DATABASE_URL=database_url)
    assert (unsaid.returncode, unsaid.stdout) == (2, "")
    assert unsaid.stderr.startswith("stocksync: STRIPE_API_KEY: it is not set")
    said = stocksync("findings", "list", DATABASE_URL=database_url, STRIPE_API_KEY="rk_live_made_up")
    assert said.returncode == 0, said.stderr


def test_in_the_wrong_folder_no_database_is_made(tmp_path: Path) -> None:
    """A command that only looks says where it looked, and leaves nothing there."""
    ended = stocksync("alerts", "list", STOCKSYNC_HOME=str(tmp_path))
    assert ended.returncode == 2
    assert f"STOCKSYNC_HOME: there is no database below {tmp_path}" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        (["up"], {"STOCKSYNC_HOME": "/dev/null/x"}, "STOCKSYNC_HOME"),
        (["alerts", "list"], {"STOCKSYNC_HOME": "/dev/null/x"}, "STOCKSYNC_HOME"),
        (["report", "--output", "no/such/folder"], {}, "--output"),
        (["report", "--format", "csv", "--output", "no/such/folder"], {}, "--output"),
        (["jobs", "history", "verifi"], {}, "no such job: verifi"),
    ],
    ids=["no home for all", "no home", "no folder", "no folder for a spreadsheet", "no such job"],
)
def test_what_can_not_be_is_named_without_a_traceback(
    command: Command, arguments: list[str], settings: dict[str, str], named: str
) -> None:
    """A folder or a name that is wrong ends with 2, and with the setting or option that it came from."""
    where = {"DATABASE_URL": None} if settings else {}
    ended = command(*arguments, **{**where, **settings})
    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_migrate_can_be_run_again(command: Command) -> None:
    """A second `migrate` finds nothing to do and says so."""
    again = command("migrate")
    assert again.returncode == 0
    assert "up to date" in again.stdout


def test_a_threshold_is_set_and_taken_back(command: Command, database: Database) -> None:
    """A product and one of its sizes get thresholds of their own, and lose them with --default."""
    assert command("threshold", PRODUCT, "3").returncode == 0
    assert command("threshold", PRODUCT, "7", "--size", "M").returncode == 0
    assert _thresholds(database) == (3, 7)
    assert command("threshold", PRODUCT, "--default").returncode == 0
    assert command("threshold", PRODUCT, "--default", "--size", "M").returncode == 0
    assert _thresholds(database) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prod_2", "3"], "no product has the id"),
        ([PRODUCT, "3", "--size", "XL"], "has never been seen in test mode"),
    ],
)
def test_what_was_never_seen_has_no_threshold(
    command: Command, database: Database, arguments: list[str], words: str
) -> None:
    """A product or size that is unknown in this mode is a failure, in one line."""
    before = _thresholds(database)
    answer = command("threshold", *arguments)
    assert answer.returncode == 1
    assert words in answer.stderr
    assert _thresholds(database) == before


@pytest.mark.parametrize("arguments", [["prod_1"], ["prod_1", "3", "--default"], ["prod_1", "-1"]])
def test_a_threshold_is_a_number_or_the_default(command: Command, arguments: list[str]) -> None:
    """Neither nothing, nor both, nor a negative number is taken."""
    assert command("threshold", *arguments).returncode == 2


def _quarantine(database: Database, reason: str) -> None:
    with database.transaction() as connection:
        Products(connection, ACCOUNT).set_state(PRODUCT, "quarantined", reason=reason)
        Products(connection, ACCOUNT).mark_clean(PRODUCT)


def _wishes(database: Database) -> tuple[bool, bool]:
    with database.transaction() as connection:
        product = Products(connection, ACCOUNT).lock(PRODUCT)
    assert product is not None
    return product.take_over, product.dirty


@pytest.fixture
def quarantined(database: Database) -> Iterator[Database]:
    """The database, its product in quarantine; afterwards it is not."""
    _quarantine(database, "its stock_rev was changed by hand")
    yield database
    with database.transaction() as connection:
        Products(connection, ACCOUNT).set_state(PRODUCT, "tracked")
        Products(connection, ACCOUNT).taken_over(PRODUCT)


@pytest.mark.parametrize("arguments", [[PRODUCT], ["--all"]])
def test_a_quarantined_product_is_taken_over(
    command: Command, quarantined: Database, arguments: list[str]
) -> None:
    """The product is named with its reason, and waits for the sync that takes Stripe's number over."""
    answer = command("takeover", *arguments, "--yes")
    assert answer.returncode == 0, answer.stderr
    assert f"{PRODUCT} (Shirt): its stock_rev was changed by hand" in answer.stdout
    assert _wishes(quarantined) == (True, True)


def test_a_takeover_is_asked_about(command: Command, quarantined: Database) -> None:
    """Without a yes nothing is taken over."""
    assert command("takeover", PRODUCT).returncode == 1
    assert _wishes(quarantined) == (False, False)


def test_what_is_not_in_quarantine_cannot_be_taken_over(command: Command, quarantined: Database) -> None:
    """Unknown products are named, and nothing is done, not even to the known one."""
    answer = command("takeover", PRODUCT, "prod_2", "--yes")
    assert answer.returncode == 1
    assert answer.stderr == (
        "stocksync: not in quarantine in test mode, or never seen: prod_2;"
        " `stocksync jobs run verify` looks at them\n"
    )
    assert _wishes(quarantined) == (False, False)


def test_nothing_in_quarantine_is_no_failure(command: Command, database: Database) -> None:
    """`--all` says so where there is nothing to take over."""
    assert _wishes(database)[0] is False
    answer = command("takeover", "--all", "--yes")
    assert (answer.returncode, answer.stdout) == (0, "nothing is in quarantine\n")


@pytest.mark.parametrize(
    "arguments",
    [["takeover"], ["takeover", "prod_1", "--all"], ["restored", "--since", "2999-01-01"]],
)
def test_what_makes_no_sense_is_a_wrong_call(command: Command, arguments: list[str]) -> None:
    """Products and --all exclude each other; nothing was sold in the future."""
    assert command(*arguments).returncode == 2


def test_fault_19_a_restored_database_goes_on_under_a_new_id(command: Command, database: Database) -> None:
    """`restored` says what it did; where Stripe does not answer it changes nothing."""
    with database.transaction() as connection:
        before = installations.current(connection, "life1").id
    assert command("restored", STRIPE_API_BASE="http://127.0.0.1:9").returncode == 1
    with Simulator.start(port=0) as simulator:
        shop = {"STRIPE_API_BASE": simulator.url, "TIME_ZONE": "Europe/Berlin"}
        answer = command("restored", "--since", "2026-01-01T08:00", **shop)
    assert answer.returncode == 0, answer.stderr
    assert "sales paid since 2026-01-01 08:00 CET: 0 to be booked, 0 were booked before" in answer.stdout
    with database.transaction() as connection:
        after = installations.current(connection, "unused")
    assert after.former == [before]
    assert f"this installation is {after.id} from now on" in answer.stdout
    assert _wishes(database)[1]
