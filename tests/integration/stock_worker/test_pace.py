from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

import pytest
import requests

from shared.outcomes import Outage
from shared.paced_stripe import SharedPace
from shared.store import pace
from shared.store.alerts import Alerts
from shared.store.products import Products
from shared.stripe_api.client import StripeApi
from shared.stripe_api.pace import ALL, Limits
from shared.vocabulary import ProductId, SessionId
from tests.integration.stock_worker.shop import ACCOUNT, Shop

KEY = "sk_test_shop"
LISTED = f"{ACCOUNT} GET checkout/sessions/id"
"""What an alert of sessions that may not be read is about."""
LIMITS = Limits(per_endpoint=20, overall=80, probe_seconds=1.5)


@dataclass(slots=True)
class Workers:
    """Two worker processes' handlers on one database."""

    one: Shop
    other: Shop

    def seen(self) -> dict[str, Any]:
        """The counts of requests to Stripe."""
        return requests.get(f"{self.one.url}/_requests", params={"limit": 0}, timeout=10).json()

    def forget(self) -> None:
        """Count from here on."""
        requests.delete(f"{self.one.url}/_requests", timeout=10).raise_for_status()


@pytest.fixture
def workers(shop: Shop) -> Workers:
    """Two workers that share the pace of their account."""

    def worker() -> Shop:
        shared = SharedPace(shop.database, ACCOUNT, LIMITS)
        return replace(shop, deps=replace(shop.deps, stripe=StripeApi(KEY, shop.url, pace=shared)), told=[])

    return Workers(worker(), worker())


def test_some_hundred_sales_are_booked_without_a_429_and_in_few_calls(workers: Workers) -> None:
    """Two workers drain 300 sessions of ten products against Stripe's limits with a tenth as many calls."""
    shop = workers.one
    shirts = [shop.product(stock="100") for _ in range(10)]
    sessions = [shop.sold(shop.line(shirts[n % 10], "", 1)) for n in range(300)]
    for shirt in shirts:
        shop.sync(shirt)
    before = shop.database.run(lambda connection: pace.usage(connection, ACCOUNT))
    shop.control("/_limits", {"per_endpoint": 25, "overall": 100})
    workers.forget()
    batches: list[list[SessionId]] = [sessions[:100], sessions[100:200], sessions[200:]]
    with ThreadPoolExecutor(2) as both:
        booked = [
            both.submit(worker.book, *batch)
            for worker, batch in zip([shop, workers.other, shop], batches, strict=True)
        ]
    assert sum(len(one.result()) for one in booked) == 300
    for shirt in shirts:
        shop.sync(shirt)
    seen = workers.seen()
    assert set(seen["by_status"]) == {"200"}
    assert seen["by_endpoint"]["GET /v1/checkout/sessions"] <= 6
    assert "GET /v1/checkout/sessions/{id}" not in seen["by_endpoint"]
    assert seen["total"] < 100
    shop.control("/_limits", {})
    assert {shop.stock(shirt)[""] for shirt in shirts} == {"70"}
    used = shop.database.run(lambda connection: pace.usage(connection, ACCOUNT))
    assert used.reads + used.writes - before.reads - before.writes == seen["total"]
    assert used.sales == 300


def test_fault_87_a_refused_key_is_told_once_by_all_workers_and_ends_by_itself(workers: Workers) -> None:
    """One call gets the 401, the other worker makes none, one alert is open; the pause ends with a probe."""
    shop = workers.one
    shirt = shop.product(stock="10")
    session = shop.sold(shop.line(shirt, "", 1))
    shop.fault("status", status=401)
    workers.forget()
    for worker in (shop, workers.other):
        with pytest.raises(Outage):
            worker.book(session)
        with pytest.raises(Outage):
            worker.sync(shirt)
    assert workers.seen()["total"] == 1
    assert shop.alerts() == [("stripe_refused", ACCOUNT)]
    refused = shop.database.run(lambda connection: pace.refusals(connection, ACCOUNT))
    assert list(refused) == [ALL]
    Event().wait(LIMITS.probe_seconds + 0.1)
    workers.other.book(session)
    assert shop.stock(shirt) == {"": "9"}
    assert shop.alerts() == []
    assert shop.database.run(lambda connection: pace.refusals(connection, ACCOUNT)) == {}


def not_listed(shop: Shop) -> ProductId:
    """A sale can't be booked, because the key may not list sessions; its product."""
    shirt = shop.product(stock="10")
    session = shop.sold(shop.line(shirt, "", 1))
    shop.fault("status", status=403, path="^/v1/checkout/sessions")
    with pytest.raises(Outage):
        shop.book(session)
    return shirt


def test_a_key_that_is_revoked_while_it_lacks_a_permission_is_told_too(workers: Workers) -> None:
    """One alert says what may not be read, another that the key is refused; the write that is taken ends only that."""
    shop = workers.one
    shirt = not_listed(shop)
    shop.fault("status", status=401, path="^/v1/products")
    with pytest.raises(Outage):
        shop.sync(shirt)
    assert sorted(shop.alerts()) == [("stripe_refused", ACCOUNT), ("stripe_refused", LISTED)]
    Event().wait(LIMITS.probe_seconds + 0.1)
    shop.sync(shirt)
    shop.sync(shirt)
    shop.database.run(lambda c: Alerts(c, ACCOUNT).resolve_refused())
    assert shop.alerts() == [("stripe_refused", LISTED)]


def test_a_lack_that_nobody_met_for_a_day_is_over(workers: Workers) -> None:
    """A call that is made no more cannot find out that it is allowed again: its alert ends with the next write."""
    shop = workers.one
    not_listed(shop)
    shop.database.run(lambda c: Alerts(c, ACCOUNT).resolve_refused())
    assert shop.alerts() == [("stripe_refused", LISTED)]
    shop.database.run(lambda c: c.execute("update stripe_pace set probe_at = probe_at - interval '25 hours'"))
    shop.database.run(lambda c: Alerts(c, ACCOUNT).resolve_refused())
    assert shop.alerts() == []


def test_a_lasting_lack_of_one_permission_is_told_once(workers: Workers) -> None:
    """While sessions may not be read, a write that Stripe takes does not end the alert; the permission does."""
    shop = workers.one
    shirt = shop.product(stock="10")
    shop.book(shop.sold(shop.line(shirt, "", 1)))
    session = shop.sold(shop.line(shirt, "", 1))
    shop.fault("status", status=403, path="^/v1/checkout/sessions")
    with pytest.raises(Outage):
        shop.book(session)
    shop.dashboard(shirt, stock="20")
    shop.database.run(lambda connection: Products(connection, ACCOUNT).mark_dirty([shirt]))
    shop.sync(shirt)
    assert shop.write_states(shirt)[-1] == "APPLIED"
    assert shop.alerts() == [("stripe_refused", LISTED)]
    Event().wait(LIMITS.probe_seconds + 0.1)
    workers.other.book(session)
    assert shop.stock(shirt) == {"": "19"}
    assert shop.alerts() == []
