from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import requests

from demo.shop import GOODS, KEY, open_shop
from services.stripe_simulator.simulator import Simulator
from shared.settings import child_environment
from tests.support.waiting import until

LOGIN = {"Authorization": f"Bearer {KEY}"}


def come(simulator: Simulator, home: Path) -> subprocess.Popen[bytes]:
    """Customers who look for the simulator of `up`."""
    bind = simulator.url.removeprefix("http://")
    told = child_environment(
        SIMULATOR_BIND=bind, STOCKSYNC_HOME=str(home), STRIPE_API_KEY=None, STRIPE_API_BASE=None
    )
    return subprocess.Popen([sys.executable, "-m", "demo.customers"], env=told)


def listed(simulator: Simulator, path: str) -> list[dict[str, object]]:
    """A list of Stripe's API."""
    answer = requests.get(f"{simulator.url}/v1/{path}?limit=100", headers=LOGIN, timeout=10)
    return answer.json()["data"]


def intended(simulator: Simulator, product: str) -> int:
    """Units of all sizes, by the oracle."""
    stock = requests.get(f"{simulator.url}/_oracle", timeout=10).json()["stock"]
    return sum(stock[product].values())


def test_an_empty_shop_is_given_goods_and_customers(tmp_path: Path) -> None:
    """`make up` has something to show: goods, and people who buy them; they go when the shop is gone."""
    with Simulator.start(port=0) as simulator:
        customers = come(simulator, tmp_path)
        until("somebody to buy", lambda: bool(listed(simulator, "checkout/sessions")), 60)
        assert {product["name"] for product in listed(simulator, "products")} == {good.name for good in GOODS}
    assert customers.wait(60) == 0


def test_the_next_time_customers_find_what_was_left(tmp_path: Path) -> None:
    """A shop that was kept gets no second set of goods, and whatever is left of the first is bought."""
    account = tmp_path / "account.json"
    with Simulator.start(port=0, account=account) as before:
        left = [open_shop(before.url).products[GOODS[0].name]]
        others = [one["id"] for one in listed(before, "products") if one["id"] not in left]
        for product in others:
            requests.delete(f"{before.url}/_dashboard/products/{product}", timeout=10).raise_for_status()
    with Simulator.start(port=0, account=account) as after:
        customers = come(after, tmp_path)
        until("somebody who bought", lambda: intended(after, *left) < sum(GOODS[0].stock.values()), 60)
        assert [product["id"] for product in listed(after, "products")] == left
    assert customers.wait(60) == 0


def test_a_shop_with_goods_is_left_alone(tmp_path: Path) -> None:
    """Whoever made products of their own meets no others."""
    with Simulator.start(port=0) as simulator:
        made = requests.post(f"{simulator.url}/v1/products", data={"name": "Mine"}, headers=LOGIN, timeout=10)
        made.raise_for_status()
        assert come(simulator, tmp_path).wait(60) == 0
        assert [product["name"] for product in listed(simulator, "products")] == ["Mine"]
