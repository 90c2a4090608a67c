"""Events as Stripe sends them."""

from __future__ import annotations

from typing import Any

from tests.unit.ingest.support import event


def session(kind: str, payment_status: object = "paid") -> dict[str, Any]:
    return event(kind, data={"object": {"id": "cs_test_1", "payment_status": payment_status}})


def product(kind: str = "product.updated", previous: object = None, **changes: object) -> dict[str, Any]:
    body: dict[str, Any] = {"id": "prod_1", "object": "product", "metadata": {"stock": "3"}, **changes}
    data = {"object": body} if previous is None else {"object": body, "previous_attributes": previous}
    return event(kind, data=data)
