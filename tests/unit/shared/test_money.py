from __future__ import annotations

import pytest

from shared.money import readable


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (4900, "eur", "49.00 EUR"),
        (5, "usd", "0.05 USD"),
        (500, "jpy", "500 JPY"),
        (1234, "kwd", "1.234 KWD"),
        (50_000, "ugx", "500.00 UGX"),
        (500, "isk", "5.00 ISK"),
        (1000, "JPY", "1,000 JPY"),
        (-123456, "eur", "-1,234.56 EUR"),
    ],
)
def test_amounts_are_read_in_the_currencys_own_decimals(amount: int, currency: str, text: str) -> None:
    """Stripe's smallest unit is a cent, a yen or a fils."""
    assert readable(amount, currency) == text
