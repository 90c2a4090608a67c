"""Prices as people write them."""

from __future__ import annotations

from decimal import Decimal

from shared.money import decimals
from shared.stripe_api.objects import Amount


def written(amount: Amount | None) -> str:
    """`12.00 EUR`, `1200 JPY`, `0.0125 USD`; empty where there is no fixed price."""
    if amount is None:
        return ""
    smallest = amount.unit_amount_decimal
    if smallest is None:
        if amount.unit_amount is None:
            return ""
        smallest = Decimal(amount.unit_amount)
    places = decimals(amount.currency)
    exact = smallest.scaleb(-places).normalize()
    least = Decimal(1).scaleb(-places)
    digits = exact if exact.as_tuple().exponent < -places else exact.quantize(least)  # pyright: ignore[reportOperatorIssue] - a finite number's exponent is an int
    return f"{digits:f} {amount.currency.upper()}"
