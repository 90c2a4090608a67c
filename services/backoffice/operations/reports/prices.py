"""Prices as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from shared.stripe_api.objects import Amount

WHOLE: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Currencies whose smallest unit Stripe counts in is the whole one; it counts ISK and UGX in hundredths."""
THOUSANDTHS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def decimals(currency: str) -> int:
    """How many decimals Stripe's amounts in `currency` stand for."""
    code = currency.upper()
    return 0 if code in WHOLE else 3 if code in THOUSANDTHS else 2


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
