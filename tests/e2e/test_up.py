from __future__ import annotations

import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from services.backoffice.supervisor.up import ORPHANS_LEAVE_WITHIN
from shared import clock
from tests.e2e.up_process import COMMAND, ROOT, Start, Up, environment, starting
from tests.support.processes import gone
from tests.support.waiting import until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `stocksync up` on free ports; whatever still runs at the end is stopped."""
    yield from starting(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that runs, pages too, for tests that leave it running."""
    for start in starting(tmp_path_factory.mktemp("up")):
        yield start(BACKOFFICE_BIND="127.0.0.1:0")


def test_it_says_ready_takes_webhooks_and_leaves_nothing_behind(start: Start) -> None:
    """Told to stop, `up` ends with 0 and neither a service, nor a worker of one, nor the database remains."""
    up = start()
    assert up.ready
    ends(up, signal.SIGTERM)


def ends(up: Up, number: signal.Signals) -> None:
    """It does, with 0, and leaves nothing behind."""
    processes = up.everything()
    up.process.send_signal(number)
    assert up.process.wait(40) == 0
    assert [process for process in processes if not gone(process)] == []


def test_a_second_ctrl_c_is_quicker(start: Start) -> None:
    """Asked twice, `up` kills what would take long, and still stops the database properly."""
    up = start()
    worker = up.child("services.notifier") or up.child("services.stock_worker")
    assert worker is not None
    worker.suspend()  # it will never finish what is in hand
    processes = up.everything()
    up.process.send_signal(signal.SIGINT)
    until("all but the frozen one to leave", lambda: up.children() == [worker])
    assert up.process.poll() is None
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(15) == 0
    assert [process for process in processes if not gone(process)] == []


def test_the_pages_are_there_for_the_operator_whose_password_is_in_a_file(running: Up) -> None:
    """`up` also serves the pages and makes an operator: the password is in a private file, and in no log."""
    pages, file = running.addresses["pages"], running.home / "pages-password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert password not in running.log.read_text()
    assert str(file) in running.log.read_text()
    typed = {"name": "shop", "password": password}
    answer = requests.post(f"{pages}/login", typed, headers={"Origin": pages}, timeout=30)
    assert "Overview" in answer.text


@pytest.mark.parametrize("service", ["ingest", "stock_worker", "reconciler", "notifier", "backoffice"])
def test_fault_52_a_killed_service_runs_again(running: Up, service: str) -> None:
    """A service that dies by kill -9 is started again, and webhooks are welcome again."""
    until("the service to run", lambda: running.child(f"services.{service}") is not None)
    first = running.child(f"services.{service}")
    assert first is not None
    first.kill()

    def another() -> bool:
        found = running.child(f"services.{service}")
        return found is not None and found.pid != first.pid

    until("another process", another)
    until("webhooks to be welcome", lambda: running.ready)


def test_after_kill_9_of_the_supervisor_nothing_remains_and_the_next_one_starts_at_once(start: Start) -> None:
    """The services and the database notice that their supervisor is gone; the same ports are free again."""
    up = start()
    processes = up.everything()
    up.process.kill()
    up.process.wait()
    again = start(
        INGEST_BIND=up.addresses["webhooks"].split("/")[2],
        SIMULATOR_BIND=up.addresses["simulator"].split("/")[2],
    )
    assert again.ready
    services = [process for process in processes if not gone(process) and process.name() != "postgres"]
    until("the services to end", lambda: all(gone(process) for process in services))


def _one_line(home: Path, *arguments: str, **settings: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return ended.returncode, lines[0]


@pytest.mark.parametrize("setting", ["INGEST_BIND", "BACKOFFICE_BIND"])
def test_a_taken_port_is_one_clear_line(tmp_path: Path, setting: str) -> None:
    """`up` names the setting whose port another program has, and ends with 2; so it does at once when asked again."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        for _ in range(2):
            begun = clock.monotonic()
            code, line = _one_line(tmp_path, "up", **{setting: taken})
            assert code == 2
            assert setting in line
            assert taken in line
            assert clock.monotonic() - begun < ORPHANS_LEAVE_WITHIN


def test_two_supervisors_do_not_share_a_folder(running: Up) -> None:
    """A second `up` in the same folder says so and ends with 2."""
    code, line = _one_line(running.home, "up")
    assert code == 2
    assert "STOCKSYNC_HOME" in line


def test_after_all_that_one_ctrl_c_ends_it(running: Up) -> None:
    """Whatever was killed and came back, nothing remains; the last that is done with this one."""
    ends(running, signal.SIGINT)


@pytest.mark.parametrize(
    ("name", "value"),
    [("STRIPE_API_KEY", "pk_test_public"), ("INGEST_BIND", "here"), ("DATABASE_URL", "mysql://x/y")],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    """`up` names the wrong setting, does not repeat it, and ends with 2."""
    code, line = _one_line(tmp_path, "up", **{name: value})
    assert code == 2
    assert name in line
    assert value not in line


def test_an_account_without_its_webhook_secret_is_refused(tmp_path: Path) -> None:
    """With an API key but no webhook secret `up` says which one is missing."""
    code, line = _one_line(tmp_path, "up", STRIPE_API_KEY="sk_test_123")
    assert code == 2
    assert "STRIPE_WEBHOOK_SECRET" in line
