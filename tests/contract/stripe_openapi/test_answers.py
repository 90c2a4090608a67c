from __future__ import annotations

import pytest

from services.stripe_simulator.api import ROUTES
from services.stripe_simulator.products import FIELDS
from shared.webhook_events import EVENT_TYPES
from tests.contract.stripe_openapi.checked import Checked, anonymous
from tests.contract.stripe_openapi.journeys import JOURNEYS, SIZES, Journey
from tests.support.openapi import StripeSchemas

COMMAND_LINE_TOOL = {
    "POST /v1/stripecli/sessions",
    "GET /v1/payment_pages/{}",
    "POST /v1/payment_pages/{}/confirm",
}
"""What only Stripe's own tool and pages call; tests/contract/stripe_cli drives them."""


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda one: one.__name__)
def test_every_answer_satisfies_stripes_specification(stripe: Checked, journey: Journey) -> None:
    """Requests use documented parameters only, and answers have every field Stripe requires and no other."""
    journey(stripe)


def test_no_endpoint_goes_unchecked(stripe: Checked) -> None:
    """Whatever the simulator serves is either checked against the specification or driven by Stripe's tool."""
    for journey in JOURNEYS:
        journey(stripe)
    assert {anonymous(route) for route in ROUTES} == stripe.seen | COMMAND_LINE_TOOL


def test_the_object_of_every_event_is_an_object_of_stripe(stripe: Checked, schemas: StripeSchemas) -> None:
    """What an event carries satisfies the schema of its kind, as an API answer does."""
    for journey in JOURNEYS:
        journey(stripe)
    told: set[str] = set()
    page = stripe.get("/v1/events", limit="100")
    while page["data"]:
        for event in page["data"]:
            thing = event["data"]["object"]
            told.add(event["type"])
            problem = schemas.object_problem(thing["object"], thing)
            assert problem is None, f"{event['type']}: {problem}"
        page = stripe.get("/v1/events", limit="100", starting_after=page["data"][-1]["id"])
    assert {"product.updated", "checkout.session.async_payment_failed", "charge.refunded"} <= told
    assert {kind for kind in EVENT_TYPES if kind.startswith("charge.dispute.")} <= told


def test_products_take_every_documented_parameter(schemas: StripeSchemas) -> None:
    """Creating or changing a product refuses a parameter only where Stripe would (`type` is an old one)."""
    create = schemas.parameters("POST", "/v1/products")
    update = schemas.parameters("POST", "/v1/products/{id}")
    assert create.keys() | update.keys() == FIELDS - {"type"}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ({"metadata": {"stock_M": 5}}, "5 is not of type 'string'"),
        ({"name": None}, "None is not of type 'string'"),
        ({"object": "produkt"}, "'produkt' is not one of"),
        ({"stock": "5"}, "'stock' was unexpected"),
    ],
)
def test_a_spoiled_product_fails(
    stripe: Checked, schemas: StripeSchemas, spoil: dict[str, object], complaint: str
) -> None:
    """Negative control: a product with a wrong type, a missing value or a made-up field is no product."""
    product = stripe.post("/v1/products", SIZES)
    assert schemas.object_problem("product", product) is None
    assert complaint in (schemas.object_problem("product", product | spoil) or "")


def test_a_missing_field_fails(stripe: Checked, schemas: StripeSchemas) -> None:
    """Negative control: an answer without a field that Stripe always sends is found out."""
    listing = stripe.get("/v1/products")
    del listing["has_more"]
    problem = schemas.answer_problem("GET", "/v1/products", 200, listing)
    assert problem == "$: 'has_more' is a required property"
