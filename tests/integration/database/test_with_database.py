from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shared.database.embedded import EmbeddedPostgres
from shared.database.migrate import migrate, pending
from shared.settings import child_environment
from tests.support.postgres import home_folder

ROOT = Path(__file__).resolve().parents[3]


def _run(*command: str, home: Path, database_url: str | None = None) -> subprocess.CompletedProcess[str]:
    """`command` by way of `deploy/with_database.py`."""
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy/with_database.py"), *command],
        cwd=home,
        env=child_environment(PYTHONPATH=str(ROOT), STOCKSYNC_HOME=str(home), DATABASE_URL=database_url),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_dump_of_the_embedded_database_is_restored_into_an_empty_one() -> None:
    """What `docs/operations.md` says of backups holds: dumped while it runs, restored elsewhere, nothing is missing."""
    marker = "insert into installation (id) values ('5afe5afe')"
    with home_folder() as home, home_folder() as other:
        dump = home / "ledger.dump"
        with EmbeddedPostgres(home) as address:
            migrate(address)
            assert _run("psql", "-qc", marker, home=home).returncode == 0
            assert _run("pg_dump", "-Fc", "-f", str(dump), home=home).returncode == 0
        restored = _run("pg_restore", "--exit-on-error", "-d", "postgres", str(dump), home=other)
        assert (restored.returncode, restored.stderr) == (0, "")
        assert _run("psql", "-Atc", "select id from installation", home=other).stdout == "5afe5afe\n"
        with EmbeddedPostgres(other) as address:
            assert pending(address) == []


def test_a_command_is_led_to_the_database_that_is_named(database_url: str, tmp_path: Path) -> None:
    """With DATABASE_URL a command works on that server; no embedded one is made, and its exit code is kept."""
    name = _run("psql", "-Atc", "select current_database()", home=tmp_path, database_url=database_url)
    assert name.stdout.strip() == database_url.rpartition("/")[2].partition("?")[0]
    assert _run("sh", "-c", "exit 7", home=tmp_path, database_url=database_url).returncode == 7
    assert list(tmp_path.iterdir()) == []


def test_where_there_can_be_no_database_the_setting_is_named_once(tmp_path: Path) -> None:
    """One line on stderr and exit code 2; the command is not begun."""
    (tmp_path / "postgres").write_text("in the way")
    ended = _run("sh", "-c", "echo begun", home=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("stocksync: STOCKSYNC_HOME: no folder for the embedded database")
