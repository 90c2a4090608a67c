from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from shared.database.embedded import EmbeddedPostgres
from shared.database.pool import Database
from shared.settings import child_environment
from shared.store.products import Products
from shared.vocabulary import ProductId, Size, account_key
from tests.support.postgres import home_folder

ACCOUNT = account_key(None, livemode=False)
PRODUCT = ProductId("prod_1")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """An embedded PostgreSQL for this module."""
    with home_folder() as home, EmbeddedPostgres(home) as address:
        yield address


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(dsn: str) -> Command:
    """Runs `stocksync` on that database, migrated."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "services.backoffice", *arguments],
            env=child_environment(DATABASE_URL=dsn, STRIPE_API_KEY=None),
            capture_output=True,
            text=True,
            check=False,
        )

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


@pytest.mark.parametrize("arguments", [["prod_2", "3"], [PRODUCT, "3", "--size", "XL"]])
def test_what_was_never_seen_has_no_threshold(
    command: Command, database: Database, arguments: list[str]
) -> None:
    """A product or size that is unknown in this mode is a failure, in one line."""
    before = _thresholds(database)
    answer = command("threshold", *arguments)
    assert answer.returncode == 1
    assert "has never been seen in test mode" in answer.stderr
    assert _thresholds(database) == before


@pytest.mark.parametrize("arguments", [["prod_1"], ["prod_1", "3", "--default"], ["prod_1", "-1"]])
def test_a_threshold_is_a_number_or_the_default(command: Command, arguments: list[str]) -> None:
    """Neither nothing, nor both, nor a negative number is taken."""
    assert command("threshold", *arguments).returncode == 2
