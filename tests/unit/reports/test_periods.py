from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.backoffice.cli.moments import NoMoment, parse
from shared.periods import last_days, midnight, week_before

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,
    ZoneInfo("America/Sao_Paulo"),
    ZoneInfo("Asia/Beirut"),
    ZoneInfo("UTC"),
]


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 3, 30, 4, tzinfo=UTC), 167),
        (datetime(2026, 10, 26, 5, tzinfo=UTC), 169),
        (datetime(2026, 5, 4, 4, tzinfo=UTC), 168),
    ],
)
def test_a_week_has_its_hours(now: datetime, hours: int) -> None:
    """The week before a Monday is an hour shorter or longer where the clock was changed on its Sunday."""
    week = week_before(now, BERLIN)
    assert week.ends - week.begins == timedelta(hours=hours)
    assert (week.begins.astimezone(BERLIN).hour, week.ends.astimezone(BERLIN).hour) == (0, 0)
    assert week.ends.astimezone(BERLIN).date() == now.astimezone(BERLIN).date()


@given(st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)), st.sampled_from(ZONES))  # noqa: DTZ001 - hypothesis wants none
def test_weeks_follow_each_other_without_a_gap(now: datetime, zone: ZoneInfo) -> None:
    """Where one week ends the next begins, in any zone, across changes of the clock."""
    week = week_before(now.replace(tzinfo=UTC), zone)
    later = midnight(week.ends.astimezone(zone).date() + timedelta(days=7), zone)
    assert week_before(later + timedelta(hours=2), zone).begins == week.ends
    assert week.begins < week.ends


def test_a_midnight_that_is_left_out_is_the_moment_in_its_place() -> None:
    """In São Paulo in 2018 the fourth of November began at one o'clock."""
    began = midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
    assert began == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_the_last_days_end_with_today() -> None:
    """Today is the shop's today."""
    late = datetime(2026, 5, 3, 23, tzinfo=UTC)
    assert last_days(2, late, BERLIN) == [date(2026, 5, 3), date(2026, 5, 4)]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-04", datetime(2026, 5, 3, 22, tzinfo=UTC)),
        ("2026-05-04T10:30", datetime(2026, 5, 4, 8, 30, tzinfo=UTC)),
        ("2026-05-04 10:30", datetime(2026, 5, 4, 8, 30, tzinfo=UTC)),
        ("2026-05-04T10:30Z", datetime(2026, 5, 4, 10, 30, tzinfo=UTC)),
        ("2026-05-04T10:30+05:30", datetime(2026, 5, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_moment_is_the_shop_s_unless_it_says_otherwise(text: str, at: datetime) -> None:
    """A day or a time is in the shop's zone; with an offset it is itself."""
    assert parse(text, BERLIN) == at


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_moment_or_told(text: str) -> None:
    """No text breaks anything."""
    told = ""
    try:
        parse(text, BERLIN)
    except NoMoment as error:
        told = str(error)
    assert "\n" not in told
