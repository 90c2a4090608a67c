from __future__ import annotations

import fcntl
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.database.embedded import EmbeddedPostgres
from shared.database.embedded_place import RUN_AS
from shared.database.errors import EmbeddedFailed, WrongDatabase
from tests.integration.database.watching import Starter, answers, postmaster
from tests.support.postgres import home_folder
from tests.support.waiting import until

NEVER = 3600.0  # seconds between looks of a user that does not look after its server


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty STOCKSYNC_HOME; the server of a failed test is stopped with it."""
    with home_folder() as folder:
        yield folder
        left = postmaster(folder / "postgres")
        if left is not None:
            left.send_signal(signal.SIGQUIT)
            psutil.wait_procs([left], timeout=20)


def test_the_first_user_starts_it_and_the_last_one_stops_it(home: Path) -> None:
    """A server outlives its first user as long as there is a second, and no longer."""
    server = EmbeddedPostgres(home)
    address = server.start()
    other = Starter(home)
    assert other.address() == address
    server.release()
    assert answers(address)
    other.leave()
    assert postmaster(home / "postgres") is None
    assert not answers(address)


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    """Address and data survive a stop."""
    with EmbeddedPostgres(home) as first, psycopg.connect(first) as connection:
        connection.execute("create table kept (n integer)")
    with EmbeddedPostgres(home) as second, psycopg.connect(second) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
    assert first == second


def test_five_starters_at_once_share_one_server(home: Path) -> None:
    """However many start it in an empty home at the same moment, there is one server, and none is left over."""
    starters = [Starter(home) for _ in range(5)]
    addresses = {starter.address() for starter in starters}
    assert len(addresses) == 1
    assert answers(addresses.pop())
    for starter in starters:
        starter.leave()
    assert postmaster(home / "postgres") is None


def test_a_killed_server_comes_back_by_itself(home: Path) -> None:
    """Kill -9 of the postmaster is healed by whoever uses it, at the same address."""
    with EmbeddedPostgres(home) as address:
        killed = postmaster(home / "postgres")
        assert killed is not None
        killed.kill()
        until("a new server", lambda: postmaster(home / "postgres") not in {None, killed})
        until("an answer", lambda: answers(address))


def test_a_killed_server_stays_down_when_nobody_looks_after_it(home: Path) -> None:
    """Without the watch a killed server is only found by the next start."""
    server = EmbeddedPostgres(home, watch_seconds=NEVER)
    address = server.start()
    killed = postmaster(home / "postgres")
    assert killed is not None
    killed.kill()
    until("its end", lambda: not answers(address))
    assert postmaster(home / "postgres") is None
    assert server.start() == address
    assert answers(address)
    server.release()


def test_a_killed_user_does_not_keep_it_alive(home: Path) -> None:
    """Kill -9 of a user takes its claim back: the next one to leave stops the server."""
    dead = Starter(home)
    address = dead.address()
    dead.kill()
    assert answers(address)
    with EmbeddedPostgres(home) as found:
        assert found == address
    assert postmaster(home / "postgres") is None


@pytest.mark.parametrize("moment", [0.0, 0.15, 0.3, 0.45, 0.6])
def test_a_starter_killed_in_the_middle_leaves_nothing_in_the_way(home: Path, moment: float) -> None:
    """Whenever a first start is killed, the next one succeeds."""
    starter = Starter(home)
    until("its first step", (home / "postgres").exists)
    with pytest.raises(AssertionError):
        until("a moment", lambda: False, moment)
    starter.kill()
    with EmbeddedPostgres(home) as address:
        assert answers(address)
    assert postmaster(home / "postgres") is None
    until("an orphaned initdb to end", lambda: not orphans(home))
    with EmbeddedPostgres(home):
        assert not list((home / "postgres").glob("draft-*"))


def orphans(home: Path) -> list[str]:
    """Commands that a killed starter left running in its draft."""
    found: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found += [word for word in process.cmdline() if str(home / "postgres" / "draft-") in word]
    return found


def test_a_pid_that_is_another_programs_by_now_is_no_obstacle(home: Path) -> None:
    """A postmaster.pid left behind, whose number was given to a process of the same account, is forgotten."""
    with EmbeddedPostgres(home):
        pass
    noted = home / "postgres" / "data" / "postmaster.pid"
    noted.write_text(f"{os.getpid()}\n{home / 'postgres' / 'data'}\n", encoding="utf-8")
    with EmbeddedPostgres(home) as address:
        assert answers(address)


def test_a_taken_port_moves_only_when_nobody_relies_on_it(home: Path) -> None:
    """The only user gets another port; where others know the old one, starting fails by naming it."""
    with EmbeddedPostgres(home) as first:
        pass
    port = conninfo_to_dict(first)["port"]
    with socket.create_server(("127.0.0.1", int(str(port)))):
        with EmbeddedPostgres(home) as second:
            assert second != first
        (home / "postgres" / "port").write_text(str(port), encoding="utf-8")
        with (home / "postgres" / "users.lock").open("a") as other_user:
            fcntl.flock(other_user, fcntl.LOCK_SH)
            server = EmbeddedPostgres(home)
            with pytest.raises(EmbeddedFailed, match=f"port {port} .* is taken"):
                server.start()
        server.release()


def test_data_of_another_major_version_is_named(home: Path) -> None:
    """Data made by another major version is refused in one line and left alone."""
    with EmbeddedPostgres(home):
        pass
    (home / "postgres" / "data" / "PG_VERSION").write_text("12\n", encoding="utf-8")
    server = EmbeddedPostgres(home)
    with pytest.raises(WrongDatabase, match=r"is of PostgreSQL 12, this is \d+: dump and restore"):
        server.start()
    server.release()


def test_only_its_owner_reads_the_password(home: Path) -> None:
    """The password file is private, the server wants the password, and listens on this machine alone."""
    with EmbeddedPostgres(home) as address:
        mode = (home / "postgres" / "password").stat().st_mode
        assert stat.S_IMODE(mode) == stat.S_IRUSR | stat.S_IWUSR
        parts = conninfo_to_dict(address)
        assert parts["host"] == "127.0.0.1"
        wrong = make_conninfo(address, password="wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with psycopg.connect(address) as connection:
            assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
            assert connection.execute("show unix_socket_directories").fetchone() == ("",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_root_hands_it_to_an_account_without_rights(home: Path) -> None:
    """Started by root, server and data belong to another account, and no folder was opened for it."""
    before = stat.S_IMODE(home.stat().st_mode)
    with EmbeddedPostgres(home):
        process = postmaster(home / "postgres")
        assert process is not None
        assert process.username() == RUN_AS
        assert stat.S_IMODE((home / "postgres" / "data").stat().st_mode) == stat.S_IRWXU
    assert stat.S_IMODE(home.stat().st_mode) == before
