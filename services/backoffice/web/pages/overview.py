"""The first page: how the shop stands."""

from __future__ import annotations

from flask import Blueprint, render_template

from services.backoffice.operations import overview as operations
from services.backoffice.web import badges
from services.backoffice.web.office import office
from shared import clock

pages = Blueprint("overview", __name__)


@pages.get("/")
def page() -> str:
    """The page."""
    found = _found()
    badges.keep(found.waiting)
    return render_template("overview.html", found=found)


@pages.get("/overview/figures")
def figures() -> str:
    """Its figures alone, for a page that is open."""
    return render_template("overview_figures.html", found=_found())


def _found() -> operations.Overview:
    desk = office()
    return operations.overview(desk.ledger, desk.broker, clock.now(), desk.zone)
