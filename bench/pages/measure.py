"""The measurement: every page that needs no name, and those of one product, asked for again and again by one person."""

from __future__ import annotations

import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from rich.console import Console
from rich.table import Table

from bench.options import Options
from bench.pages import big_ledger
from bench.results import WIDTH, keep
from bench.sync.waiting import wait_for
from services.backoffice.web.addresses import plain_pages
from shared import clock
from shared.broker.embedded import EmbeddedBroker
from shared.database.embedded import EmbeddedPostgres
from shared.free_ports import free_port
from shared.settings import child_environment
from shared.topology import PIPELINE

MOVEMENTS: Final = 1_000_000
TIMES: Final = 25
"""How often each page is asked for, after two times that don't count."""
TARGET_MS: Final = 100.0
PRODUCT: Final = "prod_bench0000042"
NAMED: Final = (
    f"/products/{PRODUCT}",
    "/products?q=shirt+42",
    "/products?show=low&page=3",
    f"/movements?product={PRODUCT}",
    "/movements?kind=restock",
    "/sales?recovered=yes",
)
OTHERS: Final = {"/events", "/stock.csv", "/stock.json"}
"""What waits for Stripe, and files of the whole stock."""
TIMEOUT: Final = 60  # seconds


@dataclass(frozen=True, slots=True)
class Answered:
    """How long one page took, in milliseconds, and its size in bytes."""

    path: str
    times: Sequence[float]
    size: int

    @property
    def median(self) -> float:
        """Half of the answers took no longer."""
        return statistics.median(self.times)


def run(options: Options) -> bool:
    """Measure all pages; show and keep the table; whether all targets were met."""
    console = Console(width=max(WIDTH, Console().width))
    with tempfile.TemporaryDirectory(prefix="stocksync-bench-") as folder:
        Path(folder).chmod(0o755)  # the database runs as another account where we are root
        home = Path(folder) / "var"
        with EmbeddedPostgres(home) as address:
            console.print(f"writing {MOVEMENTS:,} movements down …")
            big_ledger.keep(address, options.products, MOVEMENTS)
            with closing(EmbeddedBroker(address, PIPELINE)) as broker:
                broker.declare()
            with _served(home, address) as visitor:
                answered = [_asked(visitor, path) for path in _paths()]
    table = _table(answered)
    console.print(table)
    keep(
        "pages",
        f"python -m bench pages --products {options.products}",
        f"{options.products:,} products in {len(big_ledger.SIZES)} sizes, {MOVEMENTS:,} movements over a year; one"
        f" person asks for each page {TIMES} times, the database on the same machine.",
        table,
    )
    return all(page.median <= TARGET_MS for page in answered)


class Visitor(requests.Session):
    """Somebody who is logged in at `origin`."""

    origin: str = ""


@contextmanager
def _served(home: Path, address: str) -> Generator[Visitor]:
    """The process of the pages, and an operator who is logged in."""
    bind, password = f"127.0.0.1:{free_port()}", secrets.token_urlsafe(24)
    told = {"STOCKSYNC_HOME": str(home), "DATABASE_URL": address, "BACKOFFICE_BIND": bind}
    environment = child_environment(
        STRIPE_API_KEY=None, AMQP_URL=None, BACKOFFICE_ORIGIN=None, BACKOFFICE_PASSWORD=password, **told
    )
    process = subprocess.Popen([sys.executable, "-m", "services.backoffice"], env=environment)
    visitor = Visitor()
    visitor.origin = f"http://{bind}"
    try:
        assert wait_for(TIMEOUT, lambda: _answers(visitor.origin)), "the pages did not come up"
        visitor.post(
            f"{visitor.origin}/login",
            data={"name": "shop", "password": password},
            headers={"Origin": visitor.origin},
            timeout=TIMEOUT,
        ).raise_for_status()
        yield visitor
    finally:
        process.terminate()
        process.wait()


def _paths() -> list[str]:
    return [*(path for path in plain_pages() if path not in OTHERS), *NAMED]


def _answers(origin: str) -> bool:
    try:
        return requests.get(f"{origin}/login", timeout=TIMEOUT).ok
    except requests.ConnectionError:
        return False


def _asked(visitor: Visitor, path: str) -> Answered:
    times: list[float] = []
    size = 0
    for _ in range(TIMES + 2):
        begun = clock.monotonic()
        answer = visitor.get(f"{visitor.origin}{path}", timeout=TIMEOUT)
        times.append((clock.monotonic() - begun) * 1000)
        answer.raise_for_status()
        size = len(answer.content)
    return Answered(path, times[2:], size)


def _table(answered: Sequence[Answered]) -> Table:
    table = Table(title="Milliseconds until a page is there")
    table.add_column("page")
    for column in ("median", "p95", "slowest", "kB"):
        table.add_column(column, justify="right")
    table.add_column("target")
    for page in answered:
        table.add_row(
            page.path,
            f"{page.median:.0f}",
            f"{statistics.quantiles(page.times, n=20)[-1]:.0f}",
            f"{max(page.times):.0f}",
            f"{page.size / 1000:.0f}",
            f"≤ {TARGET_MS:.0f} {'met' if page.median <= TARGET_MS else 'MISSED'}",
        )
    return table
