from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stripe import InvalidRequestError, StripeClient

Control = Callable[..., Any]


def test_metadata_merges_and_unsets_per_key(stripe_client: StripeClient) -> None:
    """An update changes the keys it names, unsets those it empties, and leaves the others."""
    made = stripe_client.v1.products.create({"name": "Shirt", "metadata": {"stock_S": "1", "stock_M": "2"}})
    changed = stripe_client.v1.products.update(made.id, {"metadata": {"stock_S": "", "stock_L": "3"}})
    assert changed.metadata.to_dict() == {"stock_M": "2", "stock_L": "3"}


def test_updated_event_names_what_was_there_before(stripe_client: StripeClient) -> None:
    """`previous_attributes` holds the changed keys with their old values, null for a new key, and the key."""
    made = stripe_client.v1.products.create({"name": "Shirt", "metadata": {"stock": "1", "kept": "x"}})
    stripe_client.v1.products.update(
        made.id, {"metadata": {"stock": "2", "new": "y"}}, {"idempotency_key": "k1"}
    )
    event = stripe_client.v1.events.list({"types": ["product.updated"]}).data[0].to_dict()
    assert event["data"]["previous_attributes"]["metadata"] == {"stock": "1", "new": None}
    assert event["request"]["idempotency_key"] == "k1"


def test_update_that_changes_nothing_makes_no_event(stripe_client: StripeClient) -> None:
    """Writing the values that are there already is no happening."""
    made = stripe_client.v1.products.create({"name": "Shirt", "metadata": {"stock": "1"}})
    stripe_client.v1.products.update(made.id, {"metadata": {"stock": "1"}})
    stripe_client.v1.products.update(made.id, {})
    assert stripe_client.v1.events.list({"type": "product.updated"}).data == []


@pytest.mark.parametrize(
    "metadata",
    [{f"k{n}": "v" for n in range(51)}, {"k" * 41: "v"}, {"k": "v" * 501}],
    ids=["51 keys", "41 characters of key", "501 characters of value"],
)
def test_metadata_limits_hold(stripe_client: StripeClient, metadata: dict[str, str]) -> None:
    """More metadata than Stripe takes is a 400 that changes nothing."""
    made = stripe_client.v1.products.create({"name": "Shirt"})
    with pytest.raises(InvalidRequestError) as refused:
        stripe_client.v1.products.update(made.id, {"metadata": metadata})
    assert refused.value.http_status == 400
    assert stripe_client.v1.products.retrieve(made.id).metadata.to_dict() == {}


def test_deleted_product_is_gone(stripe_client: StripeClient) -> None:
    """Deleting answers with a tombstone, and a later read is a 404 `resource_missing`."""
    made = stripe_client.v1.products.create({"name": "Shirt"})
    assert stripe_client.v1.products.delete(made.id).to_dict() == {
        "id": made.id,
        "object": "product",
        "deleted": True,
    }
    with pytest.raises(InvalidRequestError) as refused:
        stripe_client.v1.products.retrieve(made.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_product_with_prices_cannot_be_deleted(stripe_client: StripeClient) -> None:
    """A product that has a price stays."""
    made = stripe_client.v1.products.create({"name": "Shirt"})
    stripe_client.v1.prices.create({"product": made.id, "currency": "usd", "unit_amount": 5})
    with pytest.raises(InvalidRequestError):
        stripe_client.v1.products.delete(made.id)


def test_lists_page_by_cursor_in_both_directions(stripe_client: StripeClient) -> None:
    """Auto-paging forwards sees every product newest first, `ending_before` pages back to the newest."""
    made = [stripe_client.v1.products.create({"name": f"P{n}"}).id for n in range(7)]
    newest_first = made[::-1]
    seen = [one.id for one in stripe_client.v1.products.list({"limit": 3}).auto_paging_iter()]
    back = stripe_client.v1.products.list({"limit": 3, "ending_before": newest_first[4]})
    assert seen == newest_first
    assert ([one.id for one in back.data], back.has_more) == (newest_first[1:4], True)


def test_lists_filter_by_ids_activity_and_creation(stripe_client: StripeClient) -> None:
    """`ids`, `active` and `created` each narrow a list."""
    first = stripe_client.v1.products.create({"name": "A"})
    second = stripe_client.v1.products.create({"name": "B", "active": False})
    products = stripe_client.v1.products
    assert [one.id for one in products.list({"ids": [first.id]}).data] == [first.id]
    assert [one.id for one in products.list({"active": False}).data] == [second.id]
    assert products.list({"created": {"gt": second.created}}).data == []
    assert len(products.list({"created": {"gte": first.created}}).data) == 2


def test_what_happened_can_be_made_older(stripe_client: StripeClient, control: Control) -> None:
    """Events of all kinds become so much earlier, and lists find them by that."""
    shirt = stripe_client.v1.products.create({"name": "A", "metadata": {"stock": "5"}})
    control("POST", "/_checkout/age", seconds=3600)
    control("POST", f"/_dashboard/products/{shirt.id}", relative={"stock": 2})
    events, edge = stripe_client.v1.events, shirt.created - 1800
    assert [one.type for one in events.list({"created": {"lt": edge}}).data] == ["product.created"]
    assert [one.type for one in events.list({"created": {"gt": edge}}).data] == ["product.updated"]


def test_unknown_parameter_is_refused(stripe_client: StripeClient) -> None:
    """A misspelt parameter is a 400 that names it."""
    with pytest.raises(InvalidRequestError) as refused:
        stripe_client.v1.products.create({"name": "A", "metdata": {}, "stok": "1"})  # pyright: ignore[reportArgumentType] - the point
    assert refused.value.code == "parameter_unknown"


def test_dashboard_lists_what_is_shown(stripe_client: StripeClient, control: Control) -> None:
    """The Dashboard's list has every product as it is now, and is no API request."""
    shirt = stripe_client.v1.products.create({"name": "Shirt", "metadata": {"stock": "5"}}).id
    control("POST", f"/_dashboard/products/{shirt}", relative={"stock": 2})
    control("DELETE", "/_requests")
    listed = control("GET", "/_dashboard/products")["products"]
    assert [(one["id"], one["metadata"]) for one in listed] == [(shirt, {"stock": "7"})]
    assert control("GET", "/_requests")["total"] == 0
