from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests

from services.ingest.server import STOP_WITHIN
from shared import clock
from tests.integration.ingest.running import Stage, environment, running
from tests.support.processes import gone
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until
from tests.unit.ingest.support import SECRET


def refusal(variables: dict[str, str]) -> tuple[int, str]:
    """Exit code and standard error of an ingest that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "services.ingest"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"STRIPE_WEBHOOK_SECRET": "whsec_..."}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": f"{SECRET}\n"}, "STRIPE_WEBHOOK_SECRET"),
        ({"WEBHOOK_TOLERANCE": "0"}, "WEBHOOK_TOLERANCE"),
        ({"INGEST_BIND": "8000"}, "INGEST_BIND"),
        ({"STRIPE_API_KEY": "sk_live_1", "STRIPE_LIVEMODE": "false"}, "STRIPE_LIVEMODE"),
    ],
)
def test_faults_10_13_112_a_wrong_setting_is_one_line_and_exit_code_2(
    changes: dict[str, str], named: str, tmp_path: Path
) -> None:
    """The line names the setting and keeps the secret."""
    code, said = refusal(environment(tmp_path, **changes))
    assert code == 2
    assert said.count("\n") == 1
    assert named in said
    assert SECRET not in said


def test_an_address_in_use_is_said_and_exit_code_2(rabbit_stage: Stage, tmp_path: Path) -> None:
    """Two ingests never share a port by accident."""
    taken = f"127.0.0.1:{rabbit_stage.ingest.port}"
    code, said = refusal(environment(tmp_path, INGEST_BIND=taken))
    assert code == 2
    assert "INGEST_BIND" in said


def test_the_simulators_secret_is_made_where_no_account_is_named(
    rabbitmq: RabbitNode, rabbit_stage: Stage, tmp_path: Path
) -> None:
    """Without key and secret ingest starts against the simulator."""
    del rabbit_stage  # has declared the queues
    variables = environment(tmp_path, AMQP_URL=rabbitmq.url)
    del variables["STRIPE_WEBHOOK_SECRET"]
    with running(variables):
        assert (tmp_path / "simulator" / "webhook_secret").stat().st_mode & 0o777 == 0o600


def test_health_tells_a_live_process_from_a_ready_one(stage: Stage) -> None:
    """Without its broker ingest lives, but is not ready."""
    stage.proxy.go_away()
    assert requests.get(f"{stage.ingest.address}/healthz", timeout=5).status_code == 200
    assert requests.get(f"{stage.ingest.address}/readyz", timeout=10).status_code == 503


def test_sigterm_finishes_the_request_in_hand(stage: Stage) -> None:
    """A webhook that was being published is answered 200, then the process ends by itself."""
    assert stage.ingest.sell(1) == 200
    stage.proxy.hold_answers()
    asked = stage.proxy.requested
    statuses: list[int] = []
    sender = threading.Thread(target=lambda: statuses.append(stage.ingest.sell(2)))
    sender.start()
    until("the message to be on its way", lambda: stage.proxy.requested > asked)
    begun = clock.monotonic()
    stage.ingest.process.send_signal(signal.SIGTERM)
    threading.Timer(1.0, stage.proxy.let_go).start()
    sender.join(10)
    assert stage.ingest.process.wait(STOP_WITHIN + 5) == 0
    assert statuses == [200]
    assert clock.monotonic() - begun < STOP_WITHIN + 3
    assert stage.queued() == 2


def test_every_worker_tells_the_counters_of_all(stage: Stage) -> None:
    """Whichever worker answers the scrape, no webhook is missing from the sum."""
    assert {stage.ingest.sell(number) for number in range(20)} == {200}
    line = 'stocksync_ingest_webhooks_total{outcome="accepted"} 20.0'
    scrapes = [requests.get(f"{stage.ingest.address}/metrics", timeout=5).text for _ in range(10)]
    assert all(line in scrape for scrape in scrapes)


class Sender:
    """Sends different sales from several threads until it is told to stop; counts those answered 200."""

    def __init__(self, stage: Stage) -> None:
        self.accepted = 0
        self._stage = stage
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(8)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No more sales from now on."""
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _send(self) -> None:
        while not self._stop.is_set():
            try:
                accepted = self._stage.ingest.sell(next(self._numbers)) == 200
            except requests.RequestException:
                self._stop.wait(0.05)
                continue
            with self._lock:
                self.accepted += accepted


def test_kill_9_of_all_workers_loses_nothing_and_they_come_back(stage: Stage) -> None:
    """What was answered 200 is in the queue; new workers take over on the same port."""
    sender = Sender(stage)
    until("some sales", lambda: sender.accepted >= 20)
    workers = stage.ingest.workers
    for worker in workers:
        with suppress(psutil.NoSuchProcess):  # its parent may have missed the first, and ended the others
            worker.kill()
    until("new workers", lambda: len(set(stage.ingest.workers) - set(workers)) == len(workers))
    before = sender.accepted
    until("sales through the new workers", lambda: sender.accepted >= before + 20)
    sender.stop()
    assert stage.queued() >= sender.accepted


def test_kill_9_of_the_main_process_loses_nothing_and_leaves_nobody_behind(stage: Stage) -> None:
    """The workers stop when their parent is gone, and what was answered 200 is in the queue."""
    workers = stage.ingest.workers
    sender = Sender(stage)
    until("some sales", lambda: sender.accepted >= 20)
    stage.ingest.process.kill()
    _, alive = psutil.wait_procs(workers, timeout=15)
    sender.stop()
    assert [worker for worker in alive if not gone(worker)] == []
    assert stage.queued() >= sender.accepted


def test_a_crowd_at_the_health_pages_holds_nobody_up(stage: Stage) -> None:
    """More looks at once than there are threads are all answered, and webhooks are taken meanwhile."""
    statuses: list[int] = []

    def look() -> None:
        statuses.append(requests.get(f"{stage.ingest.address}/readyz", timeout=10).status_code)

    crowd = [threading.Thread(target=look) for _ in range(64)]
    for one in crowd:
        one.start()
    assert stage.ingest.sell(1) == 200
    for one in crowd:
        one.join(15)
    assert statuses == [200] * 64
