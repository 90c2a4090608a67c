from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from services.stripe_simulator import events as simulated
from services.stripe_simulator.params import Params
from services.stripe_simulator.simulator import Simulator
from shared.stripe_api.answers import StripeFailed
from shared.stripe_api.client import StripeApi
from tests.integration.stripe_api.conftest import KEY, Account

EVENTS = "GET /v1/events"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A simulator whose webhooks are refused, once each."""
    options: dict[str, Any] = {"webhook_url": "http://127.0.0.1:9/", "retry_delays": ()}
    with Simulator.start(port=0, webhook_secret="whsec_" + "0" * 32, **options) as started:
        yield started


@pytest.fixture
def account(simulator: Simulator) -> Account:
    """Its account, empty."""
    client = stripe.StripeClient(KEY, base_addresses={"api": simulator.url})
    account = Account(simulator.url, client)
    account.control("/_reset")
    return account


@pytest.fixture
def api(account: Account) -> StripeApi:
    """The account, at no pace."""
    return StripeApi(KEY, account.url)


def sell(account: Account, count: int) -> list[str]:
    """So many sales; their sessions."""
    product = account.product(sizes="M", stock_M="100")
    body = {"product": product, "size": "M", "count": count}
    return account.control("/_checkout/paid", body)["sessions"]


def sessions(events: list[dict[str, Any]]) -> list[str]:
    """The sessions that the events tell of."""
    return [e["data"]["object"]["id"] for e in events if e["type"] == "checkout.session.completed"]


def window() -> tuple[datetime, datetime]:
    """The last day, and a minute more."""
    now = datetime.now(UTC)
    return now - timedelta(days=1), now + timedelta(minutes=1)


def test_one_page_of_undelivered_events_costs_one_call(account: Account, api: StripeApi) -> None:
    """Oldest first, products' events among them, others not."""
    sold = sell(account, 20)
    account.forget()
    (events,) = api.undelivered_events(*window())
    assert sessions(events) == sold
    assert [event["type"] for event in events if event["type"].startswith("product")] == ["product.created"]
    assert account.seen()["by_endpoint"] == {EVENTS: 1}


def test_many_undelivered_events_come_oldest_first_a_page_at_a_time(account: Account, api: StripeApi) -> None:
    """650 in the order they happened, each once, in lists of some hundred, for about two calls a page."""
    sold: list[str] = []
    for _ in range(13):
        account.control("/_checkout/age", {"seconds": 7})
        sold += sell(account, 50)
    account.forget()
    lists = [sessions(events) for events in api.undelivered_events(*window())]
    assert [one for events in lists for one in events] == sold
    assert max(len(events) for events in lists) <= 200
    assert account.seen()["by_endpoint"][EVENTS] <= 2 * 7 + 7


def test_many_events_of_one_second_are_read_in_one_list(account: Account, api: StripeApi) -> None:
    """Stripe's times have whole seconds: what happened in one can't be told apart, and none of it is lost."""
    sold = sell(account, 350)
    lists = [sessions(events) for events in api.undelivered_events(*window())]
    assert sorted(one for events in lists for one in events) == sorted(sold)


def test_events_that_are_delivered_meanwhile_take_no_others_along(
    account: Account, api: StripeApi, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the event at which a page ended has left the list, the list is read on by its times."""
    for _ in range(6):
        account.control("/_checkout/age", {"seconds": 7})
        sell(account, 50)
    world, page = simulator.world, simulated.lists.page
    (endpoint,) = world.endpoints
    refused = 0

    def then_one_is_delivered(
        url: str, rows: Iterable[dict[str, Any]], params: Params, *, wanted: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        nonlocal refused
        try:
            found = page(url, rows, params, wanted=wanted)
        except Exception:
            refused += 1
            raise
        if found["has_more"] and found["data"][-1]["object"] == "event":
            simulated.taken(world, found["data"][-1], endpoint)
        return found

    monkeypatch.setattr(simulated.lists, "page", then_one_is_delivered)
    read = {one for events in api.undelivered_events(*window()) for one in sessions(events)}
    left = {one for one in sessions([*world.events.values()]) if _waits(simulator, one)}
    assert refused > 0
    assert left <= read


def _waits(simulator: Simulator, session: str) -> bool:
    return any(
        event["pending_webhooks"]
        for event in simulator.world.events.values()
        if event["data"]["object"]["id"] == session and event["type"] == "checkout.session.completed"
    )


def test_a_list_that_cannot_be_read_at_all_fails(account: Account, api: StripeApi) -> None:
    """An error that no cursor explains is raised as it is."""
    sell(account, 5)
    account.fault("status", method="GET", path="/v1/events", status=400, count=None)
    with pytest.raises(StripeFailed):
        list(api.undelivered_events(*window()))
    account.control("/_reset")


def test_paid_events_name_session_time_and_whether_they_arrived(account: Account, api: StripeApi) -> None:
    """Newest first, unpaid completions left out, delayed payments by the event that told of them."""
    product = account.product(sizes="M", stock_M="100")
    line = {
        "price_data": {"currency": "eur", "unit_amount": 100, "product": product},
        "metadata": {"size": "M"},
        "quantity": 1,
    }
    paid, later = account.sold(line), account.sold(line, outcome="unpaid")
    never = account.sold(line, outcome="async_fail")
    account.control(f"/_checkout/sessions/{later}/pay", {"outcome": "async_succeed"})
    (events,) = api.paid_events(datetime.now(UTC) - timedelta(days=1))
    assert [(event.session, event.type.rsplit(".", 1)[1]) for event in events] == [
        (later, "async_payment_succeeded"),
        (paid, "completed"),
    ]
    assert not any(event.delivered for event in events)
    assert never not in {event.session for event in events}
