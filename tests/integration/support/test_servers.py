from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support import rabbitmq_local
from tests.support.missing import missing
from tests.support.postgres import ROOT, held_server
from tests.support.processes import stopping
from tests.support.rabbitmq_local import SERVER
from tests.support.waiting import until

POSTGRES = """
from tests.support.postgres import held_server
with held_server() as (home, address):
    print(home, address, flush=True)
    input()
"""
RABBITMQ = """
import sys
from pathlib import Path
from tests.support.rabbitmq_local import LocalNode
node = LocalNode(Path(sys.argv[1]))
node.start()
print(sys.argv[1], node.url, flush=True)
input()
"""


@contextmanager
def killed(program: str, *arguments: str) -> Generator[tuple[Path, str]]:
    """Folder and address of a server whose starter is gone by kill -9."""
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        try:
            assert starter.stdout is not None
            folder, address = starter.stdout.readline().split()
            assert answers(address)
        finally:
            starter.kill()
    yield Path(folder), address


def answers(address: str) -> bool:
    """Whether a connection to the server succeeds."""
    if address.startswith("amqp"):
        return rabbitmq_local.answers(address)
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def test_postgresql_does_not_outlive_a_killed_run() -> None:
    """Server and folder are gone soon after whoever used them was killed."""
    with killed(POSTGRES) as (folder, address):
        until("the server to stop", lambda: not answers(address))
        until("the folder to go", lambda: not folder.exists())


def test_rabbitmq_does_not_outlive_a_killed_run() -> None:
    """The node and its folder are gone soon after whoever used them was killed."""
    if not SERVER.exists():
        missing("RabbitMQ", "On Debian: apt-get install rabbitmq-server.")
    with killed(RABBITMQ, tempfile.mkdtemp(prefix="stocksync-rabbitmq-")) as (folder, address):
        until("the node to stop", lambda: not answers(address))
        until("the folder to go", lambda: not folder.exists())


def test_a_held_server_is_gone_after_its_block() -> None:
    """Who uses it to the end waits until server and folder are gone."""
    with held_server() as (home, address):
        assert answers(address)
    assert not answers(address)
    assert not home.exists()


def test_what_does_not_stop_in_time_is_killed_with_what_it_started() -> None:
    """A process that hears no SIGTERM, and its child, are gone after the block, and the test fails."""
    child = "import sys; sys.stdin.read()"
    deaf = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE); "
        "print(child.pid, flush=True); child.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        number = int(started.stdout.readline())
        with pytest.raises(subprocess.TimeoutExpired), stopping(started, 0.2):
            pass
    assert started.returncode == -signal.SIGKILL
    until("its child to be gone", lambda: not Path(f"/proc/{number}").exists())
