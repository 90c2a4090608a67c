from __future__ import annotations

import json

import pytest
from stripe import SignatureVerificationError

from tests.contract.stripe_cli.shop import Receiver, Shop
from tests.support.stripe_cli import StripeCli


def test_products_list_shows_the_account(cli: StripeCli, shop: Shop) -> None:
    """`stripe products list` prints the account's products, newest first."""
    first, second = shop.product(), shop.product(stock_M="3")
    listed = json.loads(cli.run("products", "list", "--limit", "5"))
    assert [product["id"] for product in listed["data"]] == [second, first]
    assert listed["data"][0]["metadata"] == {"stock_M": "3"}


def test_products_update_changes_one_number(cli: StripeCli, shop: Shop) -> None:
    """`stripe products update` merges metadata, and its event has what was there before."""
    product = shop.product(stock_S="1", stock_M="3")
    cli.run("products", "update", product, "-d", "metadata[stock_M]=9")
    assert shop.get(f"/v1/products/{product}")["metadata"] == {"stock_S": "1", "stock_M": "9"}
    [event] = shop.events("product.updated")
    assert event["data"]["previous_attributes"]["metadata"] == {"stock_M": "3"}


def test_events_resend_delivers_again(cli: StripeCli, shop: Shop, receiver: Receiver) -> None:
    """`stripe events resend` delivers the same event to the endpoint once more, newly signed."""
    form = {"url": receiver.url, "enabled_events[]": "product.created"}
    endpoint = shop.call("POST", "/v1/webhook_endpoints", form)
    shop.product()
    first = receiver.hears()
    assert first is not None
    assert first.signed_with(endpoint["secret"])
    cli.run("events", "resend", first.event["id"], "--webhook-endpoint", endpoint["id"])
    again = receiver.hears()
    assert again is not None
    assert again.signed_with(endpoint["secret"])
    assert again.event["id"] == first.event["id"]


def test_listen_forwards_what_happens(cli: StripeCli, shop: Shop, receiver: Receiver) -> None:
    """`stripe listen --forward-to` brings an event to the local program, signed with the secret it printed."""
    with cli.listening(receiver.url, "--all-snapshot") as secret:
        webhook = receiver.hears_of(shop.product)
    assert webhook.event["type"] == "product.created"
    assert webhook.signed_with(secret)
    with pytest.raises(SignatureVerificationError):
        webhook.signed_with("whsec_another")


def test_listen_forwards_only_what_was_asked_for(cli: StripeCli, shop: Shop, receiver: Receiver) -> None:
    """`stripe listen --events` leaves out the events of other types."""

    def change() -> None:
        shop.call("POST", f"/v1/products/{shop.product()}", {"metadata[stock_M]": "2"})

    with cli.listening(receiver.url, "--events", "product.updated"):
        heard = [receiver.hears_of(change)]
    while later := receiver.hears(0.2):
        heard.append(later)
    assert {webhook.event["type"] for webhook in heard} == {"product.updated"}


def test_events_resend_reaches_a_listener(cli: StripeCli, shop: Shop, receiver: Receiver) -> None:
    """`stripe events resend` without an endpoint brings an old event to whoever listens."""
    shop.product()
    [event] = shop.events("product.created")
    with cli.listening(receiver.url, "--all-snapshot") as secret:
        webhook = receiver.hears_of(lambda: cli.run("events", "resend", event["id"]))
    assert webhook.event["id"] == event["id"]
    assert webhook.signed_with(secret)


def test_listen_tells_its_secret_beforehand(cli: StripeCli, receiver: Receiver) -> None:
    """`stripe listen --print-secret` prints the secret that a later `stripe listen` will sign with."""
    told = cli.run("listen", "--print-secret").strip()
    with cli.listening(receiver.url, "--all-snapshot") as secret:
        assert secret == told
