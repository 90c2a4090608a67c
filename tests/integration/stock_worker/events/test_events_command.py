from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from services.stripe_simulator.pay import BUYER
from shared.vocabulary import ProductId
from tests.integration.stock_worker.events.telling import COMPLETED, event, heard, outcomes
from tests.integration.stock_worker.shop import Shop
from tests.support.command import Command


def test_each_event_is_listed_with_what_became_of_it(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Newest first: booked, never heard of, never paid, looked at; and none that stocksync does not listen to."""
    booked = heard(shop, shop.sold(shop.line(shirt, "M")))
    unheard = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    cart: Any = {
        "mode": "payment",
        "success_url": "https://shop.example",
        "line_items": [shop.line(shirt, "M")],
    }
    open_one = shop.stripe.v1.checkout.sessions.create(cart).id
    shop.stripe.v1.checkout.sessions.expire(open_one)
    expired = event(shop, "checkout.session.expired", open_one)
    made = event(shop, "product.created", shirt)
    found = outcomes(command)
    assert found[booked] == ("done", "booked")
    assert found[unheard] == ("never heard of", "")
    assert found[expired] == ("ignored", "never paid")
    assert found[made] == ("done", "the product was looked at since")
    order = [one for one in found if one in {booked, unheard, expired, made}]
    assert order == [expired, unheard, booked, made]
    shown = command("list").stdout
    assert COMPLETED in shown
    assert "payment_intent" not in shown
    assert [*outcomes(command, "--limit", "1")] == [order[0]]
    assert {*outcomes(command, "--type", "checkout")} == {booked, unheard, expired}
    assert {*outcomes(command, "--type", "product.created")} == {made}
    assert outcomes(command, "--type", "refund") == {}
    wrong = command("list", "--type", "payment_intent.succeeded")
    assert (wrong.returncode, "no such type" in wrong.stderr) == (2, True)


def test_what_stripe_still_owes_can_be_asked_for(shop: Shop, shirt: ProductId, command: Command) -> None:
    """Only events that an endpoint has not taken, and no older ones than asked for."""
    shop.sold(shop.line(shirt, "M"))
    endpoint: Any = {"url": "http://127.0.0.1:9/", "enabled_events": [COMPLETED]}
    shop.stripe.v1.webhook_endpoints.create(endpoint)
    owed = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    assert [*outcomes(command, "--undelivered")] == [owed]
    assert "owed to 1 endpoint" in command("list", "--undelivered").stdout
    shop.control("/_checkout/age", {"seconds": 7200})
    later = event(shop, COMPLETED, shop.sold(shop.line(shirt, "M")))
    hour = command("list", "--since", "2999-01-01")
    assert (hour.returncode, "in the future" in hour.stderr) == (2, True)
    found = outcomes(command, "--since", (datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert (later in found, owed in found) == (True, False)


def test_one_event_is_shown_with_its_sale_and_nothing_of_who_bought(
    shop: Shop, shirt: ProductId, command: Command
) -> None:
    """Type, amount, what the session says of stock, the sale and its movements; no name, address or other metadata."""
    session = shop.sold(shop.line(shirt, "M", 2), size="M", gift_for="Zoe")
    told = heard(shop, session)
    for shown in (command("show", told).stdout, command("show", told, "--json").stdout):
        assert session in shown
        assert "200" in shown  # the amount
        assert "-2" in shown
        assert not [word for word in ("Zoe", *_leaves(BUYER)) if word in shown]
    document = json.loads(command("show", told, "--json").stdout)
    assert document["facts"]["metadata"] == {"size": "M"}
    assert [(one["kind"], one["size"], one["delta"]) for one in document["moved"]] == [("sale", "M", -2)]
    assert document["sale"]["origin"] == "webhook"


def _leaves(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Every text in it that could be somebody's."""
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        return [leaf for one in inner.values() for leaf in _leaves(one)]
    return [value] if isinstance(value, str) and len(value) > 2 else []


def test_an_edit_is_shown_with_what_it_changed(shop: Shop, shirt: ProductId, command: Command) -> None:
    """The stock before and after it; whether the product was looked at since."""
    with shop.database.transaction() as connection:
        connection.execute("update product set synced_at = now() - interval '1 minute'")
    shop.dashboard(shirt, stock_M="4")
    shown = command("show", event(shop, "product.updated", shirt)).stdout
    assert "9 → 4" in shown
    assert "never heard of: the product was not looked at since" in shown
    shop.book(shop.sold(shop.line(shirt, "M")))
    assert shop.stock(shirt) == {"M": "3"}
    shown = command("show", event(shop, "product.updated", shirt)).stdout
    assert ("4 → 3" in shown, "done: our own write" in shown) == (True, True), shown


def test_an_event_that_stripe_does_not_know_is_one_line(command: Command) -> None:
    """On the error stream, with exit code 1."""
    done = command("show", "evt_none")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "Stripe knows no event evt_none" in done.stderr
