"""Alerts that are open, and saying that somebody sees to one or that it can wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import alerts as operations
from services.backoffice.web import answers, asked
from services.backoffice.web.office import office, visit
from shared import clock
from shared.vocabulary import AlertKind

pages = Blueprint("alerts", __name__)
SPANS: Final = {"1h": "an hour", "1d": "a day", "1w": "a week"}
SEEN_TO: Final[Mapping[AlertKind, tuple[str, str]]] = {
    AlertKind.UNPLACED_SALE: ("unplaced.listing", "unplaced sales"),
    AlertKind.FINDING: ("findings.listing", "findings"),
    AlertKind.REFUND_PROPOSED: ("refunds.listing", "refunds"),
    AlertKind.DISPUTED: ("refunds.listing", "refunds"),
}
"""Kinds that end when somebody decides on a page of their own: the page, and what it is called."""


@pages.get("/alerts")
def listing() -> str:
    """What is open, newest first."""
    desk = office().ledger
    found = operations.paged(desk.database, desk.account, asked.page_number(), now=clock.now())
    return render_template("alerts.html", found=found, spans=SPANS, seen_to=SEEN_TO)


@pages.post(f"/alerts/{asked.NUMBER}/acknowledge")
def acknowledge(number: int) -> Response:
    """Somebody sees to it."""
    desk = office().ledger
    operations.acknowledge(desk.database, desk.account, [number], actor=visit().person)
    return answers.done("It is not told again while it lasts.", url_for("alerts.listing"))


@pages.post(f"/alerts/{asked.NUMBER}/snooze")
def snooze(number: int) -> Response:
    """It can wait."""
    desk, length = office().ledger, asked.field("own") or asked.field("length")
    until = clock.now() + operations.span(length)
    operations.snooze(desk.database, desk.account, [number], until)
    told = f"It is told at {until.astimezone(office().zone):%d %b %Y, %H:%M}, if it still lasts."
    return answers.done(told, url_for("alerts.listing"))
