"""What was sold, newest first, and one sale with all that became of it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from services.backoffice.operations.reports import journal_pages as operations
from services.backoffice.web import marks
from services.backoffice.web.office import office
from shared.storable import storable_text
from shared.vocabulary import SessionId

pages = Blueprint("sales", __name__)


@pages.get("/sales")
def listing() -> str:
    """A page of sales."""
    desk = office()
    day, recovered = request.args.get("since", ""), request.args.get("recovered") == "yes"
    since, before = marks.day(day, desk.zone), marks.read(request.args.get("before"), numbered=False)
    found = operations.sales(desk.ledger, since=since, recovered=recovered, before=before)
    older = marks.written(found.older) if found.older else None
    return render_template(
        "sales.html", found=found, older=older, since=day, recovered=recovered, first=before is None
    )


@pages.get("/sales/<session>")
def one(session: str) -> str:
    """One sale."""
    found, moved = operations.sale(office().ledger, SessionId(storable_text(session)))
    return render_template("sale.html", found=found, movements=moved)
