"""Logging in and out."""

from __future__ import annotations

import math
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from services.backoffice.operations import passwords, people
from services.backoffice.web import gate
from services.backoffice.web.office import office

IN_MINUTES: Final = 120
"""Seconds from which on a wait is told in minutes."""

pages = Blueprint("login", __name__)


@pages.get("/login")
def form() -> str:
    """The form."""
    return _form("")


@pages.post("/login")
def enter() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Let somebody in."""
    ledger, form = office().ledger, request.form
    attempt = people.Attempt(form.get("name", "").strip(), form.get("password", ""), gate.address())
    try:
        entry = people.log_in(ledger.database, ledger.account, attempt)
    except people.Blocked as blocked:
        seconds = math.ceil(blocked.seconds)
        problem = f"Too many wrong passwords. Try again in {_span(seconds)}."
        return _form(problem), 429, {"Retry-After": str(seconds)}
    except passwords.TooMany:
        return _form("Many log in just now. Try again in a moment."), 503, {"Retry-After": "2"}
    if entry is None:
        return _form("Name and password don't fit."), 401
    people.log_out(ledger.database, gate.token())  # a browser has one visit at a time
    response = redirect(_back(form.get("back", "")), 303)
    gate.let_in(response, entry)
    return response


@pages.post("/logout")
def leave() -> Response:
    """Let somebody out, for good."""
    people.log_out(office().ledger.database, gate.token())
    response = redirect(url_for("login.form"), 303)
    gate.let_out(response)
    return response


def _form(problem: str) -> str:
    back = request.values.get("back", "")
    return render_template("login.html", problem=problem, name=request.form.get("name", ""), back=back)


def _back(path: str) -> str:
    """A path of ours, never another site."""
    ours = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if ours else url_for("overview.page")


def _span(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < IN_MINUTES else f"{math.ceil(seconds / 60)} minutes"
