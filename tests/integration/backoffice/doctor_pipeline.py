"""The pipeline that the doctor looks at: ingest and stock worker as processes, PostgreSQL, the simulator."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import requests
import stripe
from psycopg import sql

from services.stripe_simulator.simulator import Simulator
from shared.settings import child_environment
from tests.support.command import UNSET, stocksync
from tests.support.ports import free_port
from tests.support.postgres import fresh_database
from tests.support.processes import stopping

ROOT = Path(__file__).resolve().parents[3]
SECRET = "whsec_" + "0123456789abcdef" * 2


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A running pipeline, and the doctor's view of it."""

    simulator: Simulator
    settings: dict[str, str]
    worker: subprocess.Popen[str]

    @property
    def shop(self) -> stripe.StripeClient:
        """The real SDK on the simulator."""
        return stripe.StripeClient("sk_test_shop", base_addresses={"api": self.simulator.url})

    def fault(self, **rule: object) -> None:
        """Something goes wrong with the matching requests."""
        requests.post(f"{self.simulator.url}/_faults", json=rule, timeout=5).raise_for_status()

    def rows(self) -> dict[str, int]:
        """How many rows the tables hold that a sale leaves something in."""
        tables = ("delivery", "product", "variant", "movement", "write", "sale", "unplaced_sale", "alert")
        with psycopg.connect(self.settings["DATABASE_URL"]) as connection:
            count = sql.SQL("select count(*) from {}")
            return {
                table: int((connection.execute(count.format(sql.Identifier(table))).fetchone() or (0,))[0])
                for table in tables
            }

    def doctor(self, *arguments: str, **changes: str) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit code of `stocksync doctor`, and its findings by check."""
        ended = stocksync("doctor", "--json", *arguments, **{**self.settings, **changes})
        told: dict[str, Any] = json.loads(ended.stdout)
        assert told["exit_code"] == ended.returncode
        assert SECRET not in ended.stdout + ended.stderr
        return ended.returncode, {finding["check"]: finding for finding in told["findings"]}


@contextmanager
def running(service: str, ready: str, settings: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    """The service's process once it has logged `ready`."""
    started = subprocess.Popen(
        [sys.executable, "-m", f"services.{service}"],
        cwd=ROOT,
        env=child_environment(**{**UNSET, **settings}),
        stderr=subprocess.PIPE,
        text=True,
    )
    said = Event()

    def listen() -> None:
        assert started.stderr is not None
        for line in started.stderr:
            if f'"{ready}"' in line:
                said.set()

    Thread(target=listen, daemon=True).start()
    with stopping(started) as process:
        assert said.wait(40), f"{service} was not ready in time"
        yield process


@contextmanager
def piped(postgres: str) -> Generator[Pipeline]:
    """Ingest and a stock worker on a database of their own, and a simulator that posts to ingest."""
    with ExitStack() as last:
        port = free_port()
        settings = {
            "DATABASE_URL": last.enter_context(fresh_database(postgres)),
            "STOCKSYNC_HOME": last.enter_context(tempfile.TemporaryDirectory()),
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "INGEST_BIND": f"127.0.0.1:{port}",
            "INGEST_WORKERS": "1",
        }
        webhooks = f"http://127.0.0.1:{port}/webhooks/stripe"
        simulator = last.enter_context(
            Simulator.start(port=0, webhook_url=webhooks, webhook_secret=SECRET, retry_delays=(0.2,))
        )
        settings["STRIPE_API_BASE"] = simulator.url
        worker = last.enter_context(running("stock_worker", "worker_ready", settings))
        last.enter_context(running("ingest", "ingest_ready", settings))
        yield Pipeline(simulator, settings, worker)
