from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
import requests
from stripe import StripeClient

from services.stripe_simulator.simulator import Simulator
from tests.support.waiting import until

Control = Callable[..., Any]


class Receiver(Protocol):
    """What the endpoint of these tests remembers."""

    url: str
    heard: list[dict[str, Any]]
    statuses: list[int]
    secret: str

    def kinds(self) -> list[str]:
        """The types of the events, in order of arrival."""
        ...


def _undelivered(stripe_client: StripeClient) -> list[str]:
    return [one.id for one in stripe_client.v1.events.list({"delivery_success": False}).data]


def test_delivered_event_is_signed_and_no_longer_pending(
    stripe_client: StripeClient, receiver: Receiver
) -> None:
    """An event arrives with a signature the SDK accepts, and then nothing is pending."""
    stripe_client.v1.products.create({"name": "A"})
    until("the webhooks", lambda: receiver.kinds() == ["product.created"])
    until("what was delivered to be noted", lambda: _undelivered(stripe_client) == [])


def test_refused_webhook_comes_again(stripe_client: StripeClient, receiver: Receiver) -> None:
    """Anything but 2xx, a redirect too, is retried with back-off."""
    receiver.statuses += [503, 302]
    stripe_client.v1.products.create({"name": "A"})
    until("the webhooks", lambda: len(receiver.heard) == 3)
    assert len({event["id"] for event in receiver.heard}) == 1
    until("what was delivered to be noted", lambda: _undelivered(stripe_client) == [])


def test_given_up_event_is_undelivered_until_retried(
    simulator: Simulator, stripe_client: StripeClient, receiver: Receiver
) -> None:
    """After the last attempt the event stays listed as undelivered; a retry delivers it."""
    receiver.statuses += [500, 500, 500]
    stripe_client.v1.products.create({"name": "A"})
    until("the webhooks", lambda: len(receiver.heard) == 3)
    until("the deliveries to end", lambda: simulator.deliveries.waiting() == 0)
    (event,) = _undelivered(stripe_client)
    key = {"Authorization": "Bearer sk_test_1"}
    again = requests.post(f"{simulator.url}/v1/events/{event}/retry", headers=key, timeout=10)
    assert again.json()["id"] == event
    until("the webhooks", lambda: len(receiver.heard) == 4)
    until("what was delivered to be noted", lambda: _undelivered(stripe_client) == [])


def test_dropped_webhook_never_comes(
    stripe_client: StripeClient, receiver: Receiver, control: Control
) -> None:
    """A dropped webhook is not retried, and its event stays undelivered."""
    control("POST", "/_faults", kind="webhook_drop", type=r"^product\.created$")
    stripe_client.v1.products.create({"name": "lost"})
    stripe_client.v1.products.create({"name": "heard"})
    until("the webhooks", lambda: [event["data"]["object"]["name"] for event in receiver.heard] == ["heard"])
    until("what was delivered to be noted", lambda: len(_undelivered(stripe_client)) == 1)


@pytest.mark.parametrize("ids", [1, 2])
def test_doubled_webhook_comes_twice(
    stripe_client: StripeClient, receiver: Receiver, *, control: Control, ids: int
) -> None:
    """A happening is told twice, as one event or as two."""
    control("POST", "/_faults", kind="webhook_double", new_id=ids == 2)
    stripe_client.v1.products.create({"name": "A"})
    until("the webhooks", lambda: len(receiver.heard) == 2)
    assert len({event["id"] for event in receiver.heard}) == ids
    assert len({event["data"]["object"]["id"] for event in receiver.heard}) == 1


def test_delayed_webhook_is_overtaken(
    stripe_client: StripeClient, receiver: Receiver, control: Control
) -> None:
    """A delayed webhook arrives behind younger ones."""
    control("POST", "/_faults", kind="webhook_delay", seconds=0.3)
    made = stripe_client.v1.products.create({"name": "A"})
    stripe_client.v1.products.update(made.id, {"name": "B"})
    until("the webhooks", lambda: receiver.kinds() == ["product.updated", "product.created"])


def test_lost_and_hidden_events(stripe_client: StripeClient, receiver: Receiver, control: Control) -> None:
    """Stripe can fail to make an event at all, or to list one it delivered."""
    rules = [{"kind": "event_lost"}, {"kind": "event_hidden", "seconds": 600}]
    control("POST", "/_faults", rules=rules)
    stripe_client.v1.products.create({"name": "lost"})
    stripe_client.v1.products.create({"name": "hidden"})
    until("the webhooks", lambda: [event["data"]["object"]["name"] for event in receiver.heard] == ["hidden"])
    assert stripe_client.v1.events.list().data == []


def test_endpoints_hear_what_they_chose(stripe_client: StripeClient, receiver: Receiver) -> None:
    """A new endpoint tells its secret once and hears only its event types; a deleted one hears nothing."""
    endpoints = stripe_client.v1.webhook_endpoints
    for one in endpoints.list().data:
        endpoints.delete(one.id)
    made = endpoints.create({"url": receiver.url, "enabled_events": ["product.deleted"]})
    assert made.secret is not None
    assert "secret" not in endpoints.retrieve(made.id).to_dict()
    receiver.secret = made.secret
    product = stripe_client.v1.products.create({"name": "A"})
    stripe_client.v1.products.delete(product.id)
    until("the webhooks", lambda: receiver.kinds() == ["product.deleted"])


def test_rolled_secret_signs_beside_the_old_one(
    stripe_client: StripeClient, receiver: Receiver, control: Control
) -> None:
    """While a secret is rolled, both verify."""
    endpoint = stripe_client.v1.webhook_endpoints.list().data[0].id
    fresh = control("POST", f"/_webhook_endpoints/{endpoint}/roll")["secret"]
    stripe_client.v1.products.create({"name": "B"})
    until("the webhooks", lambda: len(receiver.heard) == 1)
    receiver.secret = fresh
    stripe_client.v1.products.create({"name": "C"})
    until("the webhooks", lambda: len(receiver.heard) == 2)


def test_held_webhooks_wait_until_they_are_let_go(
    stripe_client: StripeClient, receiver: Receiver, control: Control
) -> None:
    """While webhooks are held none is heard, and then each of them is."""
    control("POST", "/_deliveries", held=True)
    for name in ("A", "B"):
        stripe_client.v1.products.create({"name": name})
    assert control("GET", "/_health")["deliveries_waiting"] == 2
    assert receiver.heard == []
    control("POST", "/_deliveries", held=False)
    until("the webhooks", lambda: receiver.kinds() == ["product.created"] * 2)
