from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import stripe

from demo.stack import Stack, running
from shared.database.embedded import EmbeddedPostgres
from tests.support.postgres import home_folder
from tests.support.rabbitmq import RabbitNode
from tests.support.waiting import until

PRODUCTS, SIZES, SESSIONS, AT_ONCE = 20, 8, 500, 50
OPENING = 1000
BACK_SECONDS, REST_SECONDS = 45.0, 300.0
QUICK = {"SWEEP_SECONDS": "5", "STRIPE_CALLS": "400", "STRIPE_CALLS_PER_ENDPOINT": "200"}

Kill = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Rig:
    """A running pipeline, and how to kill its parts; each returns once the part is back."""

    stack: Stack
    victims: dict[str, Kill]


@pytest.fixture
def embedded() -> Iterator[Rig]:
    """The pipeline as one machine runs it."""
    with home_folder() as home, running(home, **QUICK) as stack:
        yield Rig(stack, {**services(stack), "postgres": lambda: kill_postgres(home)})


@pytest.fixture
def on_rabbitmq(rabbitmq: RabbitNode) -> Iterator[Rig]:
    """The same pipeline with its messages in RabbitMQ."""
    with home_folder() as home, running(home, **QUICK, AMQP_URL=rabbitmq.url) as stack:
        yield Rig(stack, {**services(stack), "rabbitmq": rabbitmq.restart})


@pytest.mark.timeout(900)
def test_fault_52_rabbitmq_no_sale_is_lost_or_doubled_whatever_is_killed(on_rabbitmq: Rig) -> None:
    """The same with RabbitMQ, whose node is killed as well: Stripe equals the oracle."""
    sell_through(on_rabbitmq)


@pytest.mark.timeout(900)
def test_fault_52_embedded_no_sale_is_lost_or_doubled_whatever_is_killed(embedded: Rig) -> None:
    """500 sessions, webhooks once to thrice, kill -9 of every process in turn: Stripe equals the oracle."""
    sell_through(embedded)


def services(stack: Stack) -> dict[str, Kill]:
    """How to kill each service that the supervisor restarts."""
    names = ("ingest", "stock_worker", "notifier", "reconciler")
    return {name: lambda name=name: kill_service(stack, name) for name in names}


def sell_through(rig: Rig) -> None:
    """Sell in waves, kill a part in the middle of each, and wait until all numbers are right."""
    shop = Shop(rig.stack.simulator)
    shop.open()
    for copies in (3, 2):
        rule = {"kind": "webhook_double", "copies": copies, "count": None, "probability": 0.4}
        shop.control("/_faults", rule)
    victims = itertools.cycle(rig.victims.items())
    with ThreadPoolExecutor(AT_ONCE) as customers:
        for _ in range(SESSIONS // AT_ONCE):
            name, kill = next(victims)
            paid = [customers.submit(shop.buy) for _ in range(AT_ONCE)]
            kill()
            for customer in paid:
                customer.result()
            assert name
    until("Stripe to equal the oracle", lambda: shop.shown() == shop.intended(), REST_SECONDS, look=0.2)
    until(
        "all webhooks to be answered",
        lambda: shop.health()["deliveries_waiting"] == 0,
        REST_SECONDS,
        look=0.2,
    )
    assert shop.shown() == shop.intended()
    assert sum(map(sum, (sizes.values() for sizes in shop.shown().values()))) < PRODUCTS * SIZES * OPENING


class Shop:
    """A shop with many products, and customers that buy at random."""

    def __init__(self, simulator: str) -> None:
        self._simulator = simulator
        self._stripe = stripe.StripeClient("sk_test_kill9", base_addresses={"api": simulator})
        self._random = random.Random(9)
        self._products: list[str] = []

    def open(self) -> None:
        """Create and stock the products."""
        sizes = [f"Z{n}" for n in range(SIZES)]
        metadata = {"sizes": ",".join(sizes), **{f"stock_{size}": str(OPENING) for size in sizes}}
        self._products = [
            self._stripe.v1.products.create({"name": f"Product {n}", "metadata": metadata}).id
            for n in range(PRODUCTS)
        ]

    def buy(self) -> None:
        """One customer pays for one or two lines."""
        lines = [self._line() for _ in range(self._random.randint(1, 2))]
        wanted: Any = {"mode": "payment", "success_url": "https://shop.example", "line_items": lines}
        session = self._stripe.v1.checkout.sessions.create(wanted).id
        self.control(f"/_checkout/sessions/{session}/pay", {})

    def control(self, path: str, body: dict[str, Any]) -> None:
        """A call to the simulator's control API."""
        requests.post(self._simulator + path, json=body, timeout=30).raise_for_status()

    def health(self) -> dict[str, Any]:
        """How many webhooks still wait for an answer."""
        return requests.get(f"{self._simulator}/_health", timeout=30).json()

    def intended(self) -> dict[str, dict[str, int]]:
        """What the numbers ought to be."""
        return requests.get(f"{self._simulator}/_oracle", timeout=30).json()["stock"]

    def shown(self) -> dict[str, dict[str, int]]:
        """What Stripe shows."""
        found = self._stripe.v1.products.list({"limit": 100}).to_dict()["data"]
        return {
            product["id"]: {f"Z{n}": int(product["metadata"][f"stock_Z{n}"]) for n in range(SIZES)}
            for product in found
        }

    def _line(self) -> dict[str, Any]:
        price = {"currency": "eur", "unit_amount": 100, "product": self._random.choice(self._products)}
        size = f"Z{self._random.randrange(SIZES)}"
        return {"price_data": price, "quantity": self._random.randint(1, 3), "metadata": {"size": size}}


def kill_service(stack: Stack, name: str) -> None:
    """Kill -9 a service with all of its workers; return once the supervisor has started it again."""
    until(f"{name} to run", lambda: find(stack, name) is not None, BACK_SECONDS, look=0.2)
    before = find(stack, name)
    assert before is not None
    for process in [*before.children(recursive=True), before]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    until(f"{name} to be back", lambda: find(stack, name) not in {before, None}, BACK_SECONDS, look=0.2)


def find(stack: Stack, name: str) -> psutil.Process | None:
    """The service's process, None while it does not run."""
    for process in psutil.Process(stack.pid).children():
        with suppress(psutil.Error):
            if f"services.{name}" in process.cmdline():
                return process
    return None


def kill_postgres(home: Path) -> None:
    """Kill -9 the embedded PostgreSQL's postmaster; return once another one runs."""
    before = postmaster(home)
    psutil.Process(before).kill()
    until("PostgreSQL to be back", lambda: postmaster(home) not in {before, 0}, BACK_SECONDS, look=0.2)


def postmaster(home: Path) -> int:
    """The process id that the embedded server noted; 0 while there is none."""
    noted = EmbeddedPostgres(home).folder / "data" / "postmaster.pid"
    try:
        return int(noted.read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, IndexError):
        return 0
