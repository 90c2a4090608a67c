from __future__ import annotations

from typing import Any

import pytest

from shared.stripe_api import objects

SESSION: dict[str, Any] = {"id": "cs_1", "livemode": False, "payment_status": "paid", "created": 1}


@pytest.mark.parametrize(
    ("customer", "details"),
    [(None, None), ({"id": "cus_1"}, []), (7, {"name": 7, "email": ["a"]}), ("", {}), (None, "x")],
)
def test_no_sale_fails_because_of_its_buyer(customer: object, details: object) -> None:
    """Whatever Stripe says of the customer, the session can be booked."""
    made = objects.session({**SESSION, "customer": customer, "customer_details": details}, [])
    assert (made.customer or None, made.customer_details.name, made.customer_details.email) == (
        None,
        None,
        None,
    )


def test_a_buyer_s_name_is_in_no_repr() -> None:
    """A session that ends up in a log or an exception shows neither name nor address."""
    details = {"name": "Jenny Rosen", "email": "jenny@example.com", "phone": "555"}
    made = objects.session({**SESSION, "customer": "cus_1", "customer_details": details}, [])
    assert (made.customer, made.customer_details.email) == ("cus_1", "jenny@example.com")
    assert "jenny" not in repr(made).lower()
    assert "jenny" not in str(made).lower()
