from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from demo.shop import GOODS, KEY, open_shop
from services.stripe_simulator.simulator import Simulator
from shared.broker.port import Broker
from shared.settings import child_environment
from shared.webhook_events import PATH
from tests.integration.ingest.proxy import Proxy
from tests.integration.ingest.running import environment, running
from tests.support.waiting import until
from tests.unit.ingest.support import SECRET

LOGIN = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True, slots=True)
class Street:
    """The way to the webhook door, and where its customers live."""

    way: Proxy
    home: Path

    def come(self, simulator: Simulator) -> subprocess.Popen[bytes]:
        """Customers who look for the simulator and the door of `up`."""
        told = child_environment(
            SIMULATOR_BIND=simulator.url.removeprefix("http://"),
            INGEST_BIND=f"127.0.0.1:{self.way.port}",
            STOCKSYNC_HOME=str(self.home),
            STRIPE_API_KEY=None,
            STRIPE_API_BASE=None,
        )
        return subprocess.Popen([sys.executable, "-m", "demo.customers"], env=told)


@pytest.fixture
def street(database_url: str, queue: Broker, tmp_path: Path) -> Iterator[Street]:
    """A door that takes webhooks."""
    queue.ping()  # its queues are made
    told = environment(tmp_path, DATABASE_URL=database_url)
    with running(told) as ingest, Proxy(("127.0.0.1", ingest.port)) as way:
        yield Street(way, tmp_path)


def listed(simulator: Simulator, path: str) -> list[dict[str, object]]:
    """A list of Stripe's API."""
    answer = requests.get(f"{simulator.url}/v1/{path}?limit=100", headers=LOGIN, timeout=10)
    return answer.json()["data"]


def intended(simulator: Simulator, product: str) -> int:
    """Units of all sizes, by the oracle."""
    stock = requests.get(f"{simulator.url}/_oracle", timeout=10).json()["stock"]
    return sum(stock[product].values())


def test_an_empty_shop_is_given_goods_and_customers(street: Street) -> None:
    """`make up` has something to show: goods, and people who buy them; they go when the shop is gone."""
    with Simulator.start(port=0) as simulator:
        customers = street.come(simulator)
        until("somebody to buy", lambda: bool(listed(simulator, "checkout/sessions")), 60)
        assert {product["name"] for product in listed(simulator, "products")} == {good.name for good in GOODS}
    assert customers.wait(60) == 0


def test_the_next_time_customers_find_what_was_left(street: Street, tmp_path: Path) -> None:
    """A shop that was kept gets no second set of goods, and whatever is left of the first is bought."""
    account = tmp_path / "account.json"
    with Simulator.start(port=0, account=account) as before:
        left = [open_shop(before.url).products[GOODS[0].name]]
        others = [one["id"] for one in listed(before, "products") if one["id"] not in left]
        for product in others:
            requests.delete(f"{before.url}/_dashboard/products/{product}", timeout=10).raise_for_status()
    with Simulator.start(port=0, account=account) as after:
        customers = street.come(after)
        until("somebody who bought", lambda: intended(after, *left) < sum(GOODS[0].stock.values()), 60)
        assert [product["id"] for product in listed(after, "products")] == left
    assert customers.wait(60) == 0


def test_a_shop_with_goods_is_left_alone(street: Street) -> None:
    """Whoever made products of their own meets no others."""
    with Simulator.start(port=0) as simulator:
        made = requests.post(f"{simulator.url}/v1/products", data={"name": "Mine"}, headers=LOGIN, timeout=10)
        made.raise_for_status()
        assert street.come(simulator).wait(60) == 0
        assert [product["name"] for product in listed(simulator, "products")] == ["Mine"]


def test_nobody_comes_before_the_door_is_open(street: Street) -> None:
    """What is sold at the very first start is heard at once: no webhook has to be tried again."""
    street.way.hold_answers()
    hook = f"http://127.0.0.1:{street.way.port}{PATH}"
    with Simulator.start(port=0, webhook_url=hook, webhook_secret=SECRET) as simulator:
        customers = street.come(simulator)
        until("somebody at the door", lambda: street.way.requested > 0, 60)
        assert listed(simulator, "products") == []
        street.way.let_go()
        until("somebody to buy", lambda: bool(listed(simulator, "checkout/sessions")), 60)
        attempts = requests.get(f"{simulator.url}/_deliveries", timeout=10).json()["attempts"]
        assert {attempt["status"] for attempt in attempts} == {200}
    assert customers.wait(60) == 0
