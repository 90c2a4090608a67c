"""Which old snapshots go: those of lately all stay, then the first of each week, then the first of each month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

ALL_FOR: Final = timedelta(days=35)
WEEKLY_FOR: Final = timedelta(days=400)


def superfluous(taken: Sequence[tuple[int, datetime]], now: datetime, zone: ZoneInfo) -> list[int]:
    """Ids of those that others make up for; `taken` are (id, when), oldest first, weeks and months the shop's."""
    spare: list[int] = []
    seen: set[tuple[str, date]] = set()
    for snapshot, at in taken:
        span = _span(now - at, at.astimezone(zone).date())
        if span in seen:
            spare.append(snapshot)
        elif span is not None:
            seen.add(span)
    return spare


def _span(age: timedelta, day: date) -> tuple[str, date] | None:
    """The week or month of which one snapshot is enough; None where each counts."""
    if age <= ALL_FOR:
        return None
    if age <= WEEKLY_FOR:
        return "week", day - timedelta(days=day.weekday())
    return "month", day.replace(day=1)
