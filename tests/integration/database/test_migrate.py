from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from shared.database.errors import DatabaseOutage, WrongDatabase
from shared.database.migrate import FOLDER, check, load, migrate, pending
from shared.settings import child_environment
from tests.support.waiting import until

MIGRATE = """
import sys
from pathlib import Path
from shared.database.migrate import migrate
migrate(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations."""
    (tmp_path / "0001_first.sql").write_text("create table first (n integer);\n", encoding="utf-8")
    (tmp_path / "0002_second.sql").write_text("create table second (n integer);\n", encoding="utf-8")
    return tmp_path


def ask(address: str, query: str) -> list[tuple[object, ...]]:
    """The rows of `query`."""
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


def exists(address: str, table: str) -> bool:
    """Whether `table` is there."""
    return ask(address, f"select to_regclass('{table}') is not null") == [(True,)]


def test_all_files_are_applied_once_and_in_order(empty_database_url: str) -> None:
    """An empty database gets every file of the package; a second run has nothing to do."""
    names = [migration.name for migration in load()]
    assert names == sorted(names)
    assert pending(empty_database_url) == names
    assert migrate(empty_database_url) == names
    assert migrate(empty_database_url) == pending(empty_database_url) == []
    check(empty_database_url)


def test_the_files_ship_with_the_package() -> None:
    """The SQL lies beside the code that applies it, numbered without a gap."""
    numbers = [int(migration.name.split("_")[0]) for migration in load()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert (FOLDER / "0001_ledger.sql").is_file()


def test_eight_at_once_apply_each_file_once(empty_database_url: str) -> None:
    """Whoever comes second waits, and finds nothing left to do."""
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(migrate, [empty_database_url] * 8))
    assert sorted(name for names in done for name in names) == [migration.name for migration in load()]


def test_fault_72_a_file_that_fails_leaves_nothing_of_itself(empty_database_url: str, folder: Path) -> None:
    """A mistake in the second file undoes the second file alone, and the repaired one is applied."""
    second = folder / "0002_second.sql"
    second.write_text("create table second (n integer); select 1 / 0;\n", encoding="utf-8")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database_url, folder)
    assert exists(empty_database_url, "first")
    assert not exists(empty_database_url, "second")
    second.write_text("create table second (n integer);\n", encoding="utf-8")
    assert migrate(empty_database_url, folder) == ["0002_second.sql"]


@pytest.mark.parametrize("end", [subprocess.Popen[bytes].kill, subprocess.Popen[bytes].terminate])
def test_fault_72_a_killed_run_is_resumed_by_the_next(
    empty_database_url: str, folder: Path, end: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    """Killed in the middle of a file, it holds no lock, and the next run begins that file again."""
    second = folder / "0002_second.sql"
    repaired = second.read_text(encoding="utf-8")
    second.write_text(f"{repaired} select pg_sleep(600);\n", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-c", MIGRATE, empty_database_url, str(folder)],
        env=child_environment(PYTHONPATH=str(Path.cwd())),
    )
    sleeping = (
        "select pid from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()"
    )
    until("the middle of the second file", lambda: ask(empty_database_url, sleeping) != [])
    end(process)
    process.wait(timeout=20)
    ask(empty_database_url, sleeping.replace("select pid", "select pg_terminate_backend(pid)"))
    second.write_text(repaired, encoding="utf-8")
    assert migrate(empty_database_url, folder) == ["0002_second.sql"]


def test_fault_72_a_database_behind_the_code_is_refused(empty_database_url: str, folder: Path) -> None:
    """A service that finds files not yet applied is told so, with the command that applies them."""
    later = folder / "0003_third.sql"
    migrate(empty_database_url, folder)
    check(empty_database_url, folder)
    later.write_text("create table third (n integer);\n", encoding="utf-8")
    with pytest.raises(WrongDatabase, match=r"lacks 0003_third\.sql: run `stocksync migrate`"):
        check(empty_database_url, folder)


@pytest.mark.parametrize("entrance", [migrate, pending, check])
def test_fault_119_a_database_newer_than_the_code_is_refused(
    empty_database_url: str, folder: Path, entrance: Callable[[str, Path], object]
) -> None:
    """An older program neither works on a newer database nor changes it."""
    migrate(empty_database_url, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(WrongDatabase, match=r"newer than this program \(it has 0002_second.sql\)"):
        entrance(empty_database_url, folder)


@pytest.mark.parametrize("entrance", [migrate, pending, check])
def test_a_file_changed_after_it_was_applied_is_refused(
    empty_database_url: str, folder: Path, entrance: Callable[[str, Path], object]
) -> None:
    """History that was rewritten is named, and nothing more is applied."""
    migrate(empty_database_url, folder)
    (folder / "0001_first.sql").write_text("create table other (n integer);\n", encoding="utf-8")
    shutil.copy(folder / "0002_second.sql", folder / "0003_third.sql")
    with pytest.raises(WrongDatabase, match=r"0001_first\.sql was changed"):
        entrance(empty_database_url, folder)
    assert not exists(empty_database_url, "third")


def test_a_database_that_is_away_is_an_outage() -> None:
    """Nobody listening is an outage, not a wrong database."""
    with pytest.raises(DatabaseOutage):
        pending("postgresql://nobody@127.0.0.1:1/none")
