from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.cover import cover
from shared.alerts import Sold

CASES: list[tuple[int, Sold, str]] = [
    (6, Sold(53, 28), "about 3 days at the pace of the last 28 days (1.9 a day)"),
    (3, Sold(28, 28), "about 3 days at the pace of the last 28 days (1 a day)"),
    (2, Sold(280, 28), "less than a day at the pace of the last 28 days (10 a day)"),
    (1, Sold(28, 28), "about a day at the pace of the last 28 days (1 a day)"),
    (5, Sold(2, 28), "about 70 days at the pace of the last 28 days (2 in 28 days)"),
    (20, Sold(1, 28), "more than a year at the pace of the last 28 days (1 in 28 days)"),
    (4, Sold(10, 4.6), "about 2 days at the pace of the last 7 days (1.4 a day)"),
    (3, Sold(40, 0.1), "less than a day at the pace of the last 7 days (5.7 a day)"),
    (1, Sold(40_000, 28), "less than a day at the pace of the last 28 days (1,429 a day)"),
    (0, Sold(53, 28), "sold 1.9 a day over the last 28 days"),
    (3, Sold(0, 28), "no sale in 28 days"),
    (3, Sold(0, 0.2), "no sale in a day"),
]


@pytest.mark.parametrize(("on_hand", "sold", "words"), CASES)
def test_how_long_stock_lasts_in_words(on_hand: int, sold: Sold, words: str) -> None:
    """Units, what was sold and since when the size is known make one plain line."""
    assert cover(on_hand, sold) == words


@given(st.integers(-5, 10**9), st.integers(-5, 10**9), st.floats(0, 28))
def test_any_numbers_make_a_line(on_hand: int, units: int, days: float) -> None:
    """No stock, no sale and no age leads to a division by nothing."""
    assert cover(on_hand, Sold(units, days))
