from __future__ import annotations

import pytest

from shared.alerts import Sold
from shared.cover import days_left


@pytest.mark.parametrize(
    ("left", "sold", "known", "expected"),
    [
        (56, 28, 28, 56),  # one a day
        (10, 28, 400, 10),  # only four weeks count
        (7, 7, 2, 7),  # known since the day before yesterday: not taken to go on at that pace
        (5, 28, 28, 5),
        (5, 10, 10.5, 5),
        (1, 28 * 3, 28, 0),
        (0, 28, 28, 0),
        (-2, 28, 28, 0),
        (12, 0, 28, None),
    ],
)
def test_days_of_cover(left: int, sold: int, known: float, expected: int | None) -> None:
    """What is left lasts as many whole days as it would have at the pace of late."""
    assert days_left(left, Sold(sold, known)) == expected
