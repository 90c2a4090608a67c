from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from stripe import StripeClient

from services.stripe_simulator.simulator import Simulator
from shared.settings import child_environment
from tests.support.processes import stopping

Control = Callable[..., Any]
MODULE = [sys.executable, "-m", "services.stripe_simulator"]
ROOT = Path(__file__).parents[3]


def test_process_serves_until_terminated(tmp_path: Path) -> None:
    """The process logs its address once it serves, and SIGTERM ends it with exit code 0."""
    environment = child_environment(SIMULATOR_BIND="127.0.0.1:0", STOCKSYNC_HOME=str(tmp_path))
    started = subprocess.Popen(MODULE, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    with started, stopping(started) as process:
        assert process.stderr is not None
        ready = json.loads(process.stderr.readline())
        client = StripeClient("sk_test_1", base_addresses={"api": ready["url"]})
        assert client.v1.products.list().data == []
    assert started.returncode == 0


@pytest.mark.parametrize(("name", "value"), [("SIMULATOR_BIND", "nowhere"), ("SIMULATOR_LATENCY_MS", "-1")])
def test_wrong_setting_is_named(name: str, value: str) -> None:
    """A wrong setting is one line that names it, and exit code 2."""
    wrong = subprocess.run(
        MODULE, env=child_environment(**{name: value}), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert name in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


def test_stopped_simulator_closes_its_connections() -> None:
    """A client that kept its connection finds it closed once the simulator has stopped."""
    with requests.Session() as session:
        with Simulator.start() as running:
            url = f"{running.url}/_health"
            assert session.get(url, timeout=5).json()["status"] == "ok"
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=5)


def test_hundred_clients_at_once(simulator: Simulator, stripe_client: StripeClient, control: Control) -> None:
    """A hundred concurrent writes of one product each happen, one event for each."""
    made = stripe_client.v1.products.create({"name": "A"})

    def write(number: int) -> int:
        answer = requests.post(
            f"{simulator.url}/v1/products/{made.id}",
            data={f"metadata[k{number % 50}]": str(number)},
            headers={"Authorization": "Bearer sk_test_1"},
            timeout=30,
        )
        return answer.status_code

    with ThreadPoolExecutor(100) as pool:
        assert set(pool.map(write, range(100))) == {200}
    events = stripe_client.v1.events.list({"type": "product.updated", "limit": 100})
    assert len(events.data) == 100
    assert control("GET", "/_requests")["by_endpoint"]["POST /v1/products/{id}"] == 100
