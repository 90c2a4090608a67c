from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe
from stripe import APIConnectionError, AuthenticationError, RateLimitError, StripeClient

from services.stripe_simulator.simulator import Simulator
from tests.support.waiting import until

Control = Callable[..., Any]


def _names(stripe_client: StripeClient) -> list[str]:
    return [one.name for one in stripe_client.v1.products.list().data]


def test_rate_limit_carries_its_reason(stripe_client: StripeClient, control: Control) -> None:
    """A 429 for the rate says which limit; one for a lock has no such header and its own code."""
    control("POST", "/_faults", rules=[{"kind": "rate_limit"}, {"kind": "lock_timeout"}])
    errors: list[RateLimitError] = []
    for _ in range(2):
        with pytest.raises(RateLimitError) as refused:
            stripe_client.v1.products.create({"name": "A"})
        errors.append(refused.value)
    headers = [dict(error.headers or {}) for error in errors]
    assert headers[0]["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert "Stripe-Rate-Limited-Reason" not in headers[1]
    assert errors[1].error is not None
    assert errors[1].error.code == "lock_timeout"
    assert _names(stripe_client) == []


@pytest.mark.parametrize(("status", "raised"), [(401, AuthenticationError), (403, stripe.PermissionError)])
def test_refused_keys(
    stripe_client: StripeClient, control: Control, status: int, raised: type[Exception]
) -> None:
    """A revoked key and a missing permission come as the SDK's own errors."""
    control("POST", "/_faults", kind="status", status=status, method="POST", path="^/v1/products$")
    with pytest.raises(raised):
        stripe_client.v1.products.create({"name": "A"})
    assert stripe_client.v1.products.create({"name": "A"}).name == "A"


@pytest.mark.parametrize(
    ("kind", "made"), [("timeout_before", 0), ("timeout_after", 1), ("reset", 1), ("truncated", 1)]
)
def test_answers_that_never_come_whole(
    stripe_client: StripeClient, control: Control, kind: str, made: int
) -> None:
    """Without a whole answer the client knows nothing, whether or not it was done."""
    control("POST", "/_faults", kind=kind, seconds=0.05, method="POST")
    with pytest.raises(Exception, match=r".") as failed:
        stripe_client.v1.products.create({"name": "A"})
    assert isinstance(failed.value, APIConnectionError) == (kind != "truncated")
    assert len(_names(stripe_client)) == made


def test_late_request_is_executed_after_its_caller_gave_up(
    stripe_client: StripeClient, control: Control
) -> None:
    """A late request reaches Stripe when the connection is long gone."""
    control("POST", "/_faults", kind="late", seconds=0.3)
    with pytest.raises(APIConnectionError):
        stripe_client.v1.products.create({"name": "A"})
    assert _names(stripe_client) == []
    until("the product", lambda: _names(stripe_client) == ["A"])


def test_duplicated_request_meets_its_own_key(stripe_client: StripeClient, control: Control) -> None:
    """A request that arrives twice happens once under a key."""
    control("POST", "/_faults", kind="duplicate", seconds=0)
    stripe_client.v1.products.create({"name": "A"}, {"idempotency_key": "k"})
    until("both requests", lambda: control("GET", "/_requests")["by_endpoint"]["POST /v1/products"] == 2)
    assert _names(stripe_client) == ["A"]


def test_rules_choose_count_and_end(stripe_client: StripeClient, control: Control) -> None:
    """A rule skips, counts down, chooses by idempotency key, and is gone after a delete."""
    control("POST", "/_faults", kind="rate_limit", key="^keeper", skip=1, count=None)
    create = stripe_client.v1.products.create
    create({"name": "person"}, {"idempotency_key": "x"})
    create({"name": "first"}, {"idempotency_key": "keeper-1"})
    with pytest.raises(RateLimitError):
        create({"name": "second"}, {"idempotency_key": "keeper-2"})
    control("DELETE", "/_faults")
    create({"name": "third"}, {"idempotency_key": "keeper-3"})
    assert _names(stripe_client) == ["third", "first", "person"]


def test_wrong_rule_is_refused(simulator: Simulator) -> None:
    """A rule of an unknown kind is a 400."""
    answer = requests.post(f"{simulator.url}/_faults", json={"kind": "meteor"}, timeout=10)
    assert answer.status_code == 400


def test_limits_are_kept_per_endpoint(stripe_client: StripeClient, control: Control) -> None:
    """Above the limit of a second comes a 429, and the peak is counted."""
    control("POST", "/_limits", per_endpoint=3)
    for _ in range(3):
        stripe_client.v1.products.list()
    with pytest.raises(RateLimitError):
        stripe_client.v1.products.list()
    stripe_client.v1.prices.list()
    assert control("GET", "/_requests")["peaks"]["GET /v1/products"] == 4


def test_keys_of_nobody_are_turned_away(simulator: Simulator) -> None:
    """No key or a strange one is a 401; an unknown address a 404; both in Stripe's form with a request id."""
    bare = requests.get(f"{simulator.url}/v1/products", timeout=10)
    wrong = requests.get(f"{simulator.url}/v1/products", headers={"Authorization": "Bearer pk_1"}, timeout=10)
    key = {"Authorization": "Bearer rk_test_1"}
    lost = requests.get(f"{simulator.url}/v1/unheard_of", headers=key, timeout=10)
    assert [bare.status_code, wrong.status_code, lost.status_code] == [401, 401, 404]
    assert lost.json()["error"]["type"] == "invalid_request_error"
    assert lost.headers["Request-Id"].startswith("req_")


def test_a_key_comes_as_a_bearer_or_as_the_name_of_a_user(simulator: Simulator) -> None:
    """`curl -u sk_test_…:` is let in like every library; half a header, or a key that is none, is not."""
    url = f"{simulator.url}/v1/products"
    assert requests.get(url, auth=("sk_test_1", ""), timeout=5).status_code == 200
    assert requests.get(url, auth=("somebody", ""), timeout=5).status_code == 401
    for header in ("Basic", "Basic ä", "Basic c2s=", "Bearer", "Digest sk_test_1"):
        spoiled = {"Authorization": header.encode()}
        assert requests.get(url, headers=spoiled, timeout=5).status_code == 401
