from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.reconciler.thinning import superfluous

NOW = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def nightly(days: int) -> list[tuple[int, datetime]]:
    """A snapshot every night, oldest first; its id is its age in days."""
    return [(age, NOW - timedelta(days=age)) for age in range(days, -1, -1)]


def kept(taken: list[tuple[int, datetime]], now: datetime = NOW) -> list[tuple[int, datetime]]:
    """What thinning out leaves."""
    spare = set(superfluous(taken, now, BERLIN))
    return [one for one in taken if one[0] not in spare]


def test_all_of_lately_then_one_a_week_then_one_a_month() -> None:
    """Three years of nights are 36 nights, a snapshot for each week of a year, one for each month before."""
    left = kept(nightly(1095))
    ages = [age for age, _ in left]
    assert [age for age in ages if age <= 35] == list(range(35, -1, -1))
    weekly = [at for age, at in left if 35 < age <= 400]
    assert {at.astimezone(BERLIN).weekday() for at in weekly[1:]} == {0}
    assert 52 <= len(weekly) <= 54
    monthly = [at for age, at in left if age > 400]
    assert {at.astimezone(BERLIN).day for at in monthly[1:]} == {1}
    assert 23 <= len(monthly) <= 25


def test_thinning_out_every_night_leaves_no_more_and_no_less() -> None:
    """A row that was thinned out each night for two years has its weeks and months, and is thinned out already."""
    row: list[tuple[int, datetime]] = []
    for night in range(730):
        at = NOW + timedelta(days=night)
        row = kept([*row, (night, at)], at)
    assert superfluous(row, NOW + timedelta(days=729), BERLIN) == []
    assert 36 + 52 + 10 <= len(row) <= 36 + 53 + 13
    gaps = [later[1] - earlier[1] for earlier, later in pairwise(row)]
    assert max(gaps) <= timedelta(days=35)


def test_no_snapshot_is_nothing_to_drop() -> None:
    """An empty row, and one of a single old snapshot, stay."""
    assert superfluous([], NOW, BERLIN) == []
    assert superfluous([(7, NOW - timedelta(days=3000))], NOW, BERLIN) == []
