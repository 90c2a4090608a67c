"""Ingest as it really runs: `python -m services.ingest` in processes of its own, spoken to over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from shared.broker.port import Broker
from shared.settings import child_environment
from shared.topology import SALES
from tests.integration.ingest.proxy import Proxy
from tests.support.processes import gone, stopping
from tests.support.waiting import until
from tests.unit.ingest.support import PATH, SECRET, event, raw, signed

OURS = ("AMQP_URL", "DATABASE_URL", "STRIPE_API_KEY", "STRIPE_LIVEMODE", "STRIPE_WEBHOOK_SECRET", "LOG_LEVEL")


@dataclass(slots=True)
class Ingest:
    """One running ingest: its main process, its address, and what it logged."""

    process: subprocess.Popen[str]
    log: list[str] = field(default_factory=list[str])
    address: str = ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rpartition(":")[2])

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if not gone(child)]

    def memory(self) -> int:
        """Bytes of all of them."""
        return sum(worker.memory_info().rss for worker in self.workers)

    def post(self, body: bytes, **headers: str) -> requests.Response:
        """Send `body`, signed."""
        return requests.post(self.address + PATH, data=body, headers={**signed(body), **headers}, timeout=15)

    def sell(self, number: int = 1) -> int:
        """Send the paid session `number`; the HTTP status."""
        return self.post(sale(number)).status_code

    def logged(self, name: str) -> list[dict[str, Any]]:
        """The log events of that name."""
        return [line for line in map(json.loads, list(self.log)) if line["event"] == name]


def sale(number: int) -> bytes:
    """The event of the paid session `number`."""
    data = {"object": {"id": f"cs_test_{number}", "object": "checkout.session", "payment_status": "paid"}}
    return raw(event(id=f"evt_{number}", data=data))


def environment(home: Path, **changes: str) -> dict[str, str]:
    """What a process of ours sees: nothing of this machine's settings, but `changes`."""
    unset = dict.fromkeys(OURS)
    given = {"STRIPE_WEBHOOK_SECRET": SECRET, "INGEST_BIND": "127.0.0.1:0", "STOCKSYNC_HOME": str(home)}
    return child_environment(**{**unset, **given, **changes})


def launch(variables: dict[str, str]) -> Ingest:
    """Start ingest and collect its log."""
    command = [sys.executable, "-m", "services.ingest"]
    process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    ingest = Ingest(process)
    threading.Thread(target=_collect, args=(ingest,), daemon=True).start()
    return ingest


def _collect(ingest: Ingest) -> None:
    assert ingest.process.stderr is not None
    for line in ingest.process.stderr:
        if line.startswith("{"):
            ingest.log.append(line)


@contextmanager
def running(variables: dict[str, str]) -> Generator[Ingest]:
    """A running ingest that has said it is ready."""
    ingest = launch(variables)
    with stopping(ingest.process):
        until("ingest to be ready", lambda: bool(ingest.logged("ingest_ready")))
        ingest.address = ingest.logged("ingest_ready")[-1]["address"]
        yield ingest


@dataclass(frozen=True, slots=True)
class Stage:
    """A running ingest, the proxy between it and its broker, and the broker seen directly."""

    kind: str
    ingest: Ingest
    proxy: Proxy
    broker: Broker

    def queued(self) -> int:
        """How many sales lie in the queue."""
        return self.broker.depth(SALES).ready
