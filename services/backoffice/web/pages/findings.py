"""What does not add up between Stripe and the ledger, and saying that it is known or over."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import findings as operations
from services.backoffice.web import answers, asked
from services.backoffice.web.office import office, visit

pages = Blueprint("findings", __name__)


@pages.get("/findings")
def listing() -> str:
    """Findings of one state, newest first."""
    desk, tab = office().ledger, asked.tab(operations.EVERY)
    found = operations.paged(desk.database, desk.account, tab, asked.page_number())
    return render_template("findings.html", found=found, tab=tab)


@pages.post(f"/findings/{asked.NUMBER}/acknowledge")
def acknowledge(number: int) -> Response:
    """Somebody knows of it."""
    desk = office().ledger
    operations.acknowledge(desk.database, desk.account, [number], by=visit().person)
    told = f"Finding {number} is acknowledged: no mail tells of it any more."
    return answers.done(told, url_for("findings.listing"))


@pages.post(f"/findings/{asked.NUMBER}/resolve")
def resolve(number: int) -> Response:
    """It is over."""
    desk, how = (
        office().ledger,
        asked.needed("how", "say what was done about it: it is kept with the finding"),
    )
    operations.resolve(desk.database, desk.account, [number], by=visit().person, how=how)
    told = f"Finding {number} is resolved. The next verification opens anew what still is wrong."
    return answers.done(told, url_for("findings.listing"))
