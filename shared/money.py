"""Amounts as Stripe has them, whole numbers of a currency's smallest unit, and as people read them."""

from __future__ import annotations

from typing import Final

_WITHOUT_DECIMALS: Final = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"],
)
"""Not isk and ugx: they have no decimals any more, and Stripe goes on counting them in hundredths."""
_THREE_DECIMALS: Final = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])


def readable(amount: int, currency: str) -> str:
    """`49.00 EUR` for 4900 of `eur`, `500 JPY` for 500 of `jpy`."""
    places = decimals(currency)
    whole, rest = divmod(abs(amount), 10**places)
    digits = f"{whole:,}" + (f".{rest:0{places}}" if places else "")
    return f"{'-' if amount < 0 else ''}{digits} {currency.upper()}"


def decimals(currency: str) -> int:
    """Decimal places of `currency` (ISO code) in Stripe's amounts."""
    code = currency.lower()
    if code in _WITHOUT_DECIMALS:
        return 0
    return 3 if code in _THREE_DECIMALS else 2
