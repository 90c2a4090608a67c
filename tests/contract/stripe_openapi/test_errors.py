from __future__ import annotations

import pytest

from tests.contract.stripe_openapi.checked import Checked
from tests.contract.stripe_openapi.journeys import SIZES, open_session, prices


@pytest.mark.parametrize(
    ("status", "method", "path", "form", "code"),
    [
        (404, "GET", "/v1/products/prod_none", {}, "resource_missing"),
        (404, "GET", "/v1/nothing", {}, None),
        (400, "POST", "/v1/products", {}, "parameter_missing"),
        (400, "POST", "/v1/products", {"name": "a", "stock": "3"}, "parameter_unknown"),
        (400, "POST", "/v1/products", {"name": "a", "metadata[k]": "v" * 501}, None),
        (400, "POST", "/v1/checkout/sessions", {"mode": "payment"}, "parameter_missing"),
        (400, "POST", "/v1/prices", {"product": "prod_none", "currency": "usd"}, "resource_missing"),
        (400, "GET", "/v1/products", {"limit": "101"}, None),
        (400, "POST", "/v1/refunds", {"charge": "ch_none"}, "resource_missing"),
        (404, "GET", "/v1/disputes/du_none", {}, "resource_missing"),
    ],
)
def test_refusals_have_stripes_form(
    stripe: Checked, *, status: int, method: str, path: str, form: dict[str, str], code: str | None
) -> None:
    """A refused request is answered with Stripe's error object, its code and its HTTP status."""
    error = stripe.call(method, path, form, status=status)["error"]
    assert error["type"] == "invalid_request_error"
    assert error.get("code") == code


def test_a_wrong_key_is_refused_in_stripes_form(stripe: Checked) -> None:
    """401 comes with Stripe's error object."""
    wrong = {"Authorization": "Bearer nonsense"}
    assert "error" in stripe.call("GET", "/v1/products", {}, status=401, headers=wrong)


def test_a_reused_idempotency_key_is_refused_in_stripes_form(stripe: Checked) -> None:
    """Other parameters under a known idempotency key are an `idempotency_error`."""
    key = {"Idempotency-Key": "key-1"}
    stripe.call("POST", "/v1/products", SIZES, headers=key)
    refused = stripe.call("POST", "/v1/products", {"name": "other"}, status=400, headers=key)
    assert refused["error"]["type"] == "idempotency_error"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("rate_limit", 429, "rate_limit"), ("lock_timeout", 429, "lock_timeout"), ("error_before", 500, None)],
)
def test_faults_have_stripes_form(stripe: Checked, kind: str, status: int, code: str | None) -> None:
    """Rate limits, lock timeouts and Stripe's own failures come with Stripe's error object."""
    stripe.control("/_faults", {"kind": kind})
    assert stripe.call("GET", "/v1/products", {}, status=status)["error"].get("code") == code


def test_what_cannot_be_done_twice_is_refused_in_stripes_form(stripe: Checked) -> None:
    """Expiring an expired session is a refusal, as is refunding more than was paid."""
    session = open_session(stripe, prices(stripe)["id"])
    expire = f"/v1/checkout/sessions/{session['id']}/expire"
    stripe.post(expire)
    stripe.call("POST", expire, {}, status=400)
    intent = stripe.post("/v1/payment_intents", {"amount": "5", "currency": "usd", "confirm": "true"})
    stripe.call("POST", "/v1/refunds", {"payment_intent": intent["id"], "amount": "6"}, status=400)
