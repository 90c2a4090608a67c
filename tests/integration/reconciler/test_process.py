from __future__ import annotations

import fcntl
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.database.embedded import EmbeddedPostgres
from shared.database.migrate import migrate
from shared.settings import child_environment
from tests.support.postgres import home_folder
from tests.support.processes import stopping
from tests.support.waiting import until

SECONDS = 60.0


@contextmanager
def reconciler(home: Path) -> Generator[Callable[[str], bool]]:
    """`python -m services.reconciler` with everything under `home`; tells whether it has logged an event."""
    settings = child_environment(
        STOCKSYNC_HOME=str(home), DATABASE_URL=None, AMQP_URL=None, STRIPE_API_KEY=None
    )
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "services.reconciler"], stderr=log, env=settings)

    def logged(event: str) -> bool:
        assert process.poll() is None, (home / "log").read_text()
        return event in (home / "log").read_text()

    with stopping(process):
        yield logged
    assert process.returncode == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose database was prepared and is stopped."""
    with home_folder() as folder:
        with EmbeddedPostgres(folder) as address:
            migrate(address)
        yield folder


def test_fault_63_a_database_that_can_not_start_yet_is_waited_for(home: Path) -> None:
    """A worker that finds the embedded server's port taken says so and goes on once it is free: it does not end."""
    port = int((home / "postgres" / "port").read_text())
    with (home / "postgres" / "users.lock").open("a") as other_user:
        fcntl.flock(other_user, fcntl.LOCK_SH)  # somebody relies on the port, so it can't move
        with socket.create_server(("127.0.0.1", port)) as other, reconciler(home) as logged:
            until("it to say that it waits", lambda: logged("not_there_yet"), SECONDS)
            assert logged("is taken by another program")
            other.close()
            until("it to be ready", lambda: logged("worker_ready"), SECONDS)
