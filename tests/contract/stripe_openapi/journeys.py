"""Walks through every endpoint that the simulator serves, one per resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from tests.contract.stripe_openapi.checked import Checked, Json

Journey: TypeAlias = Callable[[Checked], object]

SIZES: Final = {
    "name": "Tee",
    "description": "Cotton",
    "images[0]": "https://shop.example/tee.png",
    "marketing_features[0][name]": "Soft",
    "shippable": "true",
    "metadata[sizes]": "S,M",
    "metadata[stock_S]": "3",
    "metadata[stock_M]": "5",
}
SHOP: Final = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}


def products(stripe: Checked) -> None:
    """Make, read, list, change and delete products."""
    shelf = stripe.post("/v1/products", SIZES)
    priced = stripe.post(
        "/v1/products",
        {"name": "Cap", "default_price_data[currency]": "eur", "default_price_data[unit_amount]": "900"},
    )
    stripe.get(f"/v1/products/{shelf['id']}")
    expanded = stripe.get(f"/v1/products/{priced['id']}", **{"expand[]": "default_price"})
    assert expanded["default_price"]["object"] == "price"
    stripe.get("/v1/products", active="true", limit="1")
    stripe.get("/v1/products", **{"ids[]": [shelf["id"], priced["id"]]})
    changed = stripe.post(f"/v1/products/{shelf['id']}", {"metadata[stock_S]": "2", "metadata[sizes]": ""})
    assert changed["metadata"] == {"stock_S": "2", "stock_M": "5"}
    assert not stripe.post(f"/v1/products/{priced['id']}", {"active": "false"})["active"]
    on_sale = stripe.get("/v1/products", active="true", **{"ids[]": [shelf["id"], priced["id"]]})["data"]
    assert [one["id"] for one in on_sale] == [shelf["id"]]
    assert stripe.delete(f"/v1/products/{shelf['id']}")["deleted"]


def prices(stripe: Checked) -> Json:
    """Make prices of every kind, read, list and change them."""
    product = stripe.post("/v1/products", SIZES)
    for form in (
        {"product": product["id"], "currency": "usd", "unit_amount": "1500", "metadata[size]": "M"},
        {"product": product["id"], "currency": "usd", "unit_amount_decimal": "12.5", "nickname": "sample"},
        {"product": product["id"], "currency": "jpy", "unit_amount": "900", "recurring[interval]": "month"},
        {"product_data[name]": "Sock", "currency": "eur", "unit_amount": "500", "lookup_key": "sock"},
    ):
        made = stripe.post("/v1/prices", form)
        stripe.get(f"/v1/prices/{made['id']}", **{"expand[]": "product"})
    stripe.get("/v1/prices", product=product["id"], active="true")
    stripe.post(f"/v1/prices/{made['id']}", {"active": "false", "metadata[a]": "b", "nickname": "old"})
    return stripe.get("/v1/prices", product=product["id"])["data"][-1]


def sessions(stripe: Checked) -> None:
    """Make checkout sessions with each way of naming the goods, pay, list, expand and expire them."""
    price = prices(stripe)["id"]
    by_price = open_session(stripe, price)
    inline = stripe.post(
        "/v1/checkout/sessions",
        {
            **SHOP,
            "mode": "payment",
            "client_reference_id": "order-7",
            "metadata[manifest]": "[]",
            "line_items[0][quantity]": "2",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": "700",
            "line_items[0][price_data][product_data][name]": "Mug",
            "line_items[0][adjustable_quantity][enabled]": "true",
            "custom_fields[0][key]": "size",
            "custom_fields[0][type]": "dropdown",
            "custom_fields[0][label][type]": "custom",
            "custom_fields[0][label][custom]": "Size",
            "custom_fields[0][dropdown][options][0][label]": "Small",
            "custom_fields[0][dropdown][options][0][value]": "S",
        },
    )
    stripe.post(f"/v1/checkout/sessions/{inline['id']}", {"metadata[note]": "gift"})
    stripe.control(f"/_checkout/sessions/{by_price['id']}/pay")
    paid = stripe.get(
        f"/v1/checkout/sessions/{by_price['id']}",
        **{"expand[]": ["line_items.data.price.product", "payment_intent.latest_charge"]},
    )
    assert paid["payment_status"] == "paid"
    assert paid["line_items"]["data"][0]["price"]["product"]["metadata"]["stock_M"] == "5"
    assert paid["payment_intent"]["latest_charge"]["object"] == "charge"
    stripe.get(f"/v1/checkout/sessions/{by_price['id']}/line_items", limit="1")
    stripe.get(f"/v1/checkout/sessions/{inline['id']}/line_items", **{"expand[]": "data.price.product"})
    stripe.get("/v1/checkout/sessions", status="complete", **{"created[gte]": "1"})
    left = stripe.get("/v1/checkout/sessions", status="open", **{"expand[]": "data.line_items"})["data"]
    assert [one["id"] for one in left] == [inline["id"]]
    assert left[0]["line_items"]["data"][0]["quantity"] == 2
    assert stripe.post(f"/v1/checkout/sessions/{inline['id']}/expire")["status"] == "expired"


def open_session(stripe: Checked, price: str, *methods: str) -> Json:
    """An open session of two of `price`."""
    form = {
        **SHOP,
        "mode": "payment",
        "line_items[0][price]": price,
        "line_items[0][quantity]": "2",
        "line_items[0][metadata][size]": "M",
        "payment_intent_data[setup_future_usage]": "off_session",
        "payment_intent_data[shipping][name]": "Jenny Rosen",
    }
    return stripe.post("/v1/checkout/sessions", {**form, "payment_method_types[]": methods or ("card",)})


def delayed_payments(stripe: Checked) -> None:
    """Sessions whose money comes later, fails, or waits."""
    price = prices(stripe)["id"]
    for outcome in ("unpaid", "async_succeed", "async_fail"):
        session = open_session(stripe, price, "sepa_debit")
        stripe.control(f"/_checkout/sessions/{session['id']}/pay", {"outcome": outcome})
        stripe.get(f"/v1/checkout/sessions/{session['id']}", **{"expand[]": "payment_intent"})
    stripe.get("/v1/payment_intents")


def payment_links(stripe: Checked) -> None:
    """Make a payment link that asks for a size, and a session of it."""
    form = {
        "line_items[0][price]": prices(stripe)["id"],
        "line_items[0][quantity]": "1",
        "custom_fields[0][key]": "size",
        "custom_fields[0][type]": "text",
        "custom_fields[0][label][type]": "custom",
        "custom_fields[0][label][custom]": "Size",
        "submit_type": "pay",
    }
    link = stripe.post("/v1/payment_links", form)
    stripe.get(f"/v1/payment_links/{link['id']}", **{"expand[]": "line_items"})
    stripe.get(f"/v1/payment_links/{link['id']}/line_items")
    bought = stripe.control(f"/_payment_links/{link['id']}/checkout", {"fields": {"size": "M"}})
    session = stripe.get(f"/v1/checkout/sessions/{bought['id']}", **{"expand[]": "payment_link"})
    assert session["custom_fields"][0]["text"]["value"] == "M"
    stripe.get("/v1/checkout/sessions", payment_link=link["id"])
    stripe.post(f"/v1/payment_links/{link['id']}", {"active": "false", "metadata[season]": "summer"})
    stripe.get("/v1/payment_links", active="false")
    stripe.post(f"/v1/payment_links/{link['id']}", {"active": "true"})
    (shown,) = stripe.get("/v1/payment_links", active="true", **{"expand[]": "data.line_items"})["data"]
    assert isinstance(shown["line_items"]["data"][0]["price"]["product"], str)


def payments(stripe: Checked) -> None:
    """Payment methods, intents, charges and refunds."""
    method = stripe.post(
        "/v1/payment_methods",
        {"type": "card", "card[token]": "tok_visa", "billing_details[address][city]": "Wien"},
    )
    debit = stripe.post(
        "/v1/payment_methods", {"type": "sepa_debit", "sepa_debit[iban]": "AT611904300234573201"}
    )
    for one in (method, debit):
        stripe.get(f"/v1/payment_methods/{one['id']}")
    intent = stripe.post("/v1/payment_intents", {"amount": "900", "currency": "usd", "metadata[order]": "7"})
    stripe.post(f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": method["id"]})
    paid = stripe.get(f"/v1/payment_intents/{intent['id']}", **{"expand[]": "latest_charge"})
    part = stripe.post("/v1/refunds", {"payment_intent": paid["id"], "amount": "300", "metadata[stock]": "S"})
    whole = stripe.post("/v1/refunds", {"charge": paid["latest_charge"]["id"], "reason": "fraudulent"})
    stripe.post(f"/v1/refunds/{part['id']}", {"metadata[stock]": "M"})
    stripe.get(f"/v1/refunds/{whole['id']}", **{"expand[]": "charge"})
    stripe.get("/v1/refunds", payment_intent=paid["id"])
    assert stripe.get(f"/v1/charges/{paid['latest_charge']['id']}")["refunded"]
    stripe.get("/v1/charges", payment_intent=paid["id"])
    stripe.get("/v1/payment_intents", limit="3")


def disputes(stripe: Checked) -> None:
    """A bank asks, takes money back, and decides."""
    for moves in (
        ("needs_response", "under_review", "won"),
        ("warning_needs_response", "needs_response", "lost"),
        ("warning_needs_response", "warning_under_review", "warning_closed"),
        ("prevented",),
    ):
        paid = stripe.post("/v1/payment_intents", {"amount": "900", "currency": "usd", "confirm": "true"})
        opened = stripe.control(
            "/_disputes", {"payment_intent": paid["id"], "status": moves[0], "amount": 500}
        )
        for status in moves[1:]:
            stripe.control(f"/_disputes/{opened['id']}", {"status": status})
        read = stripe.get(f"/v1/disputes/{opened['id']}", **{"expand[]": ["charge", "payment_intent"]})
        assert (read["status"], read["charge"]["disputed"]) == (moves[-1], True)
        assert (
            len(stripe.get("/v1/disputes", payment_intent=paid["id"], charge=opened["charge"])["data"]) == 1
        )
    stripe.get("/v1/disputes", limit="2", **{"created[gte]": "1"})


def events(stripe: Checked) -> None:
    """List, read and retry events."""
    product = stripe.post("/v1/products", SIZES)
    stripe.post(f"/v1/products/{product['id']}", {"metadata[stock_S]": "1"})
    stripe.get("/v1/events", delivery_success="true", limit="2")
    listed = stripe.get("/v1/events", **{"types[]": ["product.updated"], "created[gte]": "1"})
    event = stripe.get(f"/v1/events/{listed['data'][0]['id']}")
    assert event["data"]["previous_attributes"]["metadata"] == {"stock_S": "3"}
    stripe.post(f"/v1/events/{event['id']}/retry")


def webhook_endpoints(stripe: Checked) -> None:
    """Make, read, list, change and remove webhook endpoints."""
    form = {"url": "http://127.0.0.1:9/hook", "enabled_events[]": "product.updated", "description": "shop"}
    endpoint = stripe.post("/v1/webhook_endpoints", form)
    assert endpoint["secret"].startswith("whsec_")
    assert "secret" not in stripe.get(f"/v1/webhook_endpoints/{endpoint['id']}")
    stripe.get("/v1/webhook_endpoints")
    stripe.post(f"/v1/webhook_endpoints/{endpoint['id']}", {"disabled": "true", "metadata[a]": "b"})
    stripe.delete(f"/v1/webhook_endpoints/{endpoint['id']}")


def account(stripe: Checked) -> None:
    """Whose key it is."""
    stripe.get("/v1/account")


JOURNEYS: Final[tuple[Journey, ...]] = (
    products,
    prices,
    sessions,
    delayed_payments,
    payment_links,
    payments,
    disputes,
    events,
    webhook_endpoints,
    account,
)
