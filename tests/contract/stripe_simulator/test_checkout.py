from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from stripe import InvalidRequestError, StripeClient
from stripe.params.checkout import SessionCreateParamsLineItem

Control = Callable[..., Any]


@pytest.fixture
def price(stripe_client: StripeClient) -> str:
    """The price of a shirt in two sizes."""
    shirt = stripe_client.v1.products.create(
        {"name": "Shirt", "metadata": {"sizes": "S, M", "stock_S": "5", "stock_M": "7"}}
    )
    made = stripe_client.v1.prices.create(
        {"product": shirt.id, "currency": "usd", "unit_amount": 1000, "metadata": {"size": "M"}}
    )
    return made.id


def _open(stripe_client: StripeClient, *items: SessionCreateParamsLineItem) -> str:
    return stripe_client.v1.checkout.sessions.create({"mode": "payment", "line_items": list(items)}).id


def test_paid_session_says_so(stripe_client: StripeClient, price: str, control: Control) -> None:
    """Paying completes the session, makes a payment intent, and tells it in an event without line items."""
    session = _open(stripe_client, {"price": price, "quantity": 2})
    control("POST", f"/_checkout/sessions/{session}/pay")
    read = stripe_client.v1.checkout.sessions.retrieve(session, {"expand": ["payment_intent"]}).to_dict()
    assert (read["status"], read["payment_status"], read["amount_total"]) == ("complete", "paid", 2000)
    assert read["payment_intent"]["status"] == "succeeded"
    event = stripe_client.v1.events.list({"type": "checkout.session.completed"}).data[0].to_dict()
    assert event["data"]["object"]["id"] == session
    assert "line_items" not in event["data"]["object"]


def test_line_items_page_and_expand(stripe_client: StripeClient, price: str) -> None:
    """Line items keep the cart's order over pages, carry metadata, and expand their products."""
    rows: list[SessionCreateParamsLineItem] = [
        {"price": price, "quantity": n + 1, "metadata": {"size": f"s{n}"}} for n in range(12)
    ]
    session = _open(stripe_client, *rows)
    items = stripe_client.v1.checkout.sessions.line_items.list(
        session, {"limit": 5, "expand": ["data.price.product"]}
    )
    found = [item.to_dict() for item in items.auto_paging_iter()]
    assert [item["quantity"] for item in found] == list(range(1, 13))
    assert found[3]["metadata"] == {"size": "s3"}
    assert found[3]["price"]["product"]["metadata"]["stock_M"] == "7"


def test_session_shows_line_items_only_when_asked(stripe_client: StripeClient, price: str) -> None:
    """`line_items` is absent unless expanded, and then holds the first ten."""
    row: SessionCreateParamsLineItem = {"price": price, "quantity": 1}
    session = _open(stripe_client, *[row] * 11)
    sessions = stripe_client.v1.checkout.sessions
    assert "line_items" not in sessions.retrieve(session).to_dict()
    shown = sessions.retrieve(session, {"expand": ["line_items"]}).to_dict()["line_items"]
    assert (len(shown["data"]), shown["has_more"]) == (10, True)


def test_inline_price_makes_a_product_of_its_own(stripe_client: StripeClient) -> None:
    """`price_data` with `product_data` makes an ad-hoc product that shows by expansion."""
    session = _open(
        stripe_client,
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 5,
                "product_data": {"name": "Once", "metadata": {"size": "L"}},
            },
        },
    )
    items = stripe_client.v1.checkout.sessions.line_items.list(session, {"expand": ["data.price.product"]})
    product = items.data[0].to_dict()["price"]["product"]
    assert (product["name"], product["active"], product["metadata"]) == ("Once", False, {"size": "L"})


def test_only_open_sessions_expire(stripe_client: StripeClient, price: str, control: Control) -> None:
    """An open session expires with an event; a paid one refuses."""
    sessions = stripe_client.v1.checkout.sessions
    left, paid = (_open(stripe_client, {"price": price, "quantity": 1}) for _ in range(2))
    control("POST", f"/_checkout/sessions/{paid}/pay")
    assert sessions.expire(left).status == "expired"
    with pytest.raises(InvalidRequestError):
        sessions.expire(paid)
    assert [one.id for one in sessions.list({"status": "expired"}).data] == [left]


def test_delayed_payment_comes_or_fails(stripe_client: StripeClient, price: str, control: Control) -> None:
    """A delayed method completes as unpaid; success or failure follows as an event of its own."""
    good, bad = (_open(stripe_client, {"price": price, "quantity": 1}) for _ in range(2))
    for session in (good, bad):
        assert (
            control("POST", f"/_checkout/sessions/{session}/pay", outcome="unpaid")["payment_status"]
            == "unpaid"
        )
    paid = control("POST", f"/_checkout/sessions/{good}/pay", outcome="async_succeed")
    failed = control("POST", f"/_checkout/sessions/{bad}/pay", outcome="async_fail")
    assert (paid["payment_status"], failed["payment_status"]) == ("paid", "unpaid")
    kinds = [one.type for one in stripe_client.v1.events.list({"types": ["checkout.session.*"]}).data]
    assert kinds[:2] == ["checkout.session.async_payment_failed", "checkout.session.async_payment_succeeded"]


