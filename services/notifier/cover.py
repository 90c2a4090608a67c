"""How long stock lasts at the pace it sells, in words; pure."""

from __future__ import annotations

from typing import Final

from shared.alerts import Sold
from shared.cover import days_left, pace_days

_YEAR: Final = 365
_TENTH: Final = 0.1
_MANY: Final = 9.95


def cover(on_hand: int, sold: Sold) -> str:
    """`about 3 days at the pace of the last 28 days (1.9 a day)`; without stock only the pace."""
    lasts, days = days_left(on_hand, sold), pace_days(sold.days)
    if lasts is None or sold.units <= 0:
        return f"no sale in {_count(sold.days)}"
    if on_hand <= 0:
        return f"sold {_pace(sold.units, days)} over {_span(days)}"
    return f"{_lasts(lasts)} at the pace of {_span(days)} ({_pace(sold.units, days)})"


def _lasts(days: int) -> str:
    if not days:
        return "less than a day"
    return f"about {_count(days)}" if days <= _YEAR else "more than a year"


def _pace(units: int, days: float) -> str:
    pace = units / days
    if pace < _TENTH:
        return f"{units} in {_count(days)}"
    rounded = f"{pace:,.0f}" if pace >= _MANY else f"{pace:.1f}".removesuffix(".0")
    return f"{rounded} a day"


def _span(days: float) -> str:
    return f"the last {round(days)} days"


def _count(days: float) -> str:
    whole = max(1, round(days))
    return "a day" if whole == 1 else f"{whole} days"
