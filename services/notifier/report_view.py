"""A week's figures as the lines that people read; names are cleaned, nothing is computed that is not in the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.facts import LINE_LENGTH, capital, duration
from services.notifier.items import NAME_LENGTH, clean
from shared.findings import WORDS, Cause
from shared.weekly_report import Doubt, ProductWeek, RanOut, Recovered, Seller, WeeklyReport

SHOWN: Final = 15
"""Rows of a list in the mail; the table that is attached has all."""

MENDS: Final = "stocksync findings list shows each, and what to do about it."


@dataclass(frozen=True, slots=True)
class Line:
    """One row: what, a word more, the figure at its end, and how grave that is (`grave`, `warning` or nothing)."""

    title: str
    detail: str
    figure: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with its rows; `more` says what is left out, `hint` what people can do about them."""

    heading: str
    lines: tuple[Line, ...]
    more: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """All that the mail shows."""

    week: str
    figures: tuple[Line, ...]
    summary: str
    picture_says: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def view(report: WeeklyReport) -> View:
    """The report in words."""
    zone = ZoneInfo(report.zone)
    parts = (
        Part("Best sellers", tuple(_seller(one) for one in report.best)),
        Part("Runs out soon", tuple(_soon(one) for one in report.soon)),
        _part("Ran out", [_ran_out(one, zone) for one in report.ran_out][::-1], report.more_ran_out),
        _part("What changed, by product", [_product(one) for one in report.products], report.more_products),
        Part("What does not add up", tuple(_doubt(one, zone) for one in report.doubts), hint=MENDS),
        Part("Sales that no webhook told of", tuple(map(_recovered, report.recovered))),
    )
    return View(
        week=week(report),
        figures=_figures(report) if report.stock.sizes or report.products else (),
        summary=_summary(report),
        picture_says=picture_says(report),
        parts=tuple(part for part in parts if part.lines),
        notes=tuple(_notes(report, zone)),
    )


def week(report: WeeklyReport) -> str:
    """`27 Apr to 3 May 2026`."""
    first = report.begins_at.astimezone(ZoneInfo(report.zone))
    last = last_day(report)
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} to {last.day} {last:%b %Y}"


def last_day(report: WeeklyReport) -> date:
    """The week's last day in the shop's zone."""
    return (report.ends_at - timedelta(microseconds=1)).astimezone(ZoneInfo(report.zone)).date()


def picture_says(report: WeeklyReport) -> str:
    """What the picture shows, for whoever does not see it."""
    if not any(day.stock or day.sold for day in report.course):
        return ""
    first, last = report.course[0], report.course[-1]
    busiest = max(report.course, key=lambda day: day.sold)
    sold = f" Most were sold on {_day(busiest.day)}: {busiest.sold:,}." if busiest.sold else ""
    return (
        f"Units in stock from {_day(first.day)} to {_day(last.day)}: {first.stock:,} at first, {last.stock:,} at"
        f" last.{sold}"
    )


def _figures(report: WeeklyReport) -> tuple[Line, ...]:
    orders = f"in {report.orders:,} {'order' if report.orders == 1 else 'orders'}"
    return (
        Line("Sold", orders, f"{report.sold:,}"),
        Line("In stock", f"in {report.stock.sizes:,} sizes", f"{report.stock.units:,}"),
        Line("Low", "sizes", f"{report.stock.low:,}", "warning" if report.stock.low else ""),
        Line("Out of stock", "sizes", f"{report.stock.out:,}", "grave" if report.stock.out else ""),
    )


def _summary(report: WeeklyReport) -> str:
    if not report.stock.sizes and not report.products:
        return "No product keeps stock yet, so there is nothing to tell."
    if not report.products:
        return "Nothing was sold and no stock was changed this week."
    if not report.sold:
        return "Nothing was sold this week."
    return ""


def _named(name: str, product: str, size: str = "") -> str:
    title = clean(name, NAME_LENGTH) or clean(product, NAME_LENGTH)
    return " · ".join(filter(None, (title, clean(size, NAME_LENGTH))))


def _left(one: Seller) -> str:
    return "nothing left" if not one.left else f"{one.left:,} left"


def _lasts(days: int) -> str:
    return "less than a day" if not days else f"about {days:,} {'day' if days == 1 else 'days'}"


def _seller(one: Seller) -> Line:
    lasts = f", {_lasts(one.cover)} at this pace" if one.left and one.cover is not None else ""
    return Line(_named(one.name, one.product, one.size), _left(one) + lasts, f"{one.sold:,} sold")


def _soon(one: Seller) -> Line:
    figure = _lasts(one.cover or 0).removeprefix("about ")
    return Line(_named(one.name, one.product, one.size), _left(one), figure, "warning")


def _ran_out(one: RanOut, zone: ZoneInfo) -> Line:
    when = f"on {_moment(one.at, zone)}"
    if one.left > 0:
        return Line(_named(one.name, one.product, one.size), f"{when}, restocked since", f"{one.left:,} left")
    return Line(_named(one.name, one.product, one.size), when, "out", "grave")


def _product(one: ProductWeek) -> Line:
    told = (
        ("sold", one.sold, f"{one.sold:,}"),
        ("restocked", one.restocked, _change(one.restocked)),
        ("edited in the Dashboard", one.edited, _change(one.edited)),
        ("back from refunds", one.returned, _change(one.returned)),
        ("corrected", one.corrected, _change(one.corrected)),
        ("oversold", one.oversold, f"{one.oversold:,}"),
        ("first seen with", one.opened, f"{one.opened:,}"),
    )
    detail = " · ".join(f"{what} {shown}" for what, count, shown in told if count)
    return Line(_named(one.name, one.product), detail, _change(one.change))


def _doubt(one: Doubt, zone: ZoneInfo) -> Line:
    words = WORDS[Cause(one.cause)].happened if one.cause in set(Cause) else clean(one.cause, LINE_LENGTH)
    since = "since" if one.findings == 1 else "the oldest since"
    return Line(capital(words), f"{since} {_moment(one.oldest, zone)}", f"{one.findings:,}", "warning")


def _recovered(one: Recovered) -> Line:
    late = f"booked all the same, up to {duration(one.longest_seconds)} late"
    return Line(capital(clean(one.reason, LINE_LENGTH)), late, f"{one.sales:,}")


def _change(count: int) -> str:
    return f"{count:+,}".replace("-", "−") if count else "±0"


def _part(heading: str, lines: list[Line], left_out: int) -> Part:
    more = left_out + max(0, len(lines) - SHOWN)
    return Part(heading, tuple(lines[:SHOWN]), f"and {more:,} more" if more else "")


def _notes(report: WeeklyReport, zone: ZoneInfo) -> list[str]:
    notes: list[str] = []
    waiting = report.unplaced
    if waiting.lines and waiting.oldest is not None:
        lines = "1 sold line waits" if waiting.lines == 1 else f"{waiting.lines:,} sold lines wait"
        notes.append(
            f"{lines} for a person to say what was bought (stocksync unplaced list), the oldest since"
            f" {_moment(waiting.oldest, zone)}."
        )
    if not report.doubts:
        notes.append("Nothing is known that does not add up.")
    share = round(100 * report.reads.used / report.reads.allowed)
    notes.append(
        f"Stripe was read {report.reads.used:,} times this month, {share} % of the {report.reads.allowed:,} times"
        " it allows."
    )
    if report.rows:
        short = (
            f" ({report.more_rows:,} sizes of which there is enough are left out)" if report.more_rows else ""
        )
        notes.append(f"The stock of every size is attached as a table{short}.")
    return notes


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%b, %H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
