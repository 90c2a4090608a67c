"""Refunds and disputes: what may have come back, and saying what did."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import refunds as operations
from services.backoffice.web import answers, asked
from services.backoffice.web.office import office, visit
from shared.vocabulary import LineItemId, RefundId, parse_units

pages = Blueprint("refunds", __name__)
TABS: Final = {"open": operations.OPEN, "decided": operations.DECIDED}
UNITS: Final = "units:"
"""How the name of a line's field begins; its id follows."""


@pages.get("/refunds")
def listing() -> str:
    """Those that wait, or that were decided, newest first."""
    desk, tab = office().ledger, asked.tab(TABS)
    found = operations.paged(desk.database, desk.account, TABS[tab], asked.page_number())
    return render_template("refunds.html", found=found, tab=tab, guesses=operations.GUESSES, prefix=UNITS)


@pages.post("/refunds/<refund>/accept")
def accept(refund: str) -> Response:
    """Put back what came back."""
    shop = office().shop
    products, hinted = operations.accept(
        shop.database,
        shop.broker,
        shop.account,
        RefundId(refund),
        units=_units(),
        by=visit().person,
        reason=asked.field("reason"),
    )
    later = "" if hinted or not products else answers.LATER
    back = f"back in stock of {', '.join(products)}" if products else "nothing came back"
    return answers.done(f"{refund}: {back}.{later}", url_for("refunds.listing"))


@pages.post("/refunds/<refund>/dismiss")
def dismiss(refund: str) -> Response:
    """Nothing came back."""
    desk, reason = office().ledger, asked.needed("reason", "say why: it is kept with the refund")
    operations.dismiss(desk.database, desk.account, RefundId(refund), by=visit().person, reason=reason)
    return answers.done(f"{refund}: nothing came back.", url_for("refunds.listing"))


def _units() -> dict[LineItemId, int]:
    """Units of each line of the form; raises Missing where one has none, or there is no line."""
    found = {
        LineItemId(name.removeprefix(UNITS)): parse_units(asked.field(name))
        for name in request.form
        if name.startswith(UNITS)
    }
    units = {line: number for line, number in found.items() if number is not None}
    if not units or len(units) < len(found):
        raise asked.Missing("say for each line how many units came back, in whole numbers such as 0 or 2")
    return units
