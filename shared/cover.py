"""How long stock lasts at the pace it sells: one number, wherever it is told."""

from __future__ import annotations

import math
from typing import Final

from shared.alerts import Sold

PACE_DAYS: Final = 28
"""Days whose sales are the pace: four weeks, so that every weekday counts the same."""
FEWEST_DAYS: Final = 7
"""A size that is known since yesterday is not taken to go on as it began."""


def pace_days(known: float) -> float:
    """Over how many days the sales of a size are a pace that was `known` for so many of the last PACE_DAYS."""
    return min(max(known, FEWEST_DAYS), PACE_DAYS)


def days_left(left: int, sold: Sold) -> int | None:
    """Whole days that `left` units last; None where nothing was sold lately."""
    if left <= 0:
        return 0
    if sold.units <= 0:
        return None
    return math.floor(left * pace_days(sold.days) / sold.units)
