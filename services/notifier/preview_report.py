"""A sample of the weekly report, its picture inside the HTML so that a browser shows it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.notifier import report_mail
from services.notifier.mail import Mail
from shared.findings import Cause
from shared.stock_levels import Status
from shared.store.reports import ClaimedReport
from shared.vocabulary import AccountKey
from shared.weekly_report import (
    Day,
    Doubt,
    ProductWeek,
    RanOut,
    Reads,
    Recovered,
    Row,
    Seller,
    Stock,
    Unplaced,
    WeeklyReport,
)

ENDS: Final = datetime(2026, 11, 22, 23, tzinfo=UTC)
LONG: Final = "Limited edition organic cotton hoodie, embroidered, with a kangaroo pocket and a zip"
DOMAIN: Final = "example.com"
COURSE: Final = 84  # days


def report() -> WeeklyReport:
    """A week in which something of everything happened."""
    days = [date(2026, 8, 31) + timedelta(days=n) for n in range(COURSE)]
    return WeeklyReport(
        begins_at=ENDS - timedelta(days=7),
        ends_at=ENDS,
        zone="Europe/Berlin",
        stock=Stock(products=214, sizes=801, units=9_340, low=17, out=6),
        sold=412,
        orders=287,
        products=(
            ProductWeek(product="prod_1", name="Fisherman's jumper", sold=61, restocked=120, returned=2),
            ProductWeek(product="prod_2", name=LONG, sold=40, edited=-3, oversold=1),
            ProductWeek(product="prod_3", name="Mütze 🧢", opened=25),
        ),
        more_products=71,
        best=(
            Seller(product="prod_1", name="Fisherman's jumper", size="M", sold=34, left=86, cover=17),
            Seller(product="prod_2", name=LONG, size="XL", sold=22, left=0, cover=0),
        ),
        soon=(Seller(product="prod_4", name="<b>Tote bag</b> & more", size="", sold=9, left=4, cover=3),),
        ran_out=(RanOut(product="prod_2", name=LONG, size="XL", at=ENDS - timedelta(days=2), left=0),),
        more_ran_out=0,
        unplaced=Unplaced(lines=2, oldest=ENDS - timedelta(days=4)),
        doubts=(Doubt(cause=Cause.NOT_A_NUMBER.value, findings=3, oldest=ENDS - timedelta(days=9)),),
        recovered=(Recovered(reason="its webhook was not delivered", sales=3, longest_seconds=5_400),),
        reads=Reads(used=3_120, allowed=500_000),
        course=tuple(
            Day(day=day, stock=9_800 - 45 * (n % 28), sold=40 + n % 7 * 9) for n, day in enumerate(days)
        ),
        rows=(Row(product="prod_1", name="Fisherman's jumper", size="M", units=86, status=Status.ENOUGH),),
        more_rows=0,
    )


def mail() -> Mail:
    """The sample as a mail; the table that is attached is left out."""
    sample = report()
    claimed = ClaimedReport(1, AccountKey("self:live"), ENDS, None, 1, ENDS)
    picture = report_mail.drawn(sample)
    made = report_mail.render(sample, claimed, domain=DOMAIN, picture=picture is not None)
    if picture is None:
        return made
    data = f"data:image/png;base64,{b64encode(picture).decode()}"
    return replace(made, html=made.html.replace(f"cid:{report_mail.cid(DOMAIN)}", data))
