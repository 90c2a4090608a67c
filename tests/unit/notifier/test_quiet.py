from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notifier.quiet import QuietHours, parse

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)

CASES: list[tuple[str, QuietHours, str, str | None]] = [
    # what, quiet hours, the time (UTC) -> when they end (UTC)
    ("by day", NIGHT, "2026-06-10T12:00", None),
    ("a minute before", NIGHT, "2026-06-10T19:59", None),
    ("as they begin", NIGHT, "2026-06-10T20:00", "2026-06-11T05:00"),
    ("after midnight", NIGHT, "2026-06-11T00:30", "2026-06-11T05:00"),
    ("as they end", NIGHT, "2026-06-11T05:00", None),
    ("in winter an hour later by UTC", NIGHT, "2026-12-10T20:30", None),
    ("in winter they end later too", NIGHT, "2026-12-11T05:30", "2026-12-11T06:00"),
    ("a night of 8 hours in spring", NIGHT, "2026-03-28T22:00", "2026-03-29T05:00"),
    ("a night of 10 hours in autumn", NIGHT, "2026-10-24T21:00", "2026-10-25T06:00"),
    ("at noon", QuietHours(time(12), time(14), BERLIN), "2026-06-10T11:00", "2026-06-10T12:00"),
    ("at noon, over", QuietHours(time(12), time(14), BERLIN), "2026-06-10T12:30", None),
    # 02:30 comes twice on 25 October: the first one ends them, the second does not bring them back.
    ("ends at the first 02:30", QuietHours(time(22), time(2, 30), BERLIN), "2026-10-25T00:29", "2026-10-25T00:30"),
    ("no second 02:10", QuietHours(time(22), time(2, 30), BERLIN), "2026-10-25T01:10", None),
    # 02:30 does not exist on 29 March: it is as much later.
    ("ends at 03:30 instead", QuietHours(time(22), time(2, 30), BERLIN), "2026-03-29T01:29", "2026-03-29T01:30"),
    ("a zone far ahead", QuietHours(time(22), time(7), ZoneInfo("Pacific/Kiritimati")), "2026-06-10T08:00",
     "2026-06-10T17:00"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "now", "end"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_quiet_hours(hours: QuietHours, now: str, end: str | None) -> None:
    """They last at a moment, and until when, exactly as the row says, in every season."""
    until = hours.until(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert until == (None if end is None else datetime.fromisoformat(end).replace(tzinfo=UTC))


def test_quiet_hours_are_read() -> None:
    """Start and end are times of day."""
    assert parse("22:00-07:30") == (time(22), time(7, 30))


@pytest.mark.parametrize(
    "text", ["", "22-7", "22:00", "22:00-24:00", "7:00-8:00", "22:00-22:00", "22:00 - 07:00", "٢٢:00-07:00"]
)
def test_what_is_no_span_of_a_day_is_refused(text: str) -> None:
    """Anything else is refused with a text that shows how it is written."""
    with pytest.raises(ValueError, match="22:00-07:00"):
        parse(text)
