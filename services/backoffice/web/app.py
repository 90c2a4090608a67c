"""The pages put together: gate, errors, words for moments and numbers, and one blueprint for each kind of page."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from flask import Flask, g
from jinja2 import StrictUndefined

from services.backoffice.web import answers, badges, gate
from services.backoffice.web.office import Office
from services.backoffice.web.pages import (
    alerts,
    dead_letters,
    events,
    files,
    findings,
    jobs,
    login,
    movements,
    overview,
    products,
    ready,
    refunds,
    sales,
    snapshots,
    stock_import,
    storefront,
    unplaced,
)
from shared import clock, money
from shared.vocabulary import StockStatus

PAGES: Final = (
    files.pages,
    ready.pages,
    login.pages,
    overview.pages,
    products.pages,
    unplaced.pages,
    findings.pages,
    alerts.pages,
    refunds.pages,
    sales.pages,
    movements.pages,
    jobs.pages,
    snapshots.pages,
    stock_import.pages,
    dead_letters.pages,
    events.pages,
    storefront.pages,
)
SHORT: Final = 20  # characters; ids of sessions are longer
COLOURS: Final = {StockStatus.OUT: "bad", StockStatus.LOW: "warn", StockStatus.IN: "good"}
LARGEST_FORM: Final = 2_000_000  # bytes; a stock list of 20,000 sizes


def create(office: Office) -> Flask:
    """The application, which answers for `office`."""
    app = Flask("services.backoffice.web", static_folder=None)
    app.debug = False  # whatever FLASK_DEBUG says
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_FORM
    app.url_map.merge_slashes = False  # it would redirect to http:// where a proxy speaks TLS for us
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    office.keep(app.extensions)
    gate.guard(app, office)
    answers.explain(app)
    app.add_template_filter(money.readable, "money")
    _words(app, office)
    for pages in PAGES:
        app.register_blueprint(pages)
    return app


def _words(app: Flask, office: Office) -> None:
    @app.template_filter("moment")
    def moment(at: datetime | None) -> str:
        return at.astimezone(office.zone).strftime("%d %b %Y, %H:%M") if at else "never"

    @app.template_filter("ago")
    def ago(at: datetime | None) -> str:
        return span((clock.now() - at).total_seconds()) + " ago" if at else "never"

    @app.template_filter("lasting")
    def lasting(length: timedelta) -> str:
        return span(length.total_seconds())

    @app.template_filter("short")
    def short(name: str) -> str:
        return name if len(name) <= SHORT else f"{name[:8]}…{name[-6:]}"

    @app.template_filter("colour")
    def colour(status: StockStatus) -> str:
        return COLOURS.get(status, "odd")

    @app.template_filter("units")
    def units(number: int) -> str:
        return f"{number:,}"

    @app.context_processor
    def visitor() -> dict[str, object]:
        return {
            "visit": g.get("visit"),
            "zone": office.zone.key,
            "badges": badges.counted,
            "order": lambda: uuid.uuid4().hex,
        }


def span(seconds: float) -> str:
    """A length of time in one unit: `40 s`, `5 min`, `3 h`, `12 days`."""
    minute, hour, day = 60, 3600, 86_400
    if seconds < 2 * minute:
        return f"{max(0, seconds):.0f} s"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min"
    return f"{seconds / hour:.0f} h" if seconds < 2 * day else f"{seconds / day:.0f} days"
