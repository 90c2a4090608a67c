from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from stripe import APIError, IdempotencyError, StripeClient

from services.stripe_simulator.simulator import Simulator
from tests.support.waiting import until

Control = Callable[..., Any]
AUTHORIZED = {"Authorization": "Bearer sk_test_1"}


def _post(simulator: Simulator, key: str, **form: str) -> requests.Response:
    headers = {**AUTHORIZED, "Idempotency-Key": key}
    return requests.post(f"{simulator.url}/v1/products", data=form, headers=headers, timeout=10)


def test_same_key_gives_the_first_answer_again(simulator: Simulator, control: Control) -> None:
    """A repeated request is answered from memory, says so in a header, and happens once."""
    first, second = _post(simulator, "k", name="A"), _post(simulator, "k", name="A")
    assert first.json() == second.json()
    assert (first.headers.get("Idempotent-Replayed"), second.headers["Idempotent-Replayed"]) == (None, "true")
    assert len(control("GET", "/_requests")["requests"]) == 2


def test_other_parameters_under_a_used_key_are_refused(stripe_client: StripeClient) -> None:
    """A key belongs to its first parameters."""
    stripe_client.v1.products.create({"name": "A"}, {"idempotency_key": "k"})
    with pytest.raises(IdempotencyError) as refused:
        stripe_client.v1.products.create({"name": "B"}, {"idempotency_key": "k"})
    assert refused.value.http_status == 400


def test_key_in_flight_is_a_conflict(simulator: Simulator, control: Control) -> None:
    """While the first request runs, a second under its key is a 409."""
    control("POST", "/_faults", kind="slow", seconds=1)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(_post(simulator, "k", name="A").status_code))
    thread.start()
    until("the request to be there", lambda: control("GET", "/_requests")["total"] == 1)
    refused = _post(simulator, "k", name="A")
    thread.join()
    assert (refused.status_code, refused.headers["Stripe-Should-Retry"]) == (409, "true")
    assert answers == [200]


@pytest.mark.parametrize(("kind", "made"), [("error_before", 0), ("error_after", 1)])
def test_stored_500_is_replayed(stripe_client: StripeClient, control: Control, kind: str, made: int) -> None:
    """A 500 is kept under its key whether it took effect or not; a new key goes through."""
    control("POST", "/_faults", kind=kind)
    failures: list[APIError] = []
    for _ in range(2):
        with pytest.raises(APIError) as refused:
            stripe_client.v1.products.create({"name": "A"}, {"idempotency_key": "k"})
        failures.append(refused.value)
    assert [failure.http_status for failure in failures] == [500, 500]
    replayed = [dict(failure.headers or {}).get("Idempotent-Replayed") for failure in failures]
    assert replayed == [None, "true"]
    assert len(stripe_client.v1.products.list().data) == made
    assert stripe_client.v1.products.create({"name": "A"}, {"idempotency_key": "k2"}).name == "A"


def test_refusals_are_not_kept(simulator: Simulator, control: Control) -> None:
    """A 429 and a 400 leave the key unused."""
    control("POST", "/_faults", kind="rate_limit")
    assert [_post(simulator, "k", name="A").status_code for _ in range(2)] == [429, 200]
    assert _post(simulator, "other").status_code == 400
    assert _post(simulator, "other", name="A").status_code == 200
