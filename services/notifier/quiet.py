"""Quiet hours: when only what can't wait is told, right across changes of the clock; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

HINT: Final = "must look like 22:00-07:00"
_TIMES: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from `start` to `end` by the clocks of `zone`, over midnight where `end` is the earlier.

    They are moments, found anew for each day: an hour that comes twice does not bring them back, and a time
    that a change of the clock leaves out is as much later.
    """

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours that last at `now` (aware) end, UTC; None outside of them."""
        today = now.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            begun, over = self._moment(day, self.start), self._moment(self._end_day(day), self.end)
            if begun <= now < over:
                return over
        return None

    def _end_day(self, day: date) -> date:
        return day if self.start < self.end else day + _DAY

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def parse(text: str) -> tuple[time, time]:
    """Start and end of `22:00-07:00`; raises ValueError."""
    found = _TIMES.fullmatch(text)
    if found is None:
        raise ValueError(HINT)
    hours = [int(part) for part in found.groups()]
    start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    if start == end:
        raise ValueError(f"{HINT}, with an end that is not the start")
    return start, end
