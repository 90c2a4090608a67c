"""The shop's days and weeks as instants, across changes of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From `begins` on, until before `ends`; both UTC."""

    begins: datetime
    ends: datetime


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When `day` begins in `zone`, UTC; where midnight is left out, the moment that took its place."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def last_days(count: int, now: datetime, zone: ZoneInfo) -> list[date]:
    """The last `count` days in `zone`, today the last."""
    today = now.astimezone(zone).date()
    return [today - DAY * back for back in range(count - 1, -1, -1)]


def week_before(now: datetime, zone: ZoneInfo) -> Period:
    """The seven whole days before today; they have 167 or 169 hours where the clock was changed."""
    today = now.astimezone(zone).date()
    return Period(midnight(today - 7 * DAY, zone), midnight(today, zone))
