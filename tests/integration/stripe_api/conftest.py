"""A simulated account for each test, and processes' ways to it that share one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
import requests
import stripe

from services.stripe_simulator.simulator import Simulator
from shared.database.pool import Database
from shared.paced_stripe import SharedPace
from shared.stripe_api.client import StripeApi
from shared.stripe_api.pace import Limits
from shared.vocabulary import AccountKey, ProductId, SessionId

ACCOUNT = AccountKey("self:test")
KEY = "sk_test_shop"
USUAL = Limits(per_endpoint=20, overall=80)


@dataclass(slots=True)
class Account:
    """What a test does to the account, and what the account has seen."""

    url: str
    stripe: stripe.StripeClient

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call to the simulator's control API."""
        answer = requests.post(self.url + path, json=body or {}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fault(self, kind: str, **rule: str | float | dict[str, str] | None) -> None:
        """Something goes wrong with the next matching request."""
        self.control("/_faults", {"kind": kind, **rule})

    def seen(self) -> dict[str, Any]:
        """The counts of requests since the last `forget`."""
        return requests.get(f"{self.url}/_requests", params={"limit": 0}, timeout=10).json()

    def forget(self) -> None:
        """Count from here on."""
        requests.delete(f"{self.url}/_requests", timeout=10).raise_for_status()

    def product(self, **metadata: str) -> ProductId:
        """A new product."""
        return ProductId(self.stripe.v1.products.create({"name": "Shirt", "metadata": metadata}).id)

    def delete(self, product: ProductId) -> None:
        """A person deletes the product in the Dashboard."""
        requests.delete(f"{self.url}/_dashboard/products/{product}", timeout=10).raise_for_status()

    def opened(self, *lines: dict[str, Any]) -> SessionId:
        """A session nobody has paid."""
        wanted: Any = {"mode": "payment", "success_url": "https://shop.example", "line_items": list(lines)}
        return SessionId(self.stripe.v1.checkout.sessions.create(wanted).id)

    def sold(self, *lines: dict[str, Any], outcome: str = "paid") -> SessionId:
        """A session that was completed."""
        session = self.opened(*lines)
        self.control(f"/_checkout/sessions/{session}/pay", {"outcome": outcome})
        return session


def line(product: ProductId, quantity: int = 1) -> dict[str, Any]:
    """A line of a product of the catalogue."""
    return {
        "price_data": {"currency": "eur", "unit_amount": 100, "product": product},
        "quantity": quantity,
        "metadata": {"size": "M"},
    }


def just_now(*sessions: SessionId) -> dict[SessionId, datetime]:
    """The sessions as events told of them now."""
    return dict.fromkeys(sessions, datetime.now(UTC))


@pytest.fixture
def account() -> Iterator[Account]:
    """A simulated account."""
    with Simulator.start(port=0) as simulator:
        yield Account(simulator.url, stripe.StripeClient(KEY, base_addresses={"api": simulator.url}))


MakeApi = Callable[..., StripeApi]


@pytest.fixture
def make_api(account: Account, database: Database) -> MakeApi:
    """Makes what each process has: an API of its own, its pace shared with the others."""

    def make(limits: Limits = USUAL, stop: Event | None = None) -> StripeApi:
        pace = SharedPace(database, ACCOUNT, limits)
        return StripeApi(KEY, account.url, pace=pace, stop=stop)

    return make
