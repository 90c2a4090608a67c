"""The measurement: both jobs once, each in a process of its own, against a Stripe with its limits and a latency."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests
from rich.console import Console
from rich.table import Table

from bench.options import Options
from bench.results import WIDTH, keep
from bench.verify import ledger
from bench.verify.big_shop import LATENCY_MS, OVERALL, PER_ENDPOINT, SIZES
from shared.database.embedded import EmbeddedPostgres
from shared.settings import child_environment

JOBS: Final = ("snapshot", "verify")
OUR_PACE: Final = 20.0  # calls a second to one endpoint, below Stripe's 25
PAGE: Final = 100
TARGET: Final = 1.2
MOST_MB: Final = 200.0
TIMEOUT: Final = 30  # seconds


@dataclass(frozen=True, slots=True)
class Measured:
    """One job: seconds, its own CPU and peak memory, what it says it did, its calls, and answers of 429."""

    job: str
    seconds: float
    cpu: float
    peak_mb: float
    figures: dict[str, Any]
    calls: int
    refused: int

    def met(self, products: int) -> bool:
        """Whether it read everything, in time and memory, and had nothing to complain about."""
        whole = self.figures.get("products") == products and self.figures.get("passes") == 1
        quiet = not self.refused and not self.figures.get("candidates", 0)
        return whole and quiet and self.seconds <= TARGET * least(products) and self.peak_mb <= MOST_MB


def least(products: int) -> float:
    """Seconds that the pages of so many products take at our pace."""
    return math.ceil(products / PAGE) / OUR_PACE


def run(options: Options) -> bool:
    """Measure both jobs; show and keep the table; whether all targets were met."""
    console = Console(width=max(WIDTH, Console().width))
    products = options.products
    with tempfile.TemporaryDirectory(prefix="stocksync-bench-") as folder:
        Path(folder).chmod(0o755)  # the database runs as another account where we are root
        with EmbeddedPostgres(Path(folder) / "var") as address, _shop(products) as stripe:
            ledger.keep(address, products)
            measured = [_measure(job, address, stripe) for job in JOBS]
    table = _table(measured, products)
    console.print(table)
    keep(
        "verify",
        f"python -m bench verify --products {products}",
        f"all on one machine. {products:,} products of {len(SIZES)} sizes; the simulator takes "
        f"{LATENCY_MS} ms for every call and refuses more than {PER_ENDPOINT} calls a second to an endpoint and "
        f"{OVERALL} in all. The limits allow what {OUR_PACE:g} pages of {PAGE} a second take.",
        table,
    )
    return all(one.met(products) for one in measured)


def _measure(job: str, address: str, stripe: str) -> Measured:
    requests.delete(f"{stripe}/_requests", timeout=TIMEOUT).raise_for_status()
    told = subprocess.run(
        [sys.executable, "-m", "bench.verify.one_job", job],
        env=child_environment(
            DATABASE_URL=address, STRIPE_API_BASE=stripe, STRIPE_API_KEY=None, AMQP_URL=None
        ),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    done = json.loads(told)
    if done["state"] != "done":
        raise RuntimeError(f"{job} failed: {done['error']}")
    log = requests.get(f"{stripe}/_requests", params={"limit": 1_000_000}, timeout=TIMEOUT).json()["requests"]
    refused = sum(call["status"] == 429 for call in log)
    return Measured(job, done["seconds"], done["cpu"], done["peak_mb"], done["figures"], len(log), refused)


def _table(measured: list[Measured], products: int) -> Table:
    table = Table(title="All products, read to the end")
    for column in (
        "",
        "seconds",
        "over the limits' own",
        "its CPU",
        "peak memory",
        "calls",
        "429",
        "what it did",
        "target",
    ):
        table.add_column(column, overflow="fold")
    for one in measured:
        did = ", ".join(
            f"{name} {one.figures[name]}"
            for name in ("products", "sizes", "candidates")
            if name in one.figures
        )
        table.add_row(
            one.job,
            f"{one.seconds:.1f}",
            f"{one.seconds / least(products):.2f}x of {least(products):.1f}",
            f"{one.cpu:.1f} s",
            f"{one.peak_mb:.0f} MB",
            str(one.calls),
            str(one.refused),
            did,
            f"≤ {TARGET}x, ≤ {MOST_MB:.0f} MB {'met' if one.met(products) else 'MISSED'}",
        )
    return table


@contextmanager
def _shop(products: int) -> Generator[str]:
    """The big shop's address."""
    command = [sys.executable, "-m", "bench.verify.big_shop", str(products)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
