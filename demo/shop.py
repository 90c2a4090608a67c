"""The shop: its goods, its shelves, and the ways its web pages tell Stripe which size was sold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests
import stripe

from shared.vocabulary import parse_units

KEY = "sk_test_demo"
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Good:
    """One product of the shop; size '' where it has none."""

    name: str
    cents: int
    stock: dict[str, int]

    @property
    def metadata(self) -> dict[str, str]:
        """How the shop writes its stock down in Stripe."""
        if "" in self.stock:
            return {"stock": str(self.stock[""])}
        numbers = {f"stock_{size}": str(units) for size, units in self.stock.items()}
        return {"sizes": ", ".join(self.stock), **numbers}


GOODS = (
    Good("Linen shirt", 4900, {"S": 12, "M": 20, "L": 14, "XL": 6}),
    Good("Wool jumper", 8900, {"S": 8, "M": 9, "L": 3}),
    Good("Canvas shoes", 6500, {"40": 10, "41": 12, "42": 11, "43": 7}),
    Good("Leather belt", 3500, {"One size": 15}),
    Good("Enamel mug", 1800, {"": 40}),
)


@dataclass(slots=True)
class Shop:
    """A stocked shop: Stripe ids by the goods' names."""

    stripe: stripe.StripeClient
    simulator: str
    products: dict[str, str] = field(default_factory=dict[str, str])
    prices: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])

    def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the simulator for something that is not Stripe's API: a customer, a person, a fault."""
        answer = requests.post(f"{self.simulator}{path}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def checkout(self, lines: list[dict[str, Any]], metadata: dict[str, str] | None = None) -> str:
        """A new Checkout Session; its id."""
        wanted: Any = {
            "mode": "payment",
            "success_url": "https://shop.example/thanks",
            "line_items": lines,
            "metadata": metadata or {},
        }
        return self.stripe.v1.checkout.sessions.create(wanted).id

    def pay(self, session: str, outcome: str = "paid") -> None:
        """The customer pays, or promises to (`unpaid`), or the promise is kept (`async_succeed`)."""
        self.control(f"/_checkout/sessions/{session}/pay", {"outcome": outcome})

    def shown(self) -> dict[tuple[str, str], int]:
        """Units of every (good, size) as Stripe shows them now; what somebody made unreadable is left out."""
        found: dict[tuple[str, str], int] = {}
        for good in GOODS:
            if good.name not in self.products:
                continue
            metadata = self.stripe.v1.products.retrieve(self.products[good.name]).to_dict()["metadata"]
            for size in good.stock:
                units = parse_units(metadata.get(f"stock_{size}" if size else "stock", ""))
                if units is not None:
                    found[good.name, size] = units
        return found

    def intended(self) -> dict[tuple[str, str], int]:
        """Units of every (good, size) as they ought to be, by the simulator's oracle."""
        answer = requests.get(f"{self.simulator}/_oracle", timeout=TIMEOUT)
        answer.raise_for_status()
        stock: dict[str, dict[str, int]] = answer.json()["stock"]
        return {(g.name, size): max(0, stock[self.products[g.name]][size]) for g in GOODS for size in g.stock}


def open_shop(simulator: str) -> Shop:
    """Create the goods in Stripe: a product each, a price for each of its sizes."""
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator})
    shop = Shop(client, simulator)
    for good in GOODS:
        product = client.v1.products.create({"name": good.name, "metadata": good.metadata})
        shop.products[good.name] = product.id
        for size in good.stock:
            price = client.v1.prices.create(
                {
                    "product": product.id,
                    "currency": "eur",
                    "unit_amount": good.cents,
                    "metadata": {"size": size} if size else {},
                }
            )
            shop.prices[good.name, size] = price.id
    return shop


def shop_as_left(simulator: str) -> Shop:
    """The shop of an earlier day: those of its goods that are still there."""
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator})
    shop = Shop(client, simulator)
    names = {good.name for good in GOODS}
    for product in client.v1.products.list({"limit": 100}).auto_paging_iter():
        if product.name in names:
            shop.products[product.name] = product.id
            for price in client.v1.prices.list({"product": product.id, "limit": 100}):
                shop.prices[product.name, price.to_dict()["metadata"].get("size", "")] = price.id
    return shop
