from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from services.stripe_simulator.simulator import Simulator
from shared import clock
from shared.stripe_api.answers import StripeUnavailable
from shared.stripe_api.plain import PlainApi


@pytest.fixture
def api() -> Iterator[PlainApi]:
    """A fresh simulator, spoken to plainly."""
    with Simulator.start(port=0) as simulator:
        yield PlainApi("sk_test_plain", simulator.url)


def test_an_answer_is_told_as_it_came(api: PlainApi) -> None:
    """Status, headers, body and Stripe's clock are there; a list has rows."""
    made = api.post("products", {"name": "Mug", "metadata[stock]": "3"}, "key-1")
    assert made.done
    assert made.body["metadata"] == {"stock": "3"}
    assert made.headers["idempotency-key"] == "key-1"
    assert made.date is not None
    assert abs((clock.now() - made.date).total_seconds()) < 5
    assert [row["id"] for row in api.get("products", limit=1).rows] == [made.body["id"]]
    assert api.delete(f"products/{made.body['id']}").done


def test_refusals_are_answers_too(api: PlainApi) -> None:
    """404, a reused key and a refused key come back with Stripe's own words for them, none of them raised."""
    missing = api.post("products/prod_nobody", {})
    assert (missing.status, missing.done, missing.error) == (
        404,
        False,
        "invalid_request_error/resource_missing",
    )
    api.post("products", {"name": "Mug"}, "key-1")
    assert api.post("products", {"name": "Cup"}, "key-1").error == "idempotency_error"
    assert PlainApi("sk_live_wrong", api.base).get("products").status == 401


def test_a_call_without_an_answer_is_raised_and_not_sent_again(api: PlainApi) -> None:
    """A lost answer may have been executed: whoever asked decides what follows, and hears no more than that."""
    fault = {"kind": "reset", "method": "POST", "count": None}
    requests.post(f"{api.base}/_faults", json=fault, timeout=5).raise_for_status()
    with pytest.raises(StripeUnavailable, match=r"^Stripe can't be reached"):
        api.post("products", {"name": "Mug"})
    assert len(api.get("products").rows) == 1
