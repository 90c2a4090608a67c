from __future__ import annotations

import pytest
import requests

from tests.contract.stripe_cli.shop import Json, Shop
from tests.support.stripe_cli import StripeCli

SESSIONS: dict[str, Json] = {
    "checkout.session.completed": {"status": "complete", "payment_status": "paid"},
    "checkout.session.async_payment_succeeded": {"status": "complete", "payment_status": "paid"},
    "checkout.session.async_payment_failed": {"status": "complete", "payment_status": "unpaid"},
    "checkout.session.expired": {"status": "expired", "payment_status": "unpaid"},
}


@pytest.mark.parametrize(("kind", "state"), SESSIONS.items())
def test_trigger_brings_a_session_into_its_state(cli: StripeCli, shop: Shop, kind: str, state: Json) -> None:
    """`stripe trigger checkout.session.…` leaves one such event, and event and session are in its state."""
    cli.run("trigger", kind)
    [event] = shop.events(kind)
    told = event["data"]["object"]
    session = shop.get(f"/v1/checkout/sessions/{told['id']}")
    assert state.items() <= told.items()
    assert state.items() <= session.items()
    lines = shop.get(f"/v1/checkout/sessions/{told['id']}/line_items")["data"]
    assert sum(line["amount_total"] for line in lines) == session["amount_total"] > 0


@pytest.mark.parametrize("kind", ["async_payment_succeeded", "async_payment_failed"])
def test_trigger_completes_a_bank_debit_before_its_money_comes(cli: StripeCli, shop: Shop, kind: str) -> None:
    """A session paid by bank debit first completes unpaid; only the later event tells what became of it."""
    cli.run("trigger", f"checkout.session.{kind}")
    [completed], [later] = shop.events("checkout.session.completed"), shop.events(f"checkout.session.{kind}")
    assert completed["data"]["object"]["payment_status"] == "unpaid"
    assert completed["data"]["object"]["id"] == later["data"]["object"]["id"]


def test_trigger_creates_a_product(cli: StripeCli, shop: Shop) -> None:
    """`stripe trigger product.created` leaves a product and the event that tells of it."""
    cli.run("trigger", "product.created")
    [event] = shop.events("product.created")
    told = event["data"]["object"]
    assert shop.get(f"/v1/products/{told['id']}") == told


def test_trigger_updates_a_product(cli: StripeCli, shop: Shop) -> None:
    """`stripe trigger product.updated` leaves an event with the new metadata and what was there before."""
    cli.run("trigger", "product.updated")
    [event] = shop.events("product.updated")
    told = event["data"]["object"]
    assert event["data"]["previous_attributes"]["metadata"] == dict.fromkeys(told["metadata"])
    assert shop.get(f"/v1/products/{told['id']}")["metadata"] == told["metadata"] != {}


def test_trigger_deletes_a_product(cli: StripeCli, shop: Shop) -> None:
    """`stripe trigger product.deleted` leaves the event, and no product."""
    cli.run("trigger", "product.deleted")
    [event] = shop.events("product.deleted")
    with pytest.raises(requests.HTTPError, match="404"):
        shop.get(f"/v1/products/{event['data']['object']['id']}")


def test_trigger_refunds_a_charge(cli: StripeCli, shop: Shop) -> None:
    """`stripe trigger charge.refunded` leaves a charge that is refunded whole, and its refund."""
    cli.run("trigger", "charge.refunded")
    [event] = shop.events("charge.refunded")
    charge = shop.get(f"/v1/charges/{event['data']['object']['id']}")
    [refund] = shop.get(f"/v1/refunds?charge={charge['id']}")["data"]
    assert charge["refunded"]
    assert charge["amount_refunded"] == refund["amount"] == charge["amount"]


def test_an_unknown_event_fails(cli: StripeCli) -> None:
    """Negative control: the tool's exit code tells where a trigger did not succeed."""
    with pytest.raises(AssertionError, match="not supported"):
        cli.run("trigger", "product.nonsense")
