from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stripe import StripeClient

Control = Callable[..., Any]
STOCK = {"sizes": "S, M", "stock_S": "5", "stock_M": "7"}


@pytest.fixture
def shirt(stripe_client: StripeClient) -> str:
    """A shirt in two sizes."""
    return stripe_client.v1.products.create({"name": "Shirt", "metadata": STOCK}).id


@pytest.fixture
def sell(stripe_client: StripeClient, shirt: str, control: Control) -> Callable[..., dict[str, Any]]:
    """Sell shirts and read the oracle; `price` and `line` are metadata, `session` too."""

    def paid(
        quantity: int = 1,
        *,
        session: dict[str, str] | None = None,
        price: dict[str, str] | None = None,
        line: dict[str, str] | None = None,
        **payment: object,
    ) -> dict[str, Any]:
        made = stripe_client.v1.prices.create(
            {"product": shirt, "currency": "usd", "unit_amount": 5, "metadata": price or {}}
        )
        cart = stripe_client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"price": made.id, "quantity": quantity, "metadata": line or {}}],
                "metadata": session or {},
            }
        )
        control("POST", f"/_checkout/sessions/{cart.id}/pay", **payment)
        return control("GET", "/_oracle")

    return paid


@pytest.mark.parametrize("way", ["line", "price", "session"])
def test_sale_comes_off_the_size_that_was_named(
    sell: Callable[..., dict[str, Any]], shirt: str, way: str
) -> None:
    """The size counts wherever the shop wrote it."""
    assert sell(2, **{way: {"size": "M"}})["stock"][shirt] == {"S": 5, "M": 5}


def test_manifest_names_the_size(sell: Callable[..., dict[str, Any]], shirt: str) -> None:
    """`item_<n>_…` names size and product, the line item the quantity."""
    manifest = {"item_0_product_id": shirt, "item_0_size": "S", "item_0_quantity": "1"}
    assert sell(3, session=manifest)["stock"][shirt] == {"S": 2, "M": 7}


def test_unnamed_size_has_no_place(sell: Callable[..., dict[str, Any]], shirt: str) -> None:
    """A sale of a sized product that names no size, or one it has not, comes off nothing."""
    sell()
    report = sell(price={"size": "XXL"})
    assert report["stock"][shirt] == {"S": 5, "M": 7}
    assert [line["reason"] for line in report["unplaced"]] == ["no_size", "unknown_size"]


def test_declared_truth_beats_every_name(
    sell: Callable[..., dict[str, Any]], shirt: str, control: Control
) -> None:
    """What the shop declares a line to be is what counts, also when it is declared after the payment."""
    report = sell(price={"size": "S"}, lines=[{"product": shirt, "size": "M"}])
    assert report["stock"][shirt] == {"S": 5, "M": 6}
    session = report["sold"][0]["session"]
    control("POST", f"/_oracle/sessions/{session}", lines=[{"product": shirt, "size": "S"}])
    assert control("GET", "/_oracle")["stock"][shirt] == {"S": 4, "M": 7}


def test_unpaid_session_intends_nothing(sell: Callable[..., dict[str, Any]], shirt: str) -> None:
    """Only money that came takes units off."""
    assert sell(price={"size": "S"}, outcome="unpaid")["stock"][shirt]["S"] == 5
    assert sell(price={"size": "S"}, outcome="async_fail")["stock"][shirt]["S"] == 5
    assert sell(price={"size": "S"}, outcome="async_succeed")["stock"][shirt]["S"] == 4


def test_keepers_write_is_no_intention(stripe_client: StripeClient, shirt: str, control: Control) -> None:
    """A write under an idempotency key with a `stock_rev` moves the metadata, never the oracle."""
    stripe_client.v1.products.update(
        shirt, {"metadata": {"stock_S": "1", "stock_rev": "1:a:1:00000000"}}, {"idempotency_key": "keeper-1"}
    )
    assert control("GET", "/_oracle")["stock"][shirt]["S"] == 5


def test_script_without_marker_is_a_person(stripe_client: StripeClient, shirt: str, control: Control) -> None:
    """An API write without `stock_rev` counts as the difference to what was shown."""
    stripe_client.v1.products.update(shirt, {"metadata": {"stock_S": "9"}})
    assert control("GET", "/_oracle")["stock"][shirt]["S"] == 9


def test_restock_adds_to_what_was_sold_meanwhile(
    sell: Callable[..., dict[str, Any]], shirt: str, control: Control
) -> None:
    """A person's number counts as a difference to what the person saw, not as the truth."""
    sell(2, price={"size": "S"})
    control("POST", f"/_dashboard/products/{shirt}", absolute={"stock_S": "15"})
    assert control("GET", "/_oracle")["stock"][shirt]["S"] == 13


def test_stale_form_saves_old_values_but_intends_only_the_typed_one(
    stripe_client: StripeClient, shirt: str, control: Control
) -> None:
    """A whole form loaded earlier tramples newer metadata; the intention is what was typed."""
    form = control("GET", f"/_dashboard/products/{shirt}")["metadata"]
    stripe_client.v1.products.update(
        shirt, {"metadata": {"stock_S": "2", "stock_rev": "1:a:1:00000000"}}, {"idempotency_key": "keeper-1"}
    )
    control("POST", f"/_dashboard/products/{shirt}", relative={"stock_M": 3}, form=form)
    assert stripe_client.v1.products.retrieve(shirt).metadata["stock_S"] == "5"
    assert control("GET", "/_oracle")["stock"][shirt] == {"S": 5, "M": 10}


def test_dashboard_edit_has_no_idempotency_key(
    stripe_client: StripeClient, shirt: str, control: Control
) -> None:
    """The event of a person's edit names no idempotency key."""
    control("POST", f"/_dashboard/products/{shirt}", relative={"stock_S": 1})
    event = stripe_client.v1.events.list({"type": "product.updated"}).data[0].to_dict()
    assert event["request"]["idempotency_key"] is None


def test_restock_of_an_oversold_size_starts_at_what_was_typed(
    sell: Callable[..., dict[str, Any]], shirt: str, control: Control
) -> None:
    """Units sold beyond zero are kept apart once a person types over the 0 that is shown."""
    control("POST", f"/_dashboard/products/{shirt}", absolute={"stock_S": "0"})
    assert sell(3, price={"size": "S"})["stock"][shirt]["S"] == -3
    control("POST", f"/_dashboard/products/{shirt}", absolute={"stock_S": "10"})
    report = control("GET", "/_oracle")
    assert report["stock"][shirt]["S"] == 10
    assert report["oversold"] == [{"product": shirt, "size": "S", "units": 3}]


def test_reset_forgets(sell: Callable[..., dict[str, Any]], control: Control) -> None:
    """After a reset there is neither stock nor sale."""
    sell(price={"size": "S"})
    control("POST", "/_reset")
    assert control("GET", "/_oracle")["stock"] == {}
    assert control("GET", "/_requests")["total"] == 0
