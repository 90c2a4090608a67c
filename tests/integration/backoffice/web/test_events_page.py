from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from services.stripe_simulator.simulator import Simulator
from shared.topology import SALES
from tests.support.pages import Browser, Pages, add_people, served
from tests.support.postgres import fresh_database

BUYER = "zoe@example.com"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A shop in Stripe with one product, and one sale of it that no webhook told of."""
    with Simulator.start(port=0) as simulator:
        client = stripe.StripeClient("sk_test_pages", base_addresses={"api": simulator.url})
        mug = client.v1.products.create({"name": "Mug", "metadata": {"stock": "9"}})
        price = client.v1.prices.create({"product": mug.id, "currency": "eur", "unit_amount": 500})
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://shop.example/thanks",
                "customer_email": BUYER,
                "line_items": [{"price": price.id, "quantity": 2}],
            }
        )
        paid = requests.post(f"{simulator.url}/_checkout/sessions/{session.id}/pay", json={}, timeout=10)
        paid.raise_for_status()
        yield simulator


@pytest.fixture(scope="module")
def site(postgres: str, simulator: Simulator) -> Iterator[Pages]:
    """The pages, beside that Stripe."""
    with fresh_database(postgres) as url, served(url, stripe=simulator.url) as made:
        add_people(made.database, olga="operator", viola="viewer")
        yield made


def told(simulator: Simulator, kind: str) -> dict[str, Any]:
    """The newest event of that type in Stripe's log."""
    listed = requests.get(
        f"{simulator.url}/v1/events?type={kind}",
        headers={"Authorization": "Bearer sk_test_pages"},
        timeout=10,
    )
    return listed.json()["data"][0]


def test_events_are_shown_with_what_became_of_them(simulator: Simulator, viola: Browser) -> None:
    """Stripe's log beside ours: a sale that nobody told of is never heard of; a group narrows the list."""
    event = told(simulator, "checkout.session.completed")
    shown = viola.get("/events").text
    assert f"/events/{event['id']}" in shown
    assert "never heard of" in shown
    products = viola.get("/events?group=product").text
    assert "product.created" in products
    assert event["id"] not in products


def test_an_event_is_shown_without_who_bought(simulator: Simulator, viola: Browser) -> None:
    """What it says of stock and money, and nothing of people; viewers can't replay it."""
    event = told(simulator, "checkout.session.completed")
    shown = viola.get(f"/events/{event['id']}").text
    assert "amount_total" in shown
    assert BUYER not in shown
    assert "Replay it" not in shown


def test_an_event_is_replayed(site: Pages, simulator: Simulator, olga: Browser) -> None:
    """The message that its webhook would have become is in the queue, with who asked for it."""
    event = told(simulator, "checkout.session.completed")
    assert f"{event['id']}: sent: {event['data']['object']['id']}" in olga.done(
        f"/events/{event['id']}/replay"
    )
    assert site.broker.depth(SALES).ready == 1


def test_an_event_that_asks_nothing_of_stock_is_not_replayed(simulator: Simulator, olga: Browser) -> None:
    """What was not sent is a problem in words, never a notice that looks like success."""
    event = told(simulator, "payment_intent.succeeded")
    assert "was not sent" in olga.refused(f"/events/{event['id']}/replay")


@pytest.mark.parametrize(
    ("path", "words"), [("/events/evt_none", "no event"), ("/events?group=invoice", "no such type")]
)
def test_what_is_not_there_is_said(path: str, words: str, viola: Browser) -> None:
    """In words, with 422."""
    answer = viola.get(path)
    assert (answer.status_code, words in answer.text.lower()) == (422, True)


def test_without_stripe_the_page_says_so(postgres: str) -> None:
    """Where Stripe does not answer nothing is shown as if there were nothing."""
    with fresh_database(postgres) as url, served(url) as alone:
        add_people(alone.database, viola="viewer")
        answer = alone.browser("viola").get("/events")
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
