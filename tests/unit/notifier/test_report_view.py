from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from services.notifier.report_view import view
from shared.weekly_report import Doubt, ProductWeek, RanOut, Reads, Recovered, Stock, Unplaced, WeeklyReport

NEW_YEAR = WeeklyReport(
    begins_at=datetime(2025, 12, 28, 23, tzinfo=UTC),
    ends_at=datetime(2026, 1, 4, 23, tzinfo=UTC),
    zone="Europe/Berlin",
    stock=Stock(products=1, sizes=1, units=1, low=0, out=0),
    sold=1,
    orders=1,
    products=tuple(ProductWeek(product=f"prod_{n}", name="", sold=1, edited=-2) for n in range(20)),
    more_products=30,
    best=(),
    soon=(),
    ran_out=(
        RanOut(
            product="prod_1", name="a\x1b[2J\nb", size="M", at=datetime(2026, 1, 1, 23, tzinfo=UTC), left=0
        ),
    ),
    more_ran_out=0,
    unplaced=Unplaced(lines=1, oldest=datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
    reads=Reads(used=2500, allowed=10_000),
    course=(),
    rows=(),
    more_rows=0,
)


def test_a_week_is_named_in_the_shop_s_days() -> None:
    """Its first and last day, the year twice only where it changes."""
    assert view(NEW_YEAR).week == "29 Dec 2025 to 4 Jan 2026"


def test_long_lists_are_cut_and_say_so() -> None:
    """Fifteen rows are shown, and how many there are beside them."""
    changed = view(NEW_YEAR).parts[-1]
    assert (len(changed.lines), changed.more) == (15, "and 35 more")
    assert (changed.lines[0].title, changed.lines[0].detail, changed.lines[0].figure) == (
        "prod_0",
        "sold 1 · edited in the Dashboard −2",
        "−3",
    )


def test_times_are_the_shop_s_and_names_are_harmless() -> None:
    """What ran out says when on the shop's clock; control characters in a name are gone."""
    (line,) = view(NEW_YEAR).parts[0].lines
    assert (line.title, line.detail) == ("a [2J b · M", "on Friday, 2 Jan, 00:00")


def test_notes_tell_what_waits_and_what_stripe_allows() -> None:
    """Sold lines that wait for a person, and the share of reads that is used."""
    assert view(NEW_YEAR).notes == (
        (
            "1 sold line waits for a person to say what was bought (stocksync unplaced list), the oldest since"
            " Thursday, 1 Jan, 00:30."
        ),
        "Nothing is known that does not add up.",
        "Stripe was read 2,500 times this month, 25 % of the 10,000 times it allows.",
    )


def test_what_does_not_add_up_says_since_when_and_what_mends_it() -> None:
    """Findings by cause with the age of the oldest and the command for them, late sales with reason and delay."""
    since = datetime(2026, 1, 1, 23, tzinfo=UTC)
    doubts = (
        Doubt(cause="not_a_number", findings=3, oldest=since),
        Doubt(cause="of a later version", findings=1, oldest=since),
    )
    late = (Recovered(reason="its webhook was not delivered", sales=1200, longest_seconds=49 * 3600),)
    told = view(NEW_YEAR.model_copy(update={"doubts": doubts, "recovered": late}))
    found, missed = told.parts[-2:]
    assert [(line.title, line.detail, line.figure) for line in found.lines] == [
        (
            "Its number is not a plain whole number, so it is left alone",
            "the oldest since Friday, 2 Jan, 00:00",
            "3",
        ),
        ("Of a later version", "since Friday, 2 Jan, 00:00", "1"),
    ]
    assert "stocksync findings list" in found.hint
    assert [(line.title, line.detail, line.figure) for line in missed.lines] == [
        ("Its webhook was not delivered", "booked all the same, up to 2 d 1 h late", "1,200")
    ]
    assert not any("add up" in note for note in told.notes)


def test_the_notifier_starts_without_the_drawing_library() -> None:
    """The library that draws is imported when a picture is drawn, not before."""
    look = "import services.notifier.__main__, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
