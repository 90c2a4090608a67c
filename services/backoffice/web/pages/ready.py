"""Whether the pages would answer, for who looks after the process."""

from __future__ import annotations

from flask import Blueprint, Response

from services.backoffice.web.office import office

pages = Blueprint("ready", __name__)


@pages.get("/readyz")
def page() -> Response:
    """200 while the database answers."""
    office().ledger.database.ping()
    return Response("ready\n", mimetype="text/plain")
