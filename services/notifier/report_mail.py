"""A week's figures as one mail: text, HTML with its picture, and the table attached."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from typing import Final

from services.notifier.layout import fill
from services.notifier.mail import Mail
from services.notifier.report_view import last_day, view
from shared import logs, spreadsheet
from shared.stock_levels import HEADER
from shared.store.reports import ClaimedReport
from shared.weekly_report import WeeklyReport

PICTURE: Final = "stock-over-time"
"""The picture's Content-ID begins so."""

log = logs.get(__name__)


def render(report: WeeklyReport, claimed: ClaimedReport, *, domain: str, picture: bool) -> Mail:
    """The mail; `domain` ends its Message-ID, which is the same whenever this report is mailed."""
    test = claimed.account.endswith(":test")
    told = view(report)
    shown = {"view": told, "test": test, "cid": cid(domain) if picture else ""}
    text, html = fill("report", shown)
    mark = "[stocksync test]" if test else "[stocksync]"
    subject = f"{mark} The week {told.week}: {report.sold:,} sold, {report.stock.out:,} out of stock"
    return Mail(subject, text, html, message_id(claimed, domain))


def message_id(claimed: ClaimedReport, domain: str) -> str:
    """The same for the same report, so that a mail client folds a mail that was sent twice."""
    what = f"{claimed.account} {claimed.id} {claimed.made_at.isoformat()}"
    return f"<report-{hashlib.sha256(what.encode()).hexdigest()[:32]}@{domain}>"


def cid(domain: str) -> str:
    """The Content-ID of the picture, without brackets."""
    return f"{PICTURE}@{domain}"


def enclose(letter: EmailMessage, report: WeeklyReport, *, domain: str, picture: bytes | None) -> None:
    """Put the picture beside the HTML of `letter`, and the table behind it."""
    html = letter.get_body(("html",))
    if picture is not None and isinstance(html, EmailMessage):
        html.add_related(
            picture,
            maintype="image",
            subtype="png",
            cid=f"<{cid(domain)}>",
            disposition="inline",
            filename="stock.png",
        )
    if report.rows:
        content = table(report).encode("utf-8-sig", "replace")  # without the mark Excel reads umlauts wrongly
        name = f"stock-{last_day(report)}.csv"
        letter.add_attachment(
            content, maintype="text", subtype="csv", filename=name, params={"charset": "utf-8"}
        )


def table(report: WeeklyReport) -> str:
    """The stock of every size as CSV, in the columns that shops know."""
    rows = ((row.product, row.name, row.size, row.units, row.status.value) for row in report.rows)
    return "".join(spreadsheet.lines(HEADER, rows))


def drawn(report: WeeklyReport) -> bytes | None:
    """The picture; None where nothing was ever in stock, or where it can't be drawn: the figures go without."""
    if not any(day.stock or day.sold for day in report.course):
        return None
    try:
        from services.notifier import picture  # noqa: PLC0415 - takes a second and 40 MB, for one mail a week

        return picture.draw(report.course)
    except Exception as error:  # whatever a drawing library trips over, people want their figures
        log.exception("report_picture_failed", error=type(error).__name__)
        return None
