from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reconciler.schedule import Due, Schedule, due, is_cron

BERLIN = ZoneInfo("Europe/Berlin")
LATENESS = timedelta(minutes=2)
TIMES = st.sampled_from(
    ["30 2 * * *", "0 0 * * *", "*/15 * * * *", "0 * * * *", "15 3 * * 1", "0 6 1 * *", "0 */2 * * *"]
)
ZONES = st.sampled_from(sorted(available_timezones()))
ODD_ZONES = (
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Auckland",
    "UTC",
)
MOMENTS = st.integers(1_322_700_000, 1_900_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment of the zone's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def runs(schedule: Schedule, begin: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """When a scheduler that looks every `step` runs the job."""
    found: list[datetime] = []
    last, now = schedule.latest(begin), begin
    while now <= end:
        one = due(schedule, last, now, lateness=timedelta(days=9))
        if one is not None:
            found.append(one.planned_at)
            last = one.planned_at
        now += step
    return found


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_a_daily_job_runs_once_on_every_day_of_odd_zones(zone: str) -> None:
    """Whatever a zone does with its clock in a year, a job of half past two runs on each of its days, once."""
    there = ZoneInfo(zone)
    schedule = Schedule("30 2 * * *", there)
    begin = at("2026-01-01T00:00", there)
    found = [begin]
    for _ in range(365):
        found.append(schedule.following(found[-1]))
        assert schedule.latest(found[-1] + timedelta(minutes=1)) == found[-1]
    days = [one.astimezone(there).date() for one in found[1:]]
    assert days == [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def test_an_hour_that_comes_twice_runs_a_daily_job_the_first_time() -> None:
    """On the night that has half past two twice the job runs at the first one."""
    schedule = Schedule("30 2 * * *", BERLIN)
    found = runs(schedule, at("2026-10-25T00:00"), at("2026-10-25T12:00"), timedelta(minutes=1))
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_an_hour_that_is_left_out_runs_a_daily_job_that_much_later() -> None:
    """On the night without half past two the job runs at half past three."""
    schedule = Schedule("30 2 * * *", BERLIN)
    found = runs(schedule, at("2026-03-29T00:00"), at("2026-03-29T12:00"), timedelta(minutes=1))
    assert [one.astimezone(BERLIN).isoformat() for one in found] == ["2026-03-29T03:30:00+02:00"]


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_a_job_of_every_quarter_hour_follows_the_time_that_passes(night: str) -> None:
    """A change of the clock neither stops such a job for an hour nor makes it run twice."""
    begin = at(f"{night}T00:05").astimezone(UTC)
    found = runs(Schedule("*/15 * * * *", BERLIN), begin, begin + timedelta(hours=5), timedelta(minutes=1))
    assert len(found) == 20
    assert {later - earlier for earlier, later in itertools.pairwise(found)} == {timedelta(minutes=15)}


@pytest.mark.parametrize(
    ("night", "hours"),
    [
        ("2026-03-29", ["00:00+01:00", "03:00+02:00", "04:00+02:00", "06:00+02:00"]),
        ("2026-10-25", ["00:00+02:00", "02:00+02:00", "04:00+01:00", "06:00+01:00"]),
    ],
)
def test_a_job_of_every_second_hour_misses_nothing_when_the_clock_changes(
    night: str, hours: list[str]
) -> None:
    """It keeps to the even hours of the wall clock, and whoever looks all night plans each in time, once."""
    schedule = Schedule("0 */2 * * *", BERLIN)
    now = at(f"{night}T00:00").astimezone(UTC)
    found: list[Due] = []
    last = schedule.latest(now - timedelta(minutes=1))
    while now <= at(f"{night}T07:00"):
        one = due(schedule, last, now, lateness=LATENESS)
        if one is not None:
            found.append(one)
            last = one.planned_at
        now += timedelta(minutes=1)
    assert [one.planned_at.astimezone(BERLIN).isoformat(timespec="minutes")[11:] for one in found] == hours
    assert [one.missed for one in found] == [False] * len(hours)


@given(TIMES, ZONES, MOMENTS)
def test_the_latest_and_the_following_time_surround_now(times: str, zone: str, now: datetime) -> None:
    """What was due last is not later than now, what is due next is, and nothing lies between."""
    schedule = Schedule(times, ZoneInfo(zone))
    latest, following = schedule.latest(now), schedule.following(now)
    assert latest <= now < following
    assert schedule.latest(following - timedelta(seconds=1)) == latest


def test_sundays_are_0_and_7() -> None:
    """Days of the week are those of cron."""
    sunday = at("2026-11-22T12:00")
    assert Schedule("0 6 * * 0", BERLIN).latest(sunday) == Schedule("0 6 * * 7", BERLIN).latest(sunday)
    assert Schedule("0 6 * * 0", BERLIN).latest(sunday) == at("2026-11-22T06:00")
    assert Schedule("0 6 * * 1", BERLIN).latest(sunday) == at("2026-11-16T06:00")


def test_fault_106_of_many_missed_runs_only_the_latest_is_caught_up() -> None:
    """After days without a scheduler a job runs once, and that says that it was missed."""
    schedule = Schedule("*/15 * * * *", BERLIN)
    last, now = at("2026-05-01T00:00"), at("2026-05-04T10:07")
    assert due(schedule, last, now, lateness=LATENESS) == Due(
        at("2026-05-04T10:00").astimezone(UTC), missed=True
    )
    assert due(schedule, at("2026-05-04T10:00"), now, lateness=LATENESS) is None


def test_a_job_that_is_new_has_missed_nothing() -> None:
    """What was never planned waits for its next time; looked at in time, it runs."""
    schedule = Schedule("0 6 * * 1", BERLIN)
    assert due(schedule, None, at("2026-05-05T10:00"), lateness=LATENESS) is None
    monday = at("2026-05-04T06:00:30")
    assert due(schedule, None, monday, lateness=LATENESS) == Due(
        at("2026-05-04T06:00").astimezone(UTC), missed=False
    )


def test_fault_110_a_clock_that_is_put_back_plans_nothing_twice() -> None:
    """A run that was planned is not planned again by a clock ten minutes behind."""
    schedule = Schedule("*/15 * * * *", BERLIN)
    assert due(schedule, at("2026-05-04T10:00"), at("2026-05-04T09:52"), lateness=LATENESS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "@daily",
        "every day",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
        "0 0 1 1 x",
    ],
)
def test_what_is_no_cron_expression_is_told(text: str) -> None:
    """Only five fields that cron understands, and that name a day which some year has, are taken."""
    assert not is_cron(text)


def test_a_cron_expression_is_told() -> None:
    """Names, lists, ranges and steps are cron's."""
    assert all(is_cron(text) for text in ["*/15 * * * *", "0 6 * * mon", "0 6,18 1-7 jan *", "0 0 29 2 *"])
