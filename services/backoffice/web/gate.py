"""Who is let in, and what they may do: checked before any page, for every route alike.

Reading needs a login, changing anything an operator. A change comes from a form of ours: from our own origin, as
a form, with the token of the visit.
"""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from services.backoffice.operations import people
from services.backoffice.web.office import Office
from shared.store.people import Visit

COOKIE: Final = "stocksync"
PUBLIC: Final = frozenset({"login.form", "login.enter", "files.script", "files.static", "storefront.stock"})
"""Endpoints that nobody needs a login for."""
ANYWHERE: Final = frozenset({"storefront.stock"})
"""Endpoints that may be reached under other names: they know no visits."""
EVERYBODY: Final = frozenset({"login.leave"})
"""Endpoints that change something and need no operator."""
_READING: Final = frozenset({"GET", "HEAD"})
_FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_HSTS: Final = "max-age=31536000"


def guard(app: Flask, office: Office) -> None:
    """Put the gate before every route of `app`, and the headers on every answer."""

    @app.before_request
    def check() -> AnyResponse | None:
        changing = request.method not in _READING
        _refuse_unstorable()
        _refuse_foreign(office.origin, changing=changing)
        if request.endpoint in PUBLIC:
            return None
        found = people.visit(office.ledger.database, request.cookies.get(COOKIE, ""))
        if found is None:
            return _to_login(changing=changing)
        g.visit = found
        if changing:
            _refuse_forged(found)
        return None

    @app.after_request
    def harden(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if office.origin.startswith("https:"):
            response.headers["Strict-Transport-Security"] = _HSTS
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def let_in(response: AnyResponse, entry: people.Entry, origin: str) -> None:
    """Give the browser its cookie."""
    response.set_cookie(
        COOKIE,
        entry.token,
        max_age=int(people.LONGEST),
        secure=origin.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )


def let_out(response: AnyResponse) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")


def _to_login(*, changing: bool) -> AnyResponse:
    if changing:
        abort(401, "you are not logged in any more; nothing was changed")
    back = request.full_path.rstrip("?") if request.path != "/" else None
    where = url_for("login.form", back=back)
    if request.headers.get("HX-Request"):  # a part of a page: the whole page goes to the login
        return Response(status=401, headers={"HX-Redirect": where})
    return redirect(where, 303)


def _refuse_unstorable() -> None:
    """No text that people can type has this character, and no database keeps it."""
    if any("\0" in text for text in (request.path, *(text for _, text in request.values.items(multi=True)))):
        abort(400, "there is a character in it that nobody can type")


def _refuse_foreign(origin: str, *, changing: bool) -> None:
    """Only our own address, and only a form of our own pages: browsers name the origin with every POST."""
    if request.endpoint not in ANYWHERE and request.host != urlsplit(origin).netloc:
        abort(400, "this is not the address of these pages")
    if not changing:
        return
    if request.headers.get("Origin") != origin:
        abort(400, "this form is not one of these pages")
    if request.mimetype not in _FORMS:
        abort(400, "this is not a form")


def _refuse_forged(found: Visit) -> None:
    if not hmac.compare_digest(request.form.get("csrf", "").encode(), found.csrf.encode()):
        abort(400, "the form is of another login; load the page again")
    if found.role != "operator" and request.endpoint not in EVERYBODY:
        abort(403, "you may look at everything here; changing something needs an operator")