def test_customer_changes_quantities(stripe_client: StripeClient, price: str, control: Control) -> None:
    """Quantities change at payment; a line with none left is no longer there."""
    session = _open(stripe_client, {"price": price, "quantity": 1}, {"price": price, "quantity": 1})
    items = stripe_client.v1.checkout.sessions.line_items
    first, second = (item.id for item in items.list(session).data)
    paid = control("POST", f"/_checkout/sessions/{session}/pay", quantities={first: 5, second: 0})
    assert [(item.id, item.quantity) for item in items.list(session).data] == [(first, 5)]
    assert paid["amount_total"] == 5000


def test_payment_link_makes_sessions(stripe_client: StripeClient, price: str, control: Control) -> None:
    """A link's session has its lines, a copy of its metadata, and the answer to its custom field."""
    link = stripe_client.v1.payment_links.create(
        {
            "line_items": [{"price": price, "quantity": 1}],
            "metadata": {"source": "poster"},
            "custom_fields": [
                {
                    "key": "size",
                    "type": "dropdown",
                    "label": {"type": "custom", "custom": "Size"},
                    "dropdown": {"options": [{"label": "Small", "value": "S"}]},
                }
            ],
        }
    )
    made = control("POST", f"/_payment_links/{link.id}/checkout", fields={"size": "S"}, quantities=[3])
    listed = stripe_client.v1.checkout.sessions.list({"payment_link": link.id}).data[0].to_dict()
    assert (listed["id"], listed["metadata"]) == (made["id"], {"source": "poster"})
    assert listed["custom_fields"][0]["dropdown"]["value"] == "S"
    assert listed["amount_total"] == 3000


def test_refund_names_an_amount(stripe_client: StripeClient, price: str, control: Control) -> None:
    """A refund of a paid session gives back money, never more than was paid; its event tells what had gone before."""
    session = _open(stripe_client, {"price": price, "quantity": 2})
    paid = control("POST", f"/_checkout/sessions/{session}/pay")
    refund = stripe_client.v1.refunds.create({"payment_intent": paid["payment_intent"], "amount": 500})
    assert (refund.amount, refund.status) == (500, "succeeded")
    with pytest.raises(InvalidRequestError):
        stripe_client.v1.refunds.create({"payment_intent": paid["payment_intent"], "amount": 1501})
    stripe_client.v1.refunds.create({"payment_intent": paid["payment_intent"], "amount": 300})
    events = stripe_client.v1.events.list({"type": "charge.refunded"}).to_dict()["data"]
    told = [(one["data"]["object"]["amount_refunded"], one["data"]["previous_attributes"]) for one in events]
    assert told == [(800, {"amount_refunded": 500}), (500, {"amount_refunded": 0})]


def test_many_customers_at_once_pay_like_one(stripe_client: StripeClient, control: Control) -> None:
    """Sessions sold in bulk have the fields, lines and events of one paid by itself; the oracle counts them."""
    metadata = {"sizes": "S, M", "stock_S": "5", "stock_M": "70"}
    shirt = stripe_client.v1.products.create({"name": "Shirt", "metadata": metadata}).id
    sold = control("POST", "/_checkout/paid", product=shirt, size="M", quantity=2, count=3)["sessions"]
    line: SessionCreateParamsLineItem = {
        "price_data": {"product": shirt, "currency": "eur", "unit_amount": 4900},
        "quantity": 2,
        "metadata": {"size": "M"},
    }
    alone = stripe_client.v1.checkout.sessions.create(
        {"mode": "payment", "success_url": "https://shop.example/thanks", "line_items": [line]}
    ).id
    control("POST", f"/_checkout/sessions/{alone}/pay")
    assert len(set(sold)) == 3
    assert {_shape(stripe_client, one) for one in sold} == {_shape(stripe_client, alone)}
    assert control("GET", "/_oracle")["stock"][shirt] == {"S": 5, "M": 62}


def _shape(stripe_client: StripeClient, session: str) -> str:
    """A session with its line and its events, without ids and times."""
    expand = ["line_items", "line_items.data.price"]
    read = stripe_client.v1.checkout.sessions.retrieve(session, {"expand": expand}).to_dict()
    related = {session, read["payment_intent"]}
    told = [
        event.type
        for event in stripe_client.v1.events.list({"limit": 100}).data
        if related & {(thing := event.to_dict()["data"]["object"])["id"], thing.get("payment_intent")}
    ]
    plain = re.sub(r"\b(cs_test|li|price|pi)_\w+", "ID", json.dumps([read, told], default=str))
    return re.sub(r'"(created|expires_at)": \d+', "TIME", plain)
