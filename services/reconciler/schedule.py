"""When a job is due: cron expressions in the shop's own time, across changes of the clock; decisions only.

croniter reads the expression. It is asked about wall-clock times without a zone, because with one it runs a
daily job twice on the night that has an hour twice. A time that a change of the clock leaves out is due as much
later, one that comes twice is due the first time. A job of every hour follows the hours that really pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, croniter

OFF: Final = "off"
_FIELDS: Final = 5
_WIDEST_CHANGE: Final = timedelta(hours=25)
"""A clock is never put further at once; Samoa once left out a day."""
_SECOND: Final = timedelta(seconds=1)
_ANY_TIME: Final = datetime(2026, 1, 1)  # noqa: DTZ001 - of a wall clock


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron `expression` of five fields, read in `zone`."""

    expression: str
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """The last time it was due at or before `now` (aware); UTC."""
        return next(at for at in self._backwards(now) if at <= now)

    def following(self, now: datetime) -> datetime:
        """The next time it is due after `now` (aware); UTC."""
        if self._every_hour:
            shifted = now.astimezone(_fixed(now, self.zone))
            found: datetime = croniter(self.expression, shifted.replace(tzinfo=None)).get_next(datetime)
            return found.replace(tzinfo=shifted.tzinfo).astimezone(UTC)
        local = now.astimezone(self.zone).replace(tzinfo=None)
        times = croniter(self.expression, local - _WIDEST_CHANGE)
        while True:
            at = self._instant(times.get_next(datetime))
            if at > now:
                return at

    def _backwards(self, now: datetime) -> Iterator[datetime]:
        if self._every_hour:
            shifted = now.astimezone(_fixed(now, self.zone))
            times = croniter(self.expression, shifted.replace(tzinfo=None) + _SECOND)
            while True:
                found: datetime = times.get_prev(datetime)
                yield found.replace(tzinfo=shifted.tzinfo).astimezone(UTC)
        local = now.astimezone(self.zone).replace(tzinfo=None)
        times = croniter(self.expression, local + _WIDEST_CHANGE)
        while True:
            yield self._instant(times.get_prev(datetime))

    def _instant(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    @property
    def _every_hour(self) -> bool:
        return self.expression.split()[1] in {"*", "*/1"}


def _fixed(now: datetime, zone: ZoneInfo) -> timezone:
    return timezone(now.astimezone(zone).utcoffset() or timedelta())


def is_cron(text: str) -> bool:
    """Whether `text` is a cron expression of five fields that is ever due."""
    if len(text.split()) != _FIELDS or not croniter.is_valid(text):
        return False
    try:
        croniter(text, _ANY_TIME).get_next(datetime)
    except CroniterBadDateError:  # such as the 31st of February
        return False
    return True


@dataclass(frozen=True, slots=True)
class Due:
    """A run to plan; `missed` says that it was due while nobody looked."""

    planned_at: datetime
    missed: bool


def due(schedule: Schedule, last: datetime | None, now: datetime, *, lateness: timedelta) -> Due | None:
    """The run to plan at `now` after the one planned for `last`; of several missed ones only the latest.

    A job that was never planned before has missed nothing.
    """
    at = schedule.latest(now)
    missed = now - at > lateness
    if (last is None and missed) or (last is not None and at <= last):
        return None
    return Due(at, missed)
