"""Small pieces of Stripe's objects."""

from __future__ import annotations

from services.stripe_simulator.world import Obj


def nulls(names: str) -> Obj:
    """Fields that Stripe sends as null, from their names with spaces between."""
    return dict.fromkeys(names.split())


def address() -> Obj:
    """An address nobody gave."""
    return nulls("city country line1 line2 postal_code state")


def custom_text() -> Obj:
    """A checkout page without words of the shop's own."""
    return nulls("after_submit shipping_address submit terms_of_service_acceptance")
